"""What the browser does before its first rows: as little as it can."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import tui.views.featurelist
from tests.support.tui_pilot import drive, dump, make_atlas, press
from tui.app.app import FeatlasApp
from tui.views.base.view import View


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_atlas(tmp_path_factory.mktemp("tui") / "synthetic.duckdb")


def test_the_program_loads_no_library_of_data_before_it_paints():
    heavy = "duckdb", "numpy", "polars", "pyarrow", "scipy", "importlib.metadata", "tui.views.pairs", "tui.console.view"
    code = f"import sys, tui.app.app; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_a_view_is_made_when_it_is_looked_at(tiny):
    async def script(app, pilot):
        assert [view.id for view in app.query(View)] == ["browse"]
        await pilot.press("2", "1", "2", "o")
        await press(app, pilot, "down")
        assert "› SAEs" in dump(app).splitlines()[0]
        assert {view.id for view in app.query(View)} == {"browse", "pairs", "overview"}
        await press(app, pilot, "escape", "escape")
        assert app.desk.stage.front.id == "browse"

    drive(FeatlasApp(tiny), script)


def test_a_long_list_shows_its_first_rows_and_then_all_of_them(synthetic, monkeypatch):
    monkeypatch.setattr(tui.views.featurelist, "LONG", 500)

    async def script(app, pilot):
        assert "900" in dump(app).splitlines()[-2]
        await press(app, pilot, "G")
        assert "row 900 " in dump(app).splitlines()[-2]
        assert app.desk.stage.browse.table.text()
        await press(app, pilot, "slash", "text:id<9")
        await pilot.pause(0.1)
        await press(app, pilot, "enter")
        assert "27 of 900" in dump(app)

    drive(FeatlasApp(synthetic), script)
