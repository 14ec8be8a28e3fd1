"""Claims about measures beside each other: every value that is stored is right, in whatever order they were computed."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atlas import open_atlas
from atlas.activations import read_scan
from atlas.comparisons import correlate as job
from atlas.comparisons.correlate import pair_saes
from atlas.comparisons.summaries import PairingSummary
from atlas.errors import AtlasError
from atlas.pairing import MEASURES
from tests.support.dense_measures import values_of
from tests.support.equipped import covariance, documents, equip, next_ids, unembedding
from tests.support.pairing_laws import pearson

COLUMNS = "feature_a, feature_b, value, rank_ab, rank_ba, n_a, n_b, n_ab"


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("equipped") / "equipped.duckdb"
    equip(path)
    return path


@pytest.fixture
def equipped(master: Path, tmp_path: Path) -> Path:
    return copy_of(master, tmp_path / "equipped.duckdb")


def copy_of(master: Path, path: Path) -> Path:
    shutil.copytree(f"{master}.store", f"{path}.store")
    return Path(shutil.copy(master, path))


def rows_of(path: Path, measure: str) -> list[tuple]:
    with open_atlas(path) as atlas:
        return atlas.rows(f"select {COLUMNS} from pairs where measure = '{measure}' order by all").rows


def pooled(how: str, x: np.ndarray) -> np.ndarray:
    fold = np.max if how == "max" else np.mean
    return np.stack([fold(x[documents() == d], axis=0) for d in np.unique(documents())])


def decoders(path: Path) -> tuple[np.ndarray, ...]:
    with open_atlas(path) as atlas:
        return tuple(
            np.array([row[0] for row in atlas.rows(f"select w_dec from decoder_rows_of('{sae}')")]) for sae in "AB"
        )


@cache
def matrix(path: Path, measure: str) -> tuple[np.ndarray, np.ndarray | None]:
    """All values of a measure by its definition, and the counts of what fires together."""
    a, b = (read_scan(path, name).toarray().astype(np.float64) for name in "AB")
    u, v = decoders(path)
    if MEASURES[measure].pool:
        a, b = (pooled(MEASURES[measure].pool or "", side) for side in (a, b))
    if measure == "attribution":
        known = (next_ids() >= 0)[:, None]
        a, b = (x * (unembedding().astype(float) @ w.T)[next_ids()] * known for x, w in ((a, u), (b, v)))
    joint = (a != 0).T.astype(int) @ (b != 0).astype(int)
    if measure in ("decoder", "encoder"):
        return u @ v.T / np.linalg.norm(u, axis=1)[:, None] / np.linalg.norm(v, axis=1), None
    if measure == "logit":
        return pearson(unembedding().astype(float) @ u.T, unembedding().astype(float) @ v.T), None
    if measure == "preactivation":
        of_both = u @ covariance() @ v.T
        spread = [np.sqrt(np.vecdot(side @ covariance(), side)) for side in (u, v)]
        return of_both / spread[0][:, None] / spread[1], None
    if measure.startswith("activation") or measure == "attribution":
        return pearson(a, b), joint
    return np.where(joint > 0, values_of(measure, a, b), 0.0), joint


@pytest.fixture(scope="module")
def compared(master: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every measure, half of them before the one with which they exchange values, and half after."""
    path = copy_of(master, tmp_path_factory.mktemp("compared") / "equipped.duckdb")
    others = [name for name in MEASURES if name != "activation"]
    for name in (*others[::2], "activation", *others[1::2]):
        pair_saes(path, "A", "B", measure=name, top_k=2)
    return path


@pytest.mark.parametrize("measure", MEASURES)
def test_every_value_and_every_count_that_is_stored_is_right(compared, measure):
    values, joint = matrix(compared, measure)
    rows = rows_of(compared, measure)
    assert any(row[3] is None and row[4] is None for row in rows)
    for i, j, value, _, _, n_a, n_b, n_ab in rows:
        assert value == pytest.approx(values[i, j], abs=1e-6), (i, j)
        assert n_ab == (None if joint is None else joint[i, j])
        assert joint is None or n_ab <= min(n_a, n_b)


def test_counts_of_attributions_are_of_tokens_that_have_a_next_one(compared):
    known = next_ids() >= 0
    fires = [(read_scan(compared, name).toarray() > 0) & known[:, None] for name in "AB"]
    for i, j, _, _, _, *counts in rows_of(compared, "attribution"):
        a, b = fires[0][:, i], fires[1][:, j]
        assert counts == [a.sum(), b.sum(), (a & b).sum()]


