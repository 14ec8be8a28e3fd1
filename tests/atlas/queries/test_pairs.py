"""The pair list: thresholds of its filter line, its orders, measures and rules, and why pairs were dropped."""

from __future__ import annotations

import pytest

from atlas import open_atlas
from atlas.choices import PAIR_SORTS, options_of, spec_of, typed
from atlas.cli import run
from atlas.errors import AtlasError, UsageError
from atlas.filters.pair_filter import PAIR_FILTER, parse_pair_filter
from atlas.filters.subset import Subset
from atlas.queries import browse
from atlas.queries.pairs import pair_order, pair_window

BEST = Subset(match="best")


def ordered(path, subset=BEST, **options):
    with open_atlas(path) as atlas:
        a, b = browse.scans(atlas)
        order = pair_order(atlas, a, b, subset, **options)
        return order, pair_window(atlas, a, b, subset, order, 0, len(order))


def test_every_term_of_the_filter_line_is_read():
    subset, words = parse_pair_filter(PAIR_FILTER, BEST)
    assert words == "monday"
    assert (subset.min_value, subset.min_joint, subset.max_density, subset.top_tokens) == (0.5, 20, 0.01, 3)
    assert subset.keep_non_concept
    assert subset.keep_unshared


@pytest.mark.parametrize("text", ["value>=x", "valu>=1", "top:", "joint>=0.5", "joint<=1"])
def test_a_threshold_that_is_none_is_refused_with_those_there_are(text):
    with pytest.raises(UsageError) as caught:
        parse_pair_filter(text, BEST)
    assert caught.value.hint == PAIR_FILTER


def test_words_with_a_colon_are_looked_for_in_the_tokens():
    assert parse_pair_filter("3:15 a:b", BEST) == (BEST, "3:15 a:b")


def test_titles_of_columns_and_mutual_are_understood_and_what_is_not_has_its_column():
    subset, words = parse_pair_filter("r>0.5 mutual both>=3 day", BEST)
    assert (subset.min_value, subset.match, subset.min_joint, words) == (0.5, "mutual", 3, "day")
    with pytest.raises(UsageError, match=r"no threshold cosine> \(column 5\)"):
        parse_pair_filter("day cosine>0.5", BEST)


def test_a_threshold_drops_with_its_reason(tiny):
    subset, _ = parse_pair_filter("value>=0.85 +non-concept +unshared", BEST)
    order, rows = ordered(tiny, subset)
    assert order.reasons() == [("value", 3)]
    assert [row.feature_a for row in rows if not row.dropped_because] == [0]


def test_a_maximum_value_reaches_the_line_the_command_the_spec_and_the_macro(tiny, capsys):
    subset, _ = parse_pair_filter("value<=0.85 +non-concept +unshared", BEST)
    order, _ = ordered(tiny, subset)
    assert order.reasons() == [("value", 1)]
    assert "value <= 0.85" in subset.in_words()
    assert spec_of(subset)["max_value"] == 0.85
    assert "max_value" not in spec_of(BEST)  # scores from before keep their identity
    words = typed(options_of(Subset), spec_of(subset))
    assert run(["--db", str(tiny), "pairs", "A", "B", *words, "--format", "csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(order.those("kept")) == 4


def test_a_pair_counts_for_the_first_of_its_reasons(tiny):
    order, _ = ordered(tiny)
    assert sum(n for _, n in order.reasons()) == len(order.those("dropped")) == 2


@pytest.mark.parametrize(
    ("sort", "first"),
    [("value", 0), ("joint", 0), ("margin", 2), ("n a", 0), ("n b", 1), ("feature", 0), ("partner", 1)],
)
def test_each_order_starts_with_its_first(tiny, sort, first):
    assert sort in PAIR_SORTS
    order, rows = ordered(tiny, sort=sort)
    assert order.features_a[0] == first
    assert [row.feature_a for row in rows] == order.features_a.tolist()
    assert ordered(tiny, sort=sort, ascending=True)[0].features_a[0] != first


def test_another_measure_has_its_own_pairs_and_counts_no_tokens(full):
    _, rows = ordered(full, Subset(match="best", measure="logit"))
    assert [(row.feature_a, row.feature_b, row.value, row.n_ab) for row in rows] == [(0, 2, 0.95, None)]


def test_a_stored_matching_may_hold_pairs_that_are_nobodys_partner(full):
    _, rows = ordered(full, Subset(match="assignment", measure="encoder"))
    assert (3, 4) in [(row.feature_a, row.feature_b) for row in rows]
    assert rows[0].mutual is None


def test_a_matching_that_is_not_stored_names_the_command(tiny):
    with pytest.raises(AtlasError) as caught:
        ordered(tiny, Subset(match="assignment"))
    assert "featlas match" in caught.value.hint
