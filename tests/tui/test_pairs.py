"""The pair list and two features side by side."""

from __future__ import annotations

from atlas.cli import run
from atlas.db import open_atlas
from atlas.references import parse_reference
from tests.support.tui_pilot import drive, dump, press, screen_after, settle
from tui.app.app import FeatlasApp


def test_the_list_shows_kept_pairs_with_counts_chance_level_and_sample(tiny):
    shown = screen_after(tiny, "2")
    lines = shown.splitlines()
    assert "little/one ↔ little/two" in lines[0]
    assert lines[2].split()[:7] == ["▸", "0", "1", ".900", ".600", "25", "40"]
    assert "median best .750, by chance .010 · 100 tokens of words" in lines[-2]
    assert "2 of 4 kept" in lines[-2]


def test_the_list_tells_why_each_pair_was_dropped(tiny):
    dropped = screen_after(tiny, "2", "d")
    assert "non-concept" in dropped
    assert "no shared token" in dropped
    assert "2 of 4 dropped" in dropped
    assert "4 candidates" in screen_after(tiny, "2", "d", "d")


def test_two_lines_below_the_list_show_both_features(tiny):
    lines = screen_after(tiny, "2").splitlines()
    assert lines[-4].startswith(" A:0 ")
    assert lines[-3].startswith(" B:1 ")


def test_x_lets_the_other_sae_choose(tiny):
    lines = screen_after(tiny, "2", "x").splitlines()
    assert "little/two ↔ little/one" in lines[0]
    assert "median best .700, by chance .020" in lines[-2]


def test_a_pair_filter_without_hits_says_so(tiny):
    assert "no pair contains 'zzz'" in screen_after(tiny, "2", "slash", "text:zzz", "enter")


def test_sorting_the_list_marks_the_column(tiny):
    assert "both▼" in screen_after(tiny, "2", "s").splitlines()[1]


def test_a_pair_shows_value_counts_margin_chance_and_that_it_is_mutual(tiny):
    shown = screen_after(tiny, "2", "enter")
    assert "activation r .900   fire: both 25   A:0 40   B:1 30   mutual best" in shown
    assert "margin to 2nd .600   median best .750   by chance .010" in shown
    assert "measured on 100 tokens of words" in shown


def test_the_cosine_of_decoders_of_different_hooks_is_not_shown(tiny):
    shown = screen_after(tiny, "2", "enter")
    assert "decoder cos –" in shown
    assert "the two SAEs have different inputs" in shown


def test_n_and_its_shift_walk_through_the_list(tiny):
    assert "A:1 ↔ B:0" in screen_after(tiny, "2", "enter", "n").splitlines()[0]
    assert "A:0 ↔ B:1" in screen_after(tiny, "2", "enter", "n", "N").splitlines()[0]


def test_brackets_show_another_candidate_and_x_swaps_the_sides(tiny):
    shown = screen_after(tiny, "2", "enter", "right_square_bracket")
    assert "A:0 ↔ B:3" in shown.splitlines()[0]
    assert "rank 2 from A, 1 from B" in shown
    swapped = screen_after(tiny, "2", "enter", "x")
    assert "B:1 ↔ A:0" in swapped.splitlines()[0]
    assert "median best .700   by chance .020" in swapped


def test_contexts_at_the_same_place_of_the_corpus_are_marked_on_both_sides(tiny):
    shown = screen_after(tiny, start=parse_reference("A:0=B:0"))
    assert shown.count("● in both: 2") == 2
    assert sum(line.count("● 2.00") for line in shown.splitlines()) == 2


def test_a_narrow_screen_stacks_the_two_features(tiny):
    lines = screen_after(tiny, "2", "enter", size=(80, 24)).splitlines()
    assert "activation r .900" in lines[1]
    heads = [number for number, line in enumerate(lines) if "little/one" in line or "little/two" in line]
    assert len(heads) == 2


def test_p_opens_the_best_partner_of_a_feature_and_esc_comes_back(tiny):
    async def script(app, pilot):
        await press(app, pilot, "p")
        assert "A:0 ↔ B:1" in dump(app).splitlines()[0]
        await press(app, pilot, "escape")
        assert "2 SAEs › features" in dump(app).splitlines()[0]

    drive(FeatlasApp(tiny), script)


def test_y_copies_the_pair(tiny):
    async def script(app, pilot):
        await press(app, pilot, "2", "enter", "y")
        assert app.clipboard == "little/one:0=little/two:1"

    drive(FeatlasApp(tiny), script)


