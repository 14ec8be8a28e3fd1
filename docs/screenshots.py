"""Makes the pictures of the browser in the documentation: every screen at 120x36 and 80x24, as PNG."""

from __future__ import annotations

import argparse
import asyncio
import re
import shutil
import subprocess
from pathlib import Path

from tui.app.app import FeatlasApp

SIZES = ((120, 36), (80, 24))
FONT = "DejaVu Sans Mono"

MOVE = "move"
"""Stands for some rows downwards."""

QUERY = "select sae, count(*) as n, median(density) as density from features group by all order by density desc"
"""What the SQL console is asked."""

SCREENS: dict[str, tuple[str, ...]] = {
    "overview": ("o",),
    "browse": ("a", MOVE),
    "feature": ("a", MOVE, "enter"),
    "pairs": ("2", MOVE),
    "pairs_all": ("2", "d", "d"),
    "pair": ("2", MOVE, "enter"),
    "matrix": ("3",),
    "sql": ("4", "f7", QUERY, "f5"),
    "concepts": ("5", MOVE),
    "scores": ("6",),
    "orphans": ("7", MOVE),
    "help": ("question_mark",),
}
"""Keys that lead to each screen."""


async def picture(db: Path, size: tuple[int, int], keys: tuple[str, ...], moves: int) -> str:
    """SVG of one screen."""
    app = FeatlasApp(db, colour=True)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        for key in keys:
            await pilot.press(*(["j"] * moves if key == MOVE else [*key] if key == QUERY else [key]))
            await settle(app, pilot)
        return app.export_screenshot(title="featlas")


async def settle(app: FeatlasApp, pilot) -> None:
    """Wait until nothing is being read and the debounce is over."""
    for _ in range(4):
        await pilot.pause(0.06)
        await app.workers.wait_for_complete()
        await pilot.pause()


def to_png(svg: str, path: Path) -> None:
    """Draw an SVG of Textual with a font of this machine instead of one from the web."""
    import cairosvg

    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family:\s*[^;]*;", f"font-family: {FONT};", svg)
    cairosvg.svg2png(bytestring=svg.encode(), write_to=str(path))


def font_is_missing() -> bool:
    """Whether the pictures would be drawn in some other font."""
    lister = shutil.which("fc-list")
    return (
        lister is not None and FONT not in subprocess.run([lister], capture_output=True, text=True, check=True).stdout
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("docs/screens"))
    parser.add_argument("--moves", type=int, default=3, help="Rows to move down before the picture.")
    parser.add_argument("--only", choices=list(SCREENS), help="One screen.")
    options = parser.parse_args()
    if font_is_missing():
        raise SystemExit(f"the font {FONT} is not installed: apt-get install fonts-dejavu")
    options.out.mkdir(parents=True, exist_ok=True)
    for name, keys in SCREENS.items():
        if options.only not in (None, name):
            continue
        for columns, rows in SIZES:
            svg = asyncio.run(picture(options.db, (columns, rows), keys, options.moves))
            target = options.out / f"{name}_{columns}x{rows}.png"
            to_png(svg, target)
            print(target)


if __name__ == "__main__":
    main()