@pytest.mark.parametrize("measure", [name for name in MEASURES if name != "activation"])
def test_two_measures_have_each_others_best_pairs(compared, measure):
    held = {name: {row[:2] for row in rows_of(compared, name)} for name in ("activation", measure)}
    best = {name: {row[:2] for row in rows_of(compared, name) if 1 in row[3:5]} for name in held}
    for name, other in itertools.permutations(held):
        values = matrix(compared, name)[0]
        assert all(pair in held[name] or np.isnan(values[pair]) for pair in best[other])
    without_rank = {row[:2] for row in rows_of(compared, measure) if row[3] is None and row[4] is None}
    assert without_rank <= best["activation"]


def test_the_order_of_the_commands_does_not_show(master, tmp_path):
    measures = ("activation", "jaccard", "decoder")
    held = []
    for n, order in enumerate([measures, measures[::-1], ("jaccard", "activation", "decoder")]):
        path = copy_of(master, tmp_path / f"{n}.duckdb")
        for measure in order:
            pair_saes(path, "A", "B", measure=measure, top_k=5 if measure == "activation" else 2)
        pair_saes(path, "A", "B", top_k=2)
        held.append({measure: rows_of(path, measure) for measure in measures})
    assert held[0] == held[1] == held[2]
    assert any(row[3] is None and row[4] is None for row in held[0]["activation"])


def test_sides_in_the_other_order_exchange_values_too(equipped):
    pair_saes(equipped, "A", "B", top_k=2)
    pair_saes(equipped, "B", "A", measure="jaccard", top_k=2)
    assert {row[:2] for row in rows_of(equipped, "activation")} >= {
        row[1::-1] for row in rows_of(equipped, "jaccard") if 1 in row[3:5]
    }
    values = matrix(equipped, "jaccard")[0].T
    assert all(row[2] == pytest.approx(values[row[:2]], abs=1e-6) for row in rows_of(equipped, "jaccard"))


def test_views_of_matches_know_nothing_of_pairs_without_ranks(equipped):
    pair_saes(equipped, "A", "B", top_k=3)
    query = "select * exclude (margin) from best_matches where measure = 'activation' order by all"
    with open_atlas(equipped) as atlas:
        before, matched = atlas.rows(query).rows, atlas.rows("from matches('A', 'B') order by all").rows
    pair_saes(equipped, "A", "B", measure="decoder", top_k=3)
    with open_atlas(equipped) as atlas:
        assert atlas.rows(query).rows == before
        assert atlas.rows("from matches('A', 'B') order by all").rows == matched


@pytest.mark.parametrize("how", ["max", "mean"])
def test_documents_are_compared_and_counted(equipped, how):
    found = pair_saes(equipped, "A", "B", measure=f"activation_document_{how}", top_k=3)
    n_documents = len(np.unique(documents()))
    assert (found.unit, found.n_tokens) == ("documents", n_documents)
    assert n_documents // 4 <= (found.chance_shift or 0) < 3 * n_documents // 4
    assert found.median_best > 0.8 > 0.3 > found.chance
    a, b = (pooled(how, read_scan(equipped, name).toarray()) for name in "AB")
    for row in rows_of(equipped, f"activation_document_{how}"):
        assert row[5:7] == ((a[:, row[0]] > 0).sum(), (b[:, row[1]] > 0).sum())
    assert pair_saes(equipped, "A", "B", measure=f"activation_document_{how}", top_k=3) == as_stored(found)


def as_stored(found: PairingSummary) -> PairingSummary:
    return replace(found, new=False)


@pytest.mark.parametrize("measure", ["activation", "conditional", "logit", "activation_document_max"])
def test_within_one_sae_no_feature_is_its_own_partner(equipped, measure):
    found = pair_saes(equipped, "A", "left", measure=measure, top_k=4)
    assert found.sae_a == found.sae_b == "left"
    with open_atlas(equipped) as atlas:
        rows = atlas.rows(f"select feature_a, feature_b, value from pairs where measure = '{measure}'").rows
        assert atlas.rows("select count(*) from pairs where sae_a <> sae_b").rows == [(0,)]
    assert all(a != b for a, b, _ in rows)
    values = {(a, b): value for a, b, value in rows}
    if MEASURES[measure].symmetric:
        assert all(values[b, a] == pytest.approx(value, abs=1e-12) for (a, b), value in values.items())
    assert pair_saes(equipped, "left", "A", measure=measure, top_k=4) == as_stored(found)


def test_both_directions_of_the_conditional_are_stored(equipped):
    pair_saes(equipped, "A", "B", measure="conditional", top_k=2)
    pair_saes(equipped, "B", "A", measure="conditional", top_k=2)
    pair_saes(equipped, "A", "B", measure="conditional", top_k=3)
    a, b = (read_scan(equipped, name).toarray() > 0 for name in "AB")
    joint = a.T.astype(float) @ b.astype(float)
    with open_atlas(equipped) as atlas:
        rows = atlas.rows("select sae_a, feature_a, feature_b, value, rank_ab, rank_ba from pairs").rows
        assert atlas.rows("select count(*) from pairing").rows == [(2,)]
    for sae_a, i, j, value, *_ in rows:
        counted = joint[i, j] / a[:, i].sum() if sae_a == "left" else joint[j, i] / b[:, i].sum()
        assert value == pytest.approx(counted, abs=1e-12)
    of_left = [row for row in rows if row[0] == "left"]
    assert max(row[4] or 0 for row in of_left) == 3
    first = {row[1]: row[3] for row in of_left if row[4] == 1}
    assert all(value >= max(r[3] for r in of_left if r[1] == i and r[4]) for i, value in first.items())


