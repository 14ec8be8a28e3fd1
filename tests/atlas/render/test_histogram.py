"""Histograms: bins of a sixteenth of an octave, shown over a linear axis."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.render.histogram import BLOCKS, block_rows, histogram_lines, linear_counts, sparkline
from atlas.render.spans import plain


def octave_bins(counts: list[int]) -> list[tuple[float, float, int]]:
    """Bins from 1 upwards, sixteen to the octave, as the atlas stores them."""
    edges = [2.0 ** (i // 16) * (1 + i % 16 / 16) for i in range(len(counts) + 1)]
    return [(edges[i], edges[i + 1], n) for i, n in enumerate(counts) if n]


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=80), st.floats(0.0, 1.0), st.integers(1, 60))
def test_rebinning_keeps_the_number_of_tokens(counts, place, columns):
    bins = octave_bins([*counts, 1])
    lo, hi, _ = bins[-1]
    maximum = lo + place * (hi - lo)
    assert sum(linear_counts(bins, maximum, columns)) == pytest.approx(sum(counts) + 1)


def test_a_bin_that_crosses_a_border_is_shared_out_by_overlap():
    assert linear_counts([(1.0, 3.0, 8)], 4.0, 2) == [4.0, 4.0]


def test_the_maximum_falls_into_the_last_column():
    assert linear_counts([(4.0, 4.25, 3)], 4.0, 4) == [0, 0, 0, 3]


def test_bars_are_logarithmic_and_fill_from_below():
    assert block_rows([0, 9, 99], 2) == ["  █", " ██"]
    assert block_rows([0, 0], 1) == ["  "]


def test_a_single_token_still_shows():
    assert block_rows([1, 10**8], 1)[0][0] in BLOCKS[1:]


def test_the_axis_goes_from_zero_to_the_maximum():
    lines = histogram_lines([(1.0, 2.0, 5)], 2.0, rows=3, columns=20)
    assert len(lines) == 4
    axis = plain(lines[-1])
    assert axis.startswith("0")
    assert axis.endswith("2.00")
    assert len(axis) == 20


def test_a_dead_feature_has_no_histogram():
    assert histogram_lines([], None) == []
    assert sparkline([], None, 5) == "     "
