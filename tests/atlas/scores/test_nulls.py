"""Nulls other than shuffled pairs: what they draw, and that they tell what is shared from what is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from atlas.activations import read_scan
from atlas.comparisons.correlate import pair_saes
from atlas.db import open_atlas
from atlas.errors import AtlasError, UnknownName, UsageError
from atlas.filters.subset import Subset
from atlas.metrics import rsa
from atlas.metrics.null import permutation_null
from atlas.pairing.search.standardised import Standardised
from atlas.scores.compare import matched_rows
from atlas.scores.limits import SubsetTooSmall
from atlas.scores.nulls import Live, alike, match_within, random_subsets, scored_null
from tests.support.planted import plant
from tests.support.scoring import compare


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted(tmp_path_factory.mktemp("nulls") / "planted.duckdb", "red", "green")


def planted(path: Path, *keywords: str, **options: int) -> Path:
    """Two SAEs, compared, and the concept Hues."""
    plant(path, **options)
    pair_saes(path, "A", "B")
    with open_atlas(path, write=True) as atlas:
        for word in keywords:
            atlas.rows("insert into concept_keyword values ('Hues', $word, 'test')", word=word)
    return path


HUES = Subset(concept="Hues")
LOOSE = Subset(keep_non_concept=True, keep_unshared=True, min_value=0.5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(30, 400), st.sampled_from(["density", "norm"]))
def test_random_partners_are_distinct_and_near_in_what_they_are_matched_on(seed, n, kind):
    rng = np.random.default_rng(seed)
    live = Live(np.sort(rng.permutation(1000)[:n]), rng.integers(1, 10**6, n), rng.random(n))
    partners = rng.choice(live.feature, n // 2, replace=False)
    drawn = alike(live, partners, kind, rng)
    assert len(set(drawn.tolist())) == len(drawn)
    assert set(drawn.tolist()) <= set(live.feature.tolist())
    value = live.n_fired if kind == "density" else live.norm
    rank = dict(zip(live.feature[np.argsort(value, kind="stable")].tolist(), range(n), strict=True))
    moved = [abs(rank[a] - rank[b]) for a, b in zip(partners.tolist(), drawn.tolist(), strict=True)]
    assert max(moved) <= 2 * max(10, 0.02 * n)


def test_random_partners_are_other_features_for_the_most_part():
    live = Live(np.arange(1000), np.arange(1000) + 1, np.ones(1000))
    drawn = alike(live, np.arange(1000), "density", np.random.default_rng(0))
    assert np.mean(drawn == np.arange(1000)) < 0.1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_matching_within_two_sets_is_best_then_one_to_one(seed, forward):
    rng = np.random.default_rng(seed)
    codes = [(rng.random((80, d)) < 0.2) * rng.exponential(size=(80, d)) for d in (9, 7)]
    codes[0][:, 3] = 0  # dead
    codes[1][:, 2] = codes[0][:, 1]
    sides = [Standardised.of(sp.csr_array(side), name="x") for side in codes]
    of_a, of_b = np.array([1, 3, 4, 8]), np.array([0, 2, 5])
    found = match_within(*sides, of_a, of_b, forward=forward)
    with np.errstate(invalid="ignore"):
        dense = np.corrcoef(codes[0].T, codes[1].T)[:9, 9:][np.ix_(of_a, of_b)]
    dense = dense if forward else dense.T
    claims = {}
    for i, row in enumerate(dense):
        if not np.isnan(row).all():
            j = int(np.nanargmax(row))
            if j not in claims or row[j] > dense[claims[j], j]:
                claims[j] = i
    pairs = {(of_a[i], of_b[j]) if forward else (of_a[j], of_b[i]) for j, i in claims.items()}
    assert set(zip(found[0].tolist(), found[1].tolist(), strict=True)) == pairs


def test_random_subsets_have_as_many_pairs_as_asked_for():
    rng = np.random.default_rng(3)
    codes = [sp.csr_array((rng.random((500, 40)) < 0.1) * rng.exponential(size=(500, 40))) for _ in range(2)]
    a, b = (Standardised.of(side, name="x") for side in codes)
    live = Live(np.arange(40), np.ones(40), np.ones(40))
    draws = random_subsets(a, b, (live, live), (8, 8), 7, np.random.default_rng(0))
    for _ in range(20):
        of_a, of_b = next(draws)
        assert len(set(of_a.tolist())) == len(set(of_b.tolist())) == 7
    with pytest.raises(AtlasError, match="pairs at most"):
        next(random_subsets(a, b, (live, live), (8, 8), 41, np.random.default_rng(0)))


@pytest.mark.parametrize("null", ["shuffle", "density", "norm"])
def test_planted_twins_stand_out_from_every_null(db, null):
    score = compare(db, "rsa", "A", "B", subset=LOOSE, null=null, shuffles=60, store=False)
    assert score.null_kind == null
    assert score.value > 0.8
    assert score.p_value == pytest.approx(1 / 61)
    assert abs(score.null_mean) < 0.1


def test_a_planted_subset_stands_out_from_random_subsets(db):
    score = compare(db, "rsa", "A", "B", subset=HUES, null="subsets", shuffles=60, store=False)
    assert (score.n, score.null_kind) == (10, "subsets")  # ten twins of 16 and 10 members
    assert score.value > 0.8
    assert score.null_mean < 0.6  # random subsets share some twins too
    assert score.p_value <= 2 / 61
    swapped = compare(db, "rsa", "B", "A", subset=HUES, null="subsets", shuffles=5, store=False)
    assert swapped.value == pytest.approx(score.value)


@pytest.mark.parametrize("null", ["shuffle", "subsets", "density", "norm"])
def test_equal_seeds_draw_equal_nulls(db, null):
    subset = HUES if null == "subsets" else LOOSE
    one, two, other = (
        compare(db, "svcca", "A", "B", subset=subset, null=null, shuffles=10, seed=seed, store=False, k=3)
        for seed in (1, 1, 2)
    )
    assert one.null_mean == two.null_mean != other.null_mean


def test_subsets_without_anything_in_common_do_not_stand_out(tmp_path):
    path = planted(tmp_path / "nothing.duckdb", "red", "green", "nothing", twins=0)
    assert compare(path, "rsa", "A", "B", subset=HUES, null="subsets", shuffles=99, store=False).p_value > 0.05


def test_draws_of_subsets_are_like_a_random_concept():
    rng = np.random.default_rng(7)
    codes = [sp.csr_array((rng.random((300, 60)) < 0.1) * rng.exponential(size=(300, 60))) for _ in range(2)]
    a, b = (Standardised.of(side, name="x") for side in codes)
    rows = [rng.normal(size=(60, 6)) for _ in range(2)]
    live = Live(np.arange(60), np.ones(60), np.ones(60))
    p_values = []
    for _ in range(120):
        members = [np.sort(rng.choice(60, 14, replace=False)) for _ in range(2)]
        pairs = match_within(a, b, *members)
        draws = random_subsets(a, b, (live, live), (14, 14), len(pairs[0]), rng)
        null = [rsa(rows[0][f], rows[1][g]).score for (f, g), _ in zip(draws, range(19), strict=False)]
        observed = rsa(rows[0][pairs[0]], rows[1][pairs[1]]).score
        p_values.append((1 + sum(score >= observed for score in null)) / 20)
    assert kstest(np.array(p_values) - rng.uniform(0, 0.05, 120), "uniform").pvalue > 0.01


@pytest.mark.parametrize("kind", ["density", "norm"])
def test_random_partners_take_away_what_density_or_norm_alone_explains(kind):
    """Rows follow the order of features and nothing else: shuffled they seem alike, with near partners they do not."""
    rng = np.random.default_rng(11)
    order = np.arange(600)
    live = Live(order, *((order, rng.random(600)) if kind == "density" else (rng.random(600), order)))
    p_values = {"alike": [], "shuffle": []}
    for _ in range(200):
        trend = 3 * order[:, None] / 600 * rng.normal(size=5)
        of_a, of_b = (trend + rng.normal(size=(600, 5)) for _ in range(2))
        chosen = rng.choice(600, 60, replace=False)
        partners = alike(live, chosen, kind, rng)
        draws = ((of_a[chosen], of_b[alike(live, partners, kind, rng)]) for _ in range(19))
        p_values["alike"].append(scored_null("cka", of_a[chosen], of_b[partners], draws, n=19).p_value)
        null = permutation_null("cka", of_a[chosen], of_b[partners], n=19, seed=int(rng.integers(2**32)))
        p_values["shuffle"].append(null.p_value)
    assert kstest(np.array(p_values["alike"]) - rng.uniform(0, 0.05, 200), "uniform").pvalue > 0.01
    assert np.median(p_values["shuffle"]) == 0.05


@pytest.mark.parametrize(
    "subset",
    [
        LOOSE,
        Subset(concept="Hues", match="best"),
        Subset(concept="Hues", where="a.max > 0"),
        Subset(concept="Hues", min_value=0.5),
        Subset(concept="Hues", min_density=0.01),
    ],
)
def test_the_null_of_subsets_takes_a_concept_and_no_other_choice(db, subset):
    with pytest.raises(UsageError, match="--null subsets"):
        compare(db, "rsa", "A", "B", subset=subset, null="subsets", store=False)


def test_nulls_that_mean_nothing_are_refused(db):
    with pytest.raises(UnknownName, match="shuffle"):
        compare(db, "rsa", "A", "B", null="shufle", store=False)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="--on activation"):
        compare(db, "rsa", "A", "B", space="activation", null="density", store=False)


@pytest.mark.parametrize(("metric", "options"), [("svcca", {"k": 5}), ("cca", {}), ("mutual_knn", {"k": 9})])
def test_intervals_of_too_few_pairs_are_refused(db, metric, options):
    few = Subset(keep_non_concept=True, keep_unshared=True, where="a.feature_id < 18", min_value=0.5)
    allowed = {"allow_forced": True, "shuffles": 3, "store": False, **options}
    compare(db, metric, "A", "B", subset=few, **allowed)
    with pytest.raises(SubsetTooSmall, match="half of 18 pairs"):
        compare(db, metric, "A", "B", subset=few, bootstrap=5, **allowed)


def test_rows_can_be_encoder_columns_or_activations(db):
    codes = {name: read_scan(db, name).toarray().astype(float) for name in "AB"}
    x, y, matched = matched_rows(db, "A", "B", subset=LOOSE, space="activation")
    some = codes["A"][:, matched.features_a], codes["B"][:, matched.features_b]
    fired = (some[0] > 0).any(axis=1) | (some[1] > 0).any(axis=1)
    np.testing.assert_array_equal(x, some[0][fired].T)
    np.testing.assert_array_equal(y, some[1][fired].T)
    encoder, _, _ = matched_rows(db, "A", "B", subset=LOOSE, space="encoder")
    with open_atlas(db) as atlas:
        rows = dict(atlas.rows("select v.feature_id, v.w_enc from feature_vector v where v.sae_id = 1").rows)
    np.testing.assert_array_equal(encoder, [rows[f] for f in matched.features_a.tolist()])
    score = compare(db, "rsa", "A", "B", subset=LOOSE, space="activation", shuffles=30, store=False)
    assert (score.space, score.p_value) == ("activation", pytest.approx(1 / 31))
    assert score.value > 0.9


def test_a_sample_of_tokens_is_seeded(db, monkeypatch):
    monkeypatch.setattr("atlas.scores.rows.SAMPLED_TOKENS", 50)
    first, again, other = (matched_rows(db, "A", "B", subset=LOOSE, space="activation", seed=s)[0] for s in (1, 1, 2))
    assert first.shape[1] == 50
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