def test_a_reference_on_the_command_line_opens_the_feature_or_the_pair(tiny):
    assert "features › B:2" in screen_after(tiny, start=parse_reference("two:2")).splitlines()[0]
    assert "A:3 ↔ B:1" in screen_after(tiny, start=parse_reference("A:3=B:1")).splitlines()[0]


def test_a_reference_to_nothing_shows_the_table_and_says_what_is_wrong(tiny):
    assert "no SAE named 'Z'" in screen_after(tiny, start=parse_reference("Z:1"))
    assert "little/one has no feature 9" in screen_after(tiny, start=parse_reference("A:9"))


def test_the_dropped_pairs_are_counted_by_reason_in_the_status_line(tiny):
    status = screen_after(tiny, "2", "d").splitlines()[-2]
    assert "dropped: 1 non-concept · 1 no shared token" in status


def test_thresholds_in_the_filter_line_drop_pairs_and_say_so(tiny):
    shown = screen_after(tiny, "2", "slash", "text:value>=0.85", "enter", "d")
    assert "3 of 4 dropped" in shown
    assert "value" in shown.splitlines()[2]


def test_a_threshold_that_is_none_says_which_there_are(tiny):
    shown = screen_after(tiny, "2", "slash", "text:valu>=1", "enter")
    assert "no threshold valu>=" in shown
    assert "there are value>=, " in shown
    assert "density>=, density<=, joint>=, top:" in shown


def test_b_goes_through_the_stored_measures_and_the_pair_opens_by_that_measure(full):
    shown = screen_after(full, "2", "b", "d", "d")
    assert "best by logit" in shown.splitlines()[0]
    assert "logit▼" in shown.splitlines()[1]
    assert shown.splitlines()[2].split()[:4] == ["▸", "0", "2", ".950"]
    opened = screen_after(full, "2", "b", "d", "d", "enter")
    assert "logit .950   A:0 40   B:2 20   mutual best" in opened
    assert "candidates for A:0 in B by logit" in opened


def test_r_goes_through_the_rules_and_a_matching_that_is_missing_names_its_command(tiny, full):
    assert "mutual by activation" in screen_after(tiny, "2", "r").splitlines()[0]
    assert "one-to-one by activation" in screen_after(tiny, "2", "r", "r").splitlines()[0]
    with_matching = screen_after(full, "2", "r", "r", "r", "r")
    assert "assignment by activation" in with_matching.splitlines()[0]
    assert "2 of 4 kept" in with_matching.splitlines()[-2]


def test_a_matching_that_was_not_made_names_its_command(tiny):
    shown = screen_after(tiny, "2", "r", "r", "r", "r", "r")
    assert "no greedy" in shown
    assert "featlas match A B --method greedy" in shown


def test_an_atlas_without_pairs_says_how_to_get_them(tiny):
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows("delete from pair")
        atlas.rows("delete from pairing")
    assert "featlas correlate A B" in screen_after(tiny, "2")


def test_what_is_shown_is_printed_by_the_command_of_the_list(tiny, capsys):
    found = []

    async def script(app, pilot):
        await press(app, pilot, "2", "slash", "text:value>=0.5", "enter", "d")
        found.extend([app.desk.stage.front.command(), app.desk.stage.front.table.n_rows])
        await press(app, pilot, "d")
        assert app.desk.stage.front.command() is None

    drive(FeatlasApp(tiny), script)
    assert run(["--db", str(tiny), *found[0], "--format", "csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + found[1]


def test_a_list_and_a_pair_can_be_stood_at_again(full):
    async def script(app, pilot):
        await press(app, pilot, "2", "d", "b")
        place = app.desk.stage.front.place()
        await press(app, pilot, "b", "x")
        app.desk.stage.front.return_to(place)
        await settle(app, pilot)
        assert app.desk.stage.front.place() == place
        assert "best by logit" in dump(app).splitlines()[0]

    drive(FeatlasApp(full), script)


def test_p_finds_the_partner_on_the_other_cut_of_the_text(tiny):
    with open_atlas(tiny, write=True) as atlas:
        atlas.con.execute(
            "insert into corpus select * replace (2 as corpus_id, 'cut' as name, 'c2' as sha256) from corpus"
        )
        atlas.con.execute("update scan set corpus_id = 2 where sae_id = 2")
        atlas.con.execute("update pairing set corpus_b = 2")
    assert "A:0 ↔ B:1" in screen_after(tiny, "p").splitlines()[0]
