"""Claims about weights without a meaning: those that are not finite are refused by name, and zeros match nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from atlas import open_atlas
from atlas.comparisons.correlate import pair_saes
from atlas.comparisons.match import match_saes
from atlas.errors import AtlasError
from atlas.pairing.assignment.one_to_one import assigned
from atlas.pairing.measures.weights import gram
from tests.support.dense_measures import operands_of
from tests.support.equipped import equip
from tests.support.planted import D_IN


@pytest.fixture
def equipped(tmp_path: Path) -> Path:
    equip(tmp_path / "equipped.duckdb")
    return tmp_path / "equipped.duckdb"


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(
    ("column", "kind", "measures"),
    [
        ("w_dec", "decoder row", ["decoder", "logit", "attribution"]),
        ("w_enc", "encoder column", ["encoder", "preactivation"]),
    ],
)
def test_weights_that_are_not_finite_are_refused_with_the_name_of_the_feature(equipped, value, column, kind, measures):
    row = [float(value)] + [0.0] * (D_IN - 1)
    with open_atlas(equipped, write=True) as atlas:
        for feature in (7, 9):
            atlas.rows(
                f"update feature_vector set {column} = $row where sae_id = 2 and feature_id = $id", row=row, id=feature
            )
    for measure in measures:
        for compare in (pair_saes, match_saes):
            with pytest.raises(AtlasError, match=f"the {kind} of feature 7 of right holds values that are") as caught:
                compare(equipped, "A", "B", measure=measure)
            assert caught.value.why == f"2 of 60 features have such a {kind}"
            assert "--replace" in (caught.value.hint or "")


def test_an_unembedding_that_is_not_finite_is_refused(equipped):
    path = Path(f"{equipped}.store") / "unembedding-m.npy"
    unembedding = np.load(path)
    unembedding[3, 2] = np.nan
    np.save(path, unembedding)
    with pytest.raises(AtlasError, match="the unembedding of planted holds values that are not finite"):
        pair_saes(equipped, "A", "B", measure="logit")


def by_definition(a: np.ndarray, b: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Cosines of what u makes of the rows, centred where u is no identity."""
    x, y = (u @ side.T - (0 if len(u) == 8 else (u @ side.T).mean(axis=0)) for side in (a, b))
    return (x / np.linalg.norm(x, axis=0)).T @ (y / np.linalg.norm(y, axis=0))


def best_mean(values: np.ndarray) -> float:
    return values[linear_sum_assignment(values, maximize=True)].mean()


@pytest.mark.parametrize("measure", ["decoder", "encoder", "logit"])
def test_features_without_weights_stay_unmatched_in_an_assignment_and_in_its_mean_and_chance(measure):
    rng = np.random.default_rng(0)
    u, a, b = (rng.normal(size=(n, 8)) for n in (40, 14, 12))
    a[[0, 5, 6]] = b[[2]] = 0.0
    more = (gram(u),) if measure == "logit" else ()
    found, chance = assigned(operands_of(measure, a, b, *more), seed=3)
    rows, columns = np.delete(np.arange(14), [0, 5, 6]), np.delete(np.arange(12), 2)
    values = by_definition(a[rows], b[columns], u if more else np.eye(8))
    assert found.certified
    assert set(found.rows) <= set(rows)
    assert set(found.cols) <= set(columns)
    assert found.mean == pytest.approx(best_mean(values), abs=1e-9)
    assert len(found.rows) == 11
    drawn = np.random.default_rng(3)
    a, b = (drawn.standard_normal(side.shape, dtype=np.float32).astype(float) for side in (a, b))
    values = by_definition(a[rows], b[columns], u if more else np.eye(8))
    assert chance == pytest.approx(best_mean(values), abs=1e-6)


def test_the_row_of_a_feature_without_weights_is_in_no_stored_matching(equipped):
    with open_atlas(equipped, write=True) as atlas:
        zeros = [0.0] * D_IN
        atlas.rows("update feature_vector set w_dec = $row where sae_id = 1 and feature_id in (3, 4)", row=zeros)
    for measure in ("decoder", "logit"):
        found = match_saes(equipped, "A", "B", measure=measure)
        assert found.n_pairs == 58
        with open_atlas(equipped) as atlas:
            query = "select feature_a from assignments where measure = $measure"
            assert {3, 4}.isdisjoint(row[0] for row in atlas.rows(query, measure=measure))
