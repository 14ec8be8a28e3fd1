"""A stored grid in the browser."""

from __future__ import annotations

import pytest

from atlas.db import open_atlas
from tests.support.tui_pilot import drive, dump, press, screen_after
from tui.app.app import FeatlasApp


@pytest.fixture
def wide(full):
    """A second grid: both SAEs against both, one cell without a score."""
    with open_atlas(full, write=True) as atlas, atlas.transaction():
        atlas.rows("insert into grid select 2, 1, 'rsa', 'g2', created_at from grid")
        atlas.rows("insert into grid_cell values (2, 1, 2, 1, null, 0.02), (2, 2, 1, null, 'only 3 pairs', null)")
    return full


def test_a_cell_has_shade_value_and_star_and_below_it_all_that_judges_it(full):
    lines = screen_after(full, "3", size=(80, 24)).splitlines()
    assert lines[0].startswith(" featlas tiny.duckdb › matrix › rsa")
    assert lines[4].split() == ["B", "L1"]
    assert lines[5].split() == ["▸A", "L0", "▸.60*"]
    shown = "\n".join(lines)
    assert "little/one × little/two" in shown
    assert "rsa .600   null .100   p 0.01   adjusted p 0.02   n 4" in shown
    assert max(map(len, lines)) <= 80


def test_a_cell_without_a_score_says_why_and_an_sae_is_not_scored_against_itself(wide):
    async def script(app, pilot):
        await press(app, pilot, "3")
        assert "×" in dump(app)
        assert "an SAE is not scored against itself" in dump(app)
        await press(app, pilot, "j")
        assert "only 3 pairs" in dump(app)
        assert "1 without a score (?)" in dump(app)
        await press(app, pilot, "k", "l")
        assert "rsa .600" in dump(app)

    drive(FeatlasApp(wide), script)


def test_keys_change_grid_look_and_scale_and_never_the_number(wide):
    async def script(app, pilot):
        await press(app, pilot, "3")
        assert "grid 2 · 1 of 2" in dump(app)
        await press(app, pilot, "greater_than_sign")
        assert "grid 1 · 2 of 2" in dump(app)
        await press(app, pilot, "tab", "tab", "z")
        assert "shades fitted" in dump(app)
        assert ".60*" in dump(app)
        await press(app, pilot, "z", "r")
        assert "shades by row" in dump(app)
        await press(app, pilot, "v", "v", "v")
        assert "drawn as shades" in dump(app)
        assert "rsa .600" in dump(app)

    drive(FeatlasApp(wide), script)


def test_enter_opens_the_pairs_of_the_cell_and_esc_comes_back(full):
    async def script(app, pilot):
        await press(app, pilot, "3", "enter")
        assert "pairs › little/one ↔ little/two" in dump(app)
        assert "2 of 4 kept" in dump(app)
        await press(app, pilot, "escape", "y")
        assert app.clipboard == "little/one=little/two rsa 0.6"

    drive(FeatlasApp(full), script)


def test_without_a_grid_the_command_that_makes_one_is_named(tiny):
    shown = screen_after(tiny, "3", "j", "enter", "v", "z", "tab", "G", "y", "question_mark")
    assert "matched pairs of the cell" in shown
    assert "featlas matrix" in screen_after(tiny, "3", size=(80, 24))


def test_names_with_escape_codes_are_shown_harmless(full):
    with open_atlas(full, write=True) as atlas:
        atlas.con.execute("update sae set name = '[i]' || chr(27) || '[31mx' where sae_id = 2")
        atlas.con.execute("update grid set metric = chr(27) || 'c'")
    shown = screen_after(full, "3").replace("\n", "")
    assert "[i]·[31mx" in shown
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown)
