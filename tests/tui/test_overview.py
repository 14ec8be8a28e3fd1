"""The overview: SAEs, what was computed of them, and what is missing with the command that adds it."""

from __future__ import annotations

import pytest

from atlas.db import open_atlas
from tests.support.tui_pilot import screen_after


def change(path, *statements: str) -> None:
    with open_atlas(path, write=True) as atlas:
        for statement in statements:
            atlas.rows(statement)


def test_it_lists_saes_and_comparisons_and_enter_browses_one(tiny):
    shown = screen_after(tiny, "o")
    assert "little/two" in shown
    assert "A ↔ B            activation .750 · .010   words, 100 tokens" in shown
    assert "2 SAEs · 2 scans · 10 features · 1 comparison" in shown.splitlines()[-2]
    assert "little/two › features" in screen_after(tiny, "o", "j", "enter").splitlines()[0]


def test_an_sae_measured_twice_is_one_sae_and_two_scans(tiny):
    change(
        tiny,
        "insert into corpus by name select * replace (2 as corpus_id, 'later' as name, 'c2' as sha256) from corpus",
        "insert into scan by name select * replace (3 as scan_id, 2 as corpus_id, 'x' as spec_sha256) from scan where scan_id = 1",
        "insert into feature_stat select 3 as scan_id, f.* exclude (scan_id) from feature_stat f where f.scan_id = 1",
    )
    assert "2 SAEs · 3 scans · 10 features" in screen_after(tiny, "o").splitlines()[-2]


def test_matchings_scores_and_grids_are_listed(full):
    shown = screen_after(full, "o")
    assert "assignment by activation  4 · .525 · .050   proved optimal" in shown
    assert "rsa               1   p <= .05: 1" in shown
    assert "1 x 1   1 of 1 cells have a score   grid 1" in shown
    assert "featlas matrix" not in shown
    assert "featlas metric" not in shown


def test_what_is_missing_comes_with_the_command_that_adds_it(tiny):
    change(tiny, "update scan set store = 's'", "delete from pair", "delete from pairing")
    assert "not compared: A↔B   featlas correlate A B" in screen_after(tiny, "o")
    change(tiny, "update scan set store = null where scan_id = 1")
    narrow = screen_after(tiny, "o", size=(60, 30)).splitlines()
    at = narrow.index(" kept no activations: A")
    assert "".join(narrow[at + 1 : at + 3]).split() == ["featlas", "ingest", "…", "--replace,", "without", "--no-store"]


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("update scan set store = case when scan_id = 1 then 's' end", "kept no activations: B"),
        ("update scan set store = 's', n_tokens = 99 + scan_id", ""),
        ("delete from scan where scan_id = 2", "measured on no corpus: B   featlas ingest"),
    ],
)
def test_no_comparison_is_proposed_that_cannot_be_made(tiny, statement, says):
    change(tiny, statement, "delete from pair", "delete from pairing")
    shown = screen_after(tiny, "o")
    assert says in shown
    assert "featlas correlate" not in shown


def test_tab_scrolls_what_is_below_the_table(full):
    assert "grid 1" not in screen_after(full, "o", size=(80, 15))
    assert "grid 1" in screen_after(full, "o", "tab", "tab", "tab", size=(80, 15))
    assert "missing" in screen_after(full, "o", "tab", "tab", "tab", *["shift+tab"] * 4, size=(80, 15))
