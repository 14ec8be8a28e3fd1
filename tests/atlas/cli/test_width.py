"""Tables fit the width that is asked for: text is cut, then columns go, and that is said."""

from __future__ import annotations

import pytest

from atlas.cli import run
from atlas.cli.kit.text import fitted_table
from atlas.render.columns import fitted_widths


def test_a_piped_table_is_whole(tiny, capsys):
    assert run(["--db", str(tiny), "ls", "saes"]) == 0
    said = capsys.readouterr()
    assert "blocks.0.hook_resid_post" in said.out
    assert "no room" not in said.err


@pytest.mark.parametrize("command", [("ls", "saes"), ("ls", "features"), ("ls", "scans"), ("pairs", "A", "B")])
def test_a_table_fits_the_width_and_what_is_left_out_is_named(tiny, capsys, command):
    assert run(["--db", str(tiny), *command, "--width", "60"]) == 0
    said = capsys.readouterr()
    assert max(map(len, said.out.splitlines())) <= 60
    assert "no room for: " in said.err


def test_text_is_cut_before_a_column_goes():
    text, left_out = fitted_table(("name", "value"), [("x" * 60, 1.5)], 40)
    assert left_out == []
    assert "…" in text
    assert text.splitlines()[1].endswith("1.5")


def test_numbers_are_never_cut_and_the_least_important_column_goes_first():
    shown, widths = fitted_widths(("alias", "corpus", "value"), (5, 30, 12), (False, False, True), 21)
    assert shown == [0, 2]
    assert widths[2] == 12


def test_wide_letters_are_measured_in_cells():
    text, _ = fitted_table(("name", "n"), [("漢字" * 20, 1), ("a", 2)], 30)
    assert text.splitlines()[2].rindex("2") + 1 == 30
