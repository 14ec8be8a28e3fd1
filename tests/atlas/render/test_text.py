"""Text of a corpus is harmless, and every line is exactly as wide as it says."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from atlas.render.ansi import Coding, coding_for, to_text
from atlas.render.kwic import PEAK_AT, kwic, level
from atlas.render.numbers import correlation, share, strength
from atlas.render.palette import DARK, LIGHT, contrast, ink, luminance
from atlas.render.spans import Span, fit, line_width, merged, plain
from atlas.render.text import clean, cut_right, pad, width

TOKENS = [" once", " there", " was", " Lily", ".", "\n"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\n\t", "⏎⇥"),
        ("\x1b[31m", "·[31m"),
        ("\x9b\x07\x00\x7f", "····"),
        ("a\u202eb\u200f", "a·b·"),
        ("\u200b\ufeff", "··"),
        ("\u00a0\u3000", "  "),
        ("<0xE2>", "<0xE2>"),
        ("[bold]", "[bold]"),
        ("\u2028", "·"),
        ("❤\ufe0f", "❤"),
        ("\ud800", "·"),
    ],
)
def test_what_could_steer_a_terminal_becomes_a_visible_mark(text, shown):
    assert clean(text) == shown


@given(st.text())
def test_cleaned_text_holds_no_control_character(text):
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000 for c in clean(text))


@pytest.mark.parametrize("text", ["Lily", "é", "e\u0301", "漢字", "한", "日本", "ก็", "…⟦⟧●▸"])
def test_widths_agree_with_the_terminal_library(text):
    assert width(clean(text)) == cell_len(text)


@given(st.text(max_size=30), st.integers(0, 20))
def test_padding_gives_the_width_it_was_asked_for(text, cells):
    assert width(pad(clean(text), cells)) == cells
    assert width(cut_right(clean(text), cells)) <= cells


@given(
    st.lists(st.text(max_size=8), min_size=1, max_size=12),
    st.integers(0, 120),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_a_context_takes_exactly_its_width(tokens, cells, brackets, random):
    activations = [random.uniform(0, 9) for _ in tokens]
    line = kwic(tokens, activations, random.randrange(len(tokens)), 9.0, cells, brackets=brackets)
    assert line_width(line) == cells


def test_the_peak_starts_at_a_fixed_column():
    for tokens, peak in ((TOKENS, 3), (TOKENS[2:], 1), ([" a"] * 60 + TOKENS, 63)):
        text = plain(kwic(tokens, [1.0] * len(tokens), peak, 1.0, 50))
        assert text.index("Lily") == int(50 * PEAK_AT)
    assert text.startswith("…")


def test_the_peak_has_brackets_where_there_is_no_colour():
    assert "was ⟦Lily⟧.⏎" in plain(kwic(TOKENS, [0, 0, 0, 2, 0, 0], 3, 2.0, 60, brackets=True))


def test_levels_go_by_the_features_maximum():
    assert [level(a, 7.0) for a in (0, -1, 0.01, 1, 1.01, 6.9, 7, 9)] == [0, 0, 1, 1, 2, 7, 7, 7]
    assert level(1.0, None) == 0


def test_equal_neighbours_merge_and_the_peak_stays_alone():
    line = merged([Span("a"), Span("b"), Span(""), Span("c", peak=True), Span("d", peak=True)])
    assert [span.text for span in line] == ["ab", "c", "d"]


def test_a_fitted_line_keeps_its_styles():
    line = fit([Span("abc", level=3), Span("def", tone="dim")], 5)
    assert [(span.text, span.level, span.tone) for span in line] == [("abc", 3, ""), ("d…", 0, "dim")]


def test_all_shades_are_readable_and_their_luminance_rises():
    for ramp in (DARK, LIGHT):
        assert all(contrast(ink(colour), colour) >= 5 for colour in ramp[1:])
    assert [luminance(c) for c in DARK[1:]] == sorted(luminance(c) for c in DARK[1:])
    assert [luminance(c) for c in LIGHT[1:]] == sorted((luminance(c) for c in LIGHT[1:]), reverse=True)


def test_text_coding_writes_no_escape_code():
    line = kwic(["\x1b[31m", " Lily"], [0.0, 2.0], 1, 2.0, 40, brackets=True)
    assert "\x1b" not in to_text(line, Coding.TEXT)


def test_colour_coding_shades_and_still_marks_the_peak():
    assert to_text([Span("x", level=7, peak=True)], Coding.COLOUR) == "\x1b[1;4;38;2;0;0;0;48;2;255;205;90mx\x1b[0m"
    assert to_text([Span("x", level=7, peak=True)], Coding.MONO) == "\x1b[1;4mx\x1b[0m"


def test_colour_needs_a_terminal_with_24_bits_and_no_refusal():
    class Tty(io.StringIO):
        def isatty(self) -> bool:
            return True

    full = {"COLORTERM": "truecolor"}
    assert coding_for(Tty(), full) is Coding.COLOUR
    assert coding_for(Tty(), full | {"NO_COLOR": "1"}) is Coding.MONO
    assert coding_for(Tty(), {}) is Coding.MONO
    assert coding_for(Tty(), full | {"TERM": "dumb"}) is Coding.TEXT
    assert coding_for(io.StringIO(), full) is Coding.TEXT


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.944, ".94"), (0.998, ".99"), (1.0, "1.0"), (-1.0, "-1.0"), (-0.054, "-.05"), (-0.001, ".00"), (None, "·")],
)
def test_a_correlation_is_never_rounded_up_to_a_full_one(value, shown):
    assert correlation(value) == shown


def test_numbers_are_short():
    assert [share(v) for v in (0, 9.92e-5, 0.4)] == ["0", "9.9e-05", "4.0e-01"]
    assert [strength(v) for v in (None, 0.0, 1e-5, 0.0094, 2.0, 9.996, 15.84, 1234.6, 12345.0)] == [
        "·", "0", "1e-05", ".0094", "2.00", "10.0", "15.8", "1235", "1e+04",
    ]  # fmt: skip
