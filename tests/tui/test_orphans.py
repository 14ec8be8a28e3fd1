"""The list of features without a counterpart."""

from __future__ import annotations

from atlas.cli import run
from atlas.db import open_atlas
from tests.support.tui_pilot import drive, dump, press, screen_after
from tui.app.app import FeatlasApp
from tui.views.orphans import OrphansView


def listed(app) -> list[int]:
    """The features of the list, all of them."""
    return app.query_one(OrphansView).order.features.tolist()


def test_the_list_is_that_of_the_view_orphans_and_the_dead(full):
    with open_atlas(full) as atlas:
        known = atlas.rows(
            "select feature from orphans where measure = 'activation' and sae = 'little/one' order by n_fired desc"
        ).rows
        (dead,) = atlas.rows("select feature_id from features where sae = 'little/one' and is_dead").rows

    async def script(app, pilot):
        await press(app, pilot, "7")
        lines = dump(app).splitlines()
        assert "orphans › little/one not in little/two" in lines[0]
        assert listed(app) == [row[0] for row in known] + [dead[0]]
        assert lines[2].split()[:7] == ["▸", "3", "1.0e-01", "10", "2.00", "B:1", ".400"]
        assert "under the threshold" in lines[2]
        assert "never fires" in lines[3]
        assert "top-1 by activation under 0.7 · words" in lines[-2]
        assert "A:3" in dump(app)

    drive(FeatlasApp(full), script)


def test_keys_change_side_threshold_rule_and_measure(full):
    async def script(app, pilot):
        await press(app, pilot, "7", "t")
        assert "under 0.9" in dump(app)
        assert listed(app) == [1, 2, 3, 4]
        await press(app, pilot, "x")
        assert "little/two not in little/one" in dump(app)
        assert listed(app) == [0, 2, 3, 4]
        await press(app, pilot, "x", "t", "t", "t", "u")
        assert "little/one not in any other" in dump(app)
        assert "in none of 1" in dump(app)
        await press(app, pilot, "u", "r", "r")
        assert "paulo-belrose by decoder and encoder under 0.7" in dump(app)
        assert "another counterpart" in dump(app)
        await press(app, pilot, "r", "a")
        assert "top-1 by logit" in dump(app)

    drive(FeatlasApp(full), script)


def test_enter_opens_the_feature_b_browses_them_and_filters_find_tokens(full):
    async def script(app, pilot):
        await press(app, pilot, "7", "slash", "text:dog", "enter")
        assert listed(app) == [3]
        await press(app, pilot, "escape", "y", "enter")
        assert app.clipboard == "little/one:3"
        assert "features › A:3" in dump(app)
        await press(app, pilot, "7", "b")
        assert "features › A without B" in dump(app)
        assert "2 of 10" in dump(app)

    drive(FeatlasApp(full), script, size=(80, 24))


def test_the_command_that_exports_prints_the_same_features(full, capsys):
    found, command = [], []

    async def script(app, pilot):
        await press(app, pilot, "7", "t")
        command.extend(app.desk.stage.front.command())
        found.extend(listed(app))

    drive(FeatlasApp(full), script)
    assert run(["-q", "--db", str(full), *command, "--format", "csv"]) == 0
    assert [int(line.split(",")[0]) for line in capsys.readouterr().out.splitlines()[1:]] == found


def test_what_is_not_stored_names_the_command_that_stores_it(tiny):
    shown = screen_after(tiny, "7", "r", "j", "enter", "y")
    assert "featlas match little/one little/two --method assignment" in shown
    with open_atlas(tiny, write=True) as atlas:
        atlas.con.execute("delete from pair")
        atlas.con.execute("delete from pairing")
    assert "featlas correlate A B" in screen_after(tiny, "7", "a", "x", "u", "t", "r", "b", "c")


def test_escape_codes_in_tokens_and_labels_are_harmless(full):
    with open_atlas(full, write=True) as atlas:
        atlas.con.execute("update feature_stat set top_tokens = [chr(27) || '[31m', '[/b]'] where feature_id = 3")
        atlas.con.execute("insert into feature_label values (1, 3, 'me', chr(27) || ']0;t')")
    shown = screen_after(full, "7").replace("\n", "")
    assert "·[31m [/b]" in shown
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown)
