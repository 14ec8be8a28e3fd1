"""What the browser does before its first rows: as little as it can."""

from __future__ import annotations

import subprocess
import sys

from tests.tui_pilot import drive, dump, press
from tui.app import FeatlasApp
from tui.view import View


def test_the_program_loads_no_library_of_data_before_it_paints():
    heavy = "duckdb", "numpy", "polars", "pyarrow", "scipy", "importlib.metadata", "tui.pairs", "tui.console"
    code = f"import sys, tui.app; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_a_view_is_made_when_it_is_looked_at(tiny):
    async def script(app, pilot):
        assert [view.id for view in app.query(View)] == ["browse"]
        await pilot.press("2", "1", "2", "o")
        await press(app, pilot, "down")
        assert "› SAEs" in dump(app).splitlines()[0]
        assert {view.id for view in app.query(View)} == {"browse", "pairs", "overview"}
        await press(app, pilot, "escape", "escape")
        assert app.front.id == "browse"

    drive(FeatlasApp(tiny), script)