def between(monkeypatch: pytest.MonkeyPatch, what: Callable[[], object]) -> None:
    """Do something once while the next pairing is computed, after it has looked at what is stored."""
    compared = job._compared

    def hooked(*arguments: Any) -> Any:
        monkeypatch.setattr(job, "_compared", compared)
        what()
        return compared(*arguments)

    monkeypatch.setattr(job, "_compared", hooked)


@pytest.mark.parametrize(("first", "second"), [("decoder", "activation"), ("activation", "jaccard")])
@pytest.mark.parametrize("order", ["AB", "BA"])
def test_pairings_computed_at_the_same_time_have_each_others_best_pairs(
    equipped, master, tmp_path, monkeypatch, first, second, order
):
    between(monkeypatch, lambda: pair_saes(equipped, *order, measure=second, top_k=2))
    pair_saes(equipped, "A", "B", measure=first, top_k=2)
    one_by_one = copy_of(master, tmp_path / "one-by-one.duckdb")
    pair_saes(one_by_one, *order, measure=second, top_k=2)
    pair_saes(one_by_one, "A", "B", measure=first, top_k=2)
    for name in (first, second):
        assert rows_of(equipped, name) == rows_of(one_by_one, name)
        assert any(row[3] is None and row[4] is None for row in rows_of(equipped, name))


def test_measures_computed_at_the_same_time_add_no_pair_twice(equipped, monkeypatch):
    pair_saes(equipped, "A", "B", top_k=2)
    between(monkeypatch, lambda: pair_saes(equipped, "A", "B", measure="encoder", top_k=2))
    pair_saes(equipped, "A", "B", measure="decoder", top_k=2)
    keys = [row[:2] for row in rows_of(equipped, "activation")]
    assert len(keys) == len(set(keys))
    assert set(keys) > {row[:2] for row in rows_of(equipped, "activation") if row[3] or row[4]}


def test_an_equal_pairing_fills_in_what_stored_pairings_lack_of_each_other(equipped, monkeypatch):
    for measure in ("activation", "decoder", "jaccard"):
        pair_saes(equipped, "A", "B", measure=measure, top_k=2)
    before = {name: rows_of(equipped, name) for name in ("activation", "decoder", "jaccard")}
    with open_atlas(equipped, write=True) as atlas:
        ((n,),) = atlas.rows("select count(*) from pair where rank_ab is null and rank_ba is null").rows
        atlas.rows("delete from pair where rank_ab is null and rank_ba is null")
    again = pair_saes(equipped, "A", "B", measure="decoder", top_k=2)
    assert (again.new, again.n_filled) == (False, n)
    assert {name: rows_of(equipped, name) for name in before} == before
    # What has no value, as of features that never fire, is not looked for again.
    monkeypatch.setattr("atlas.comparisons.exchange.operands_of", lambda *arguments, **options: 1 / 0)
    assert pair_saes(equipped, "A", "B", measure="decoder", top_k=2).n_filled == 0


def test_an_interrupted_exchange_leaves_all_as_it_was(equipped, monkeypatch):
    pair_saes(equipped, "A", "B", top_k=2)
    before = rows_of(equipped, "activation")
    monkeypatch.setattr("atlas.comparisons.correlate.add_rows", lambda *rows: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        pair_saes(equipped, "A", "B", measure="decoder", top_k=2)
    assert (rows_of(equipped, "activation"), rows_of(equipped, "decoder")) == (before, [])


def test_a_measure_whose_sources_are_gone_is_named_and_stops_nothing(equipped):
    pair_saes(equipped, "A", "B", measure="attribution", top_k=2)
    (Path(f"{equipped}.store") / "unembedding-m.npy").unlink()
    found = pair_saes(equipped, "A", "B", top_k=2)
    assert found.new
    assert found.problems == ("attribution: the unembedding of planted is not at hand",)


def test_too_few_documents_are_refused(equipped):
    with open_atlas(equipped, write=True) as atlas:
        atlas.rows(
            "update context set documents = list_transform(documents, lambda d: case when d < 0 then d else 0 end)"
        )
    with pytest.raises(AtlasError, match="too few documents to compare features on: 1"):
        pair_saes(equipped, "A", "B", measure="activation_document_max")
