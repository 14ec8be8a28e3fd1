"""Claims about moments: as the view gives them they are SciPy's, also where activations lie far from 0."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from atlas.db import Atlas, open_atlas
from ingest.accumulate.codes import Codes, TokenMap
from ingest.accumulate.moments import Moments

SHAPES = ("skew", "kurtosis", "skew_active", "kurtosis_active")


def tokens(n: int) -> TokenMap:
    """One context of n tokens."""
    zeros = np.zeros(n, np.int32)
    return TokenMap(0, zeros, zeros, zeros, zeros, zeros, zeros)


def moments(activations: np.ndarray, n_silent: int = 0) -> Moments:
    """Of a single feature."""
    n = len(activations)
    codes = Codes(1, np.zeros(n, np.int32), np.arange(n, dtype=np.int32), activations.astype(np.float32))
    return Moments.of(codes, tokens(n + n_silent))


def viewed(atlas: Atlas, found: Moments, *, raw: bool = False) -> dict[str, float | None]:
    """Row of view `features`; with `raw` as an older version wrote it."""
    names = ("n_fired", "total", "total_2", "total_3", "total_4", "centred_2", "centred_3", "centred_4")
    values = {name: getattr(found, name)[0].item() for name in names}
    if raw:
        values |= dict.fromkeys(("centred_2", "centred_3", "centred_4"))
    atlas.con.execute("update scan set n_tokens = ? where scan_id = 1", [found.n_tokens])
    changes = ", ".join(f"{name} = ?" for name in values)
    atlas.con.execute(
        f"update feature_stat set {changes} where scan_id = 1 and feature_id = 0", list(values.values())
    ).fetchall()
    columns = ("mean", "std", "mean_active", "std_active", *SHAPES)
    row = atlas.rows(
        f"select {', '.join(columns)} from features where sae = (select name from sae where sae_id = 1) and feature_id = 0"
    )
    return dict(zip(columns, row.rows[0], strict=True))


@pytest.fixture(scope="module")
def atlas(tiny_master: Path, tmp_path_factory) -> Iterator[Atlas]:
    """A tiny atlas to write into."""
    path = tmp_path_factory.mktemp("moments") / "a.duckdb"
    path.write_bytes(tiny_master.read_bytes())
    with open_atlas(path, write=True) as opened:
        yield opened


def expected(activations: np.ndarray, n_silent: int) -> dict[str, float]:
    """By SciPy, in extended precision, from the float32 values themselves."""
    active = activations.astype(np.float32).astype(np.longdouble)
    row = {}
    for ending, x in (("", np.concatenate([active, np.zeros(n_silent, np.longdouble)])), ("_active", active)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            row |= {
                f"mean{ending}": x.mean(),
                f"std{ending}": x.std(),
                f"skew{ending}": stats.skew(x),
                f"kurtosis{ending}": stats.kurtosis(x, fisher=False),
            }
    return {name: float(value) for name, value in row.items()}


@pytest.mark.parametrize("value", [0.7, 0.1, 1e-6, 12345.678])
@pytest.mark.parametrize("n_pieces", [1, 7])
def test_a_constant_has_no_shape(atlas, value, n_pieces):
    pieces = np.array_split(np.full(1000, value), n_pieces)
    row = viewed(atlas, reduce(Moments.merge, map(moments, pieces)))
    assert [row[name] for name in SHAPES] == [None] * 4
    assert row["std"] == pytest.approx(0, abs=1e-14 * value)


def test_where_it_is_silent_too_a_constant_has_a_shape_over_all_tokens_only(atlas):
    row = viewed(atlas, moments(np.full(1000, 0.7), n_silent=500))
    assert row["skew_active"] is row["kurtosis_active"] is None
    assert row["skew"] == pytest.approx(-(2**-0.5), rel=1e-12)
    assert row["kurtosis"] == pytest.approx(1.5, rel=1e-12)


def test_a_shape_far_from_zero_keeps_its_digits(atlas):
    x = np.random.default_rng(0).normal(100, 0.02, 100_000)
    row, truth = viewed(atlas, moments(x)), expected(x, 0)
    assert truth["kurtosis"] == pytest.approx(3, abs=0.05)
    for name, value in truth.items():
        assert row[name] == pytest.approx(value, rel=1e-9), name


def test_a_silent_feature_has_a_mean_and_no_more(atlas):
    row = viewed(atlas, moments(np.zeros(0), n_silent=50))
    assert (row["mean"], row["std"]) == (0, 0)
    assert {row[name] for name in ("mean_active", "std_active", *SHAPES)} == {None}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(2, 400),
    n_silent=st.sampled_from([0, 1, 30, 10_000]),
    offset=st.sampled_from([0.0, 1.0, 100.0, 3e4]),
    cuts=st.lists(st.integers(0, 400), max_size=6),
    order=st.randoms(use_true_random=False),
)
def test_any_pieces_in_any_order_give_what_scipy_gives(atlas, seed, n, n_silent, offset, cuts, order):
    x = offset + np.random.default_rng(seed).gamma(2, 0.5, n)
    pieces = [moments(part) for part in np.split(x, sorted(cut for cut in cuts if cut < n))]
    pieces.append(moments(np.zeros(0), n_silent))
    order.shuffle(pieces)
    row, truth = viewed(atlas, reduce(Moments.merge, pieces)), expected(x, n_silent)
    for name, value in truth.items():
        assert row[name] == pytest.approx(value, rel=1e-6, abs=1e-9), name


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), n=st.integers(20, 400), n_silent=st.sampled_from([0, 30, 10_000]))
def test_rows_of_older_versions_give_the_same_from_raw_sums(atlas, seed, n, n_silent):
    x = np.random.default_rng(seed).gamma(2, 0.5, n)
    row, truth = viewed(atlas, moments(x, n_silent), raw=True), expected(x, n_silent)
    for name, value in truth.items():
        assert row[name] == pytest.approx(value, rel=1e-6, abs=1e-9), name


def test_raw_sums_say_nothing_of_a_shape_in_which_they_cancel(atlas):
    for x in (np.full(1000, 0.7), np.random.default_rng(0).normal(100, 0.02, 1000)):
        row = viewed(atlas, moments(x), raw=True)
        assert [row[name] for name in SHAPES] == [None] * 4


@pytest.mark.parametrize("value", [0.1, 0.7, 1e9 / 3])
def test_nothing_correlates_with_a_constant(atlas, value):
    x, y = np.arange(100.0), np.full(100, value)
    sums = [100, *(float(s) for s in (x.sum(), sum(y), (x * x).sum(), sum(y * y), sum(x * y)))]
    assert atlas.con.execute("select correlation(?, ?, ?, ?, ?, ?)", sums).fetchall() == [(None,)]
    sums = [100, *(float(s) for s in (sum(y), x.sum(), sum(y * y), (x * x).sum(), sum(x * y)))]
    assert atlas.con.execute("select correlation(?, ?, ?, ?, ?, ?)", sums).fetchall() == [(None,)]


def test_a_correlation_is_pearsons(atlas):
    x = np.random.default_rng(0).normal(size=(2, 50)) + 3
    sums = [50, *(float(s) for s in (*x.sum(axis=1), *(x * x).sum(axis=1), x[0] @ x[1]))]
    found = atlas.con.execute("select correlation(?, ?, ?, ?, ?, ?)", sums).fetchall()[0][0]
    assert found == pytest.approx(stats.linregress(*x)[2], rel=1e-9)
