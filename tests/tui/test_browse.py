"""The feature table, the feature under its cursor and the keys that walk through them."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas.render.palette import ramp
from atlas.render.spans import Span
from tests.support.tui_pilot import drive, dump, make_atlas, press, screen_after, styles_of
from tui.app.app import FeatlasApp


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_atlas(tmp_path_factory.mktemp("tui") / "synthetic.duckdb")


def test_the_table_starts_with_the_densest_feature_and_the_pane_shows_it(tiny):
    lines = screen_after(tiny).splitlines()
    assert lines[0].startswith(" featlas tiny.duckdb › 2 SAEs › features")
    assert "density▼" in lines[1]
    assert lines[2].split()[:3] == ["▸A", "0", "4.0e-01"]
    assert "A:0  little/one" in lines[1]
    assert "fires on 40 of 100 tokens" in "\n".join(lines)


def test_the_sample_is_on_the_screen(tiny):
    assert "words · 100 tokens" in screen_after(tiny).splitlines()[-2]


def test_the_pane_follows_the_cursor(tiny):
    assert "fires on 30 of 100 tokens" in screen_after(tiny, "j", "j")


@pytest.mark.parametrize(
    ("keys", "row"),
    [
        (("j", "down", "k"), 2),
        (("G",), 10),
        (("end", "g"), 1),
        (("end", "home"), 1),
        (("ctrl+d", "ctrl+u"), 1),
        (("pagedown",), 10),
        (("pageup", "up"), 1),
    ],
)
def test_every_key_that_moves_moves(tiny, keys, row):
    assert f"row {row} " in screen_after(tiny, *keys).splitlines()[-2]


def test_a_narrow_screen_has_one_line_of_preview_and_enter_opens_the_feature(tiny):
    narrow = screen_after(tiny, size=(80, 24))
    assert len(narrow.splitlines()) == 24
    assert "fires on" not in narrow
    assert narrow.splitlines()[-3].startswith(" A:0 ")
    opened = screen_after(tiny, "enter", size=(80, 24))
    assert "fires on 40 of 100 tokens" in opened
    assert "1 of 10" in opened.splitlines()[0]


def test_in_the_feature_view_j_shows_the_next_feature_and_esc_comes_back_to_its_row(tiny):
    assert "› A:1" in screen_after(tiny, "enter", "j", "j", size=(80, 24)).splitlines()[0]
    back = screen_after(tiny, "enter", "j", "j", "escape", size=(80, 24)).splitlines()
    assert "features" in back[0]
    assert back[4].startswith("▸A")


def test_every_line_fits_the_screen(synthetic):
    async def script(app, pilot):
        for key in ("j", "enter", "2", "enter", "o"):
            await press(app, pilot, key)
            lines = dump(app).splitlines()
            assert len(lines) == app.size.height
            assert max(map(len, lines)) <= app.size.width
            assert "help" in lines[-1]
            assert "quit" in lines[-1]

    for size in ((120, 36), (80, 24), (60, 15)):
        drive(FeatlasApp(synthetic), script, size=size)


def test_a_scroll_bar_hides_no_end_of_a_context(synthetic):
    lines = screen_after(synthetic, "enter", size=(80, 20)).splitlines()
    ends = [line[78:79] for line in lines if "⟦" in line and "peak" not in line]
    assert "…" in ends
    assert set(ends) <= {"…", " ", ""}


def test_sort_cycles_and_reverses(tiny):
    assert "max▼" in screen_after(tiny, "s").splitlines()[1]
    assert "density▲" in screen_after(tiny, "S").splitlines()[1]
    assert "active▼" in screen_after(tiny, "s", "s").splitlines()[1]
    assert "match▼" in screen_after(tiny, "s", "s", "s").splitlines()[1]
    by_feature = screen_after(tiny, "s", "s", "s", "s").splitlines()
    assert "feat▲" in by_feature[1]
    assert by_feature[2].split()[:2] == ["▸A", "0"]


def test_the_switcher_goes_from_all_to_each_sae(tiny):
    assert "little/one › features" in screen_after(tiny, "a").splitlines()[0]
    second = screen_after(tiny, "a", "a").splitlines()
    assert "[B]" in second[0]
    assert second[2].split()[0] == "▸B"
    assert "2 SAEs" in screen_after(tiny, "a", "a", "a").splitlines()[0]


def test_a_filter_applies_while_it_is_typed_and_keeps_its_hits(tiny):
    async def script(app, pilot):
        await press(app, pilot, "slash", "text:monday")
        await pilot.pause(0.2)
        await press(app, pilot, "enter")
        assert "filter: monday" in dump(app)
        assert "2 of 10" in dump(app)

    drive(FeatlasApp(tiny), script)


def test_esc_leaves_the_filter_line_and_a_second_esc_clears_the_filter(tiny):
    async def script(app, pilot):
        await press(app, pilot, "slash", "text:dog", "escape")
        assert "1 of 10" in dump(app)
        await press(app, pilot, "escape")
        assert "filter:" not in dump(app)
        assert "▸A" in dump(app)

    drive(FeatlasApp(tiny), script)


def test_a_filter_without_hits_says_so_and_how_to_clear_it(tiny):
    shown = screen_after(tiny, "slash", "text:zzz", "enter")
    assert "no feature matches zzz" in shown
    assert "fires on" not in shown


def test_a_half_typed_filter_keeps_the_list_and_says_where_it_goes_wrong(tiny):
    async def script(app, pilot):
        await press(app, pilot, "slash", "text:density<.25")
        await pilot.pause(0.5)
        assert "6 of 10" in dump(app)
        await press(app, pilot, "text: dens>")
        await pilot.pause(0.5)
        assert "no field 'dens' – did you mean 'density'? (column 13)" in dump(app)
        assert "▸A" in dump(app)
        await press(app, pilot, *["backspace"] * 6, "enter")
        assert "filter: density<.25" in dump(app)
        assert "6 of 10" in dump(app)

    drive(FeatlasApp(tiny), script)


def test_a_filter_may_choose_the_order(tiny):
    lines = screen_after(tiny, "slash", "text:-dead sort:-id", "enter").splitlines()
    assert "feat▼" in lines[1]
    assert "feature_id ↓" in lines[-2]
    assert lines[2].split()[:2] == ["▸A", "3"]


def test_a_name_that_is_not_here_keeps_the_list(tiny):
    shown = screen_after(tiny, "slash", "text:match:Q>0.5", "enter")
    assert "no SAE named 'Q' (column 7)" in shown
    assert "▸A" in shown


def test_a_dead_feature_says_on_what_it_never_fires(tiny):
    assert "never fires on words" in screen_after(tiny, "G")


def test_only_the_windows_that_were_looked_at_are_read(synthetic):
    async def script(app, pilot):
        assert set(app.desk.stage.browse.table._windows) == {0}
        await press(app, pilot, "G")
        assert set(app.desk.stage.browse.table._windows) == {0, 6, 7} - ({6} if 900 % 128 >= 34 else set())

    drive(FeatlasApp(synthetic), script)


def test_a_window_of_an_older_list_is_refused(tiny):
    async def script(app, pilot):
        table = app.desk.stage.browse.table
        old = table.generation
        await press(app, pilot, "S")
        table.deliver(old, 0, [("stale",) * 8])
        assert "stale" not in dump(app)

    drive(FeatlasApp(tiny), script)


def test_the_peak_is_bold_underlined_and_shaded(tiny):
    async def script(app, pilot):
        style = next(style for style in styles_of(app, "sad") if style.underline)
        assert style.bold
        assert style.bgcolor.get_truecolor().hex == "#ffcd5a"

    drive(FeatlasApp(tiny, colour=True), script)


def test_without_colour_the_peak_has_brackets_and_no_style_has_a_colour_of_ours(tiny):
    async def script(app, pilot):
        assert "⟦sad⟧" in dump(app)
        peak = next(style for style in styles_of(app, "⟦sad⟧") if style)
        assert peak.reverse
        assert peak.bold
        assert peak.underline
        await press(app, pilot, "v")
        assert "this terminal shows no colours" in dump(app)

    drive(FeatlasApp(tiny, colour=False), script)


def test_m_leads_to_the_matrix_and_v_changes_the_coding(full):
    async def script(app, pilot):
        await press(app, pilot, "v")
        assert "⟦" in dump(app)
        assert "activation by underline" in dump(app).splitlines()[-2]
        await press(app, pilot, "v")
        assert "⟦" not in dump(app)
        app.theme = "textual-light"
        await press(app, pilot, "a", "a")
        assert app.desk.styler.style(Span("x", level=1)).bgcolor.name == ramp(dark=False)[1]
        await press(app, pilot, "m")
        assert app.desk.stage.front.id == "matrix"
        assert "B" in app.desk.stage.front.reference() or "two" in app.desk.stage.front.reference()
        await press(app, pilot, "escape")
        assert app.desk.stage.front.id == "browse"

    drive(FeatlasApp(full, colour=True), script)


def test_y_copies_the_full_reference(tiny):
    async def script(app, pilot):
        await press(app, pilot, "j", "y")
        assert app.clipboard == "little/two:0"
        assert "copied little/two:0" in dump(app)

    drive(FeatlasApp(tiny), script)


def test_help_lists_the_keys_of_the_view_and_closes(tiny):
    async def script(app, pilot):
        await press(app, pilot, "question_mark")
        assert "pair with its best partner" in dump(app)
        assert "Scroll Left" not in dump(app)
        await press(app, pilot, "escape")
        assert "keys ·" not in dump(app)

    drive(FeatlasApp(tiny), script)
