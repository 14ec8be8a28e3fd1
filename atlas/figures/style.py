"""How every figure looks: readable at half a page, in colours that colour-blind readers tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atlas.errors import AtlasError, UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe & Ito 2008: told apart with every kind of colour vision; dashes and markers change too."""

CHANCE: dict[str, Any] = {"color": "#666666", "linestyle": "--", "linewidth": 1.0}
"""Lines at the level of chance."""

SUFFIXES = (".png", ".svg", ".pdf")
"""What a figure may be saved as."""

_STYLE = {"font.size": 8, "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False}


def panels(rows: int, columns: int, *, width: float = 7.0, height: float = 2.3) -> tuple[Figure, list[Axes]]:
    """An empty figure and its panels, row by row.

    Args:
        rows: Of panels.
        columns: Of panels.
        width: Of the figure in inches; 7 is a text width.
        height: Of one row.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(width, height * rows + 0.4), layout="constrained")
        return figure, [figure.add_subplot(rows, columns, i + 1) for i in range(rows * columns)]


def caption(figure: Figure, title: str, sample: str) -> None:
    """Title and sample above the panels."""
    from textwrap import wrap

    lines = wrap(sample, int(figure.get_figwidth() * 15))
    figure.suptitle("\n".join([title, *lines]), fontsize=8)


def chance_line(axes: Axes, at: float, label: str, *, vertical: bool = False, linestyle: str = "--") -> None:
    """A dashed line at the level of chance, named in the legend."""
    style: dict[str, Any] = {**CHANCE, "linestyle": linestyle, "label": label}
    (axes.axvline if vertical else axes.axhline)(at, **style)


def legend_below(figure: Figure, of: Axes, columns: int = 4) -> None:
    """One legend for all panels, under them, with the series of one."""
    handles, labels = of.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=min(columns, max(1, len(labels))), fontsize=6, frameon=False
    )


def colour(i: int) -> str:
    return COLOURS[i % len(COLOURS)]


def dashes(i: int) -> str:
    """The line style of series number i, another one when the colours repeat."""
    return ("-", "--", ":", "-.")[i // len(COLOURS) % 4]


def check_figure(path: Path, suffixes: Sequence[str] = SUFFIXES) -> None:
    """Say before the work is done that its picture has no place.

    Args:
        path: File that will be drawn.
        suffixes: Formats that it may have; only .html does without matplotlib.

    Raises:
        UsageError: The suffix names no format.
        AtlasError: There is no such folder, or matplotlib is missing.
    """
    if path.suffix.lower() not in suffixes:
        raise UsageError(f"{path.name} does not say its format", hint=f"end the name in {', '.join(suffixes)}")
    if not path.parent.is_dir():
        raise AtlasError(f"there is no folder {path.parent} to draw {path.name} in", hint="make it first")
    from importlib.util import find_spec

    if path.suffix.lower() != ".html" and find_spec("matplotlib") is None:
        raise AtlasError("figures need matplotlib", hint='pip install "featlas[figures]"')


def save(figure: Figure, path: Path) -> None:
    """Write the figure; equal figures give equal bytes."""
    metadata: dict[str, Any] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower(), {})
    import matplotlib as mpl

    try:
        with mpl.rc_context({"svg.hashsalt": "featlas", "svg.fonttype": "none"}):
            figure.savefig(path, dpi=200, metadata=metadata)
    except OSError as error:
        raise AtlasError(f"{path} cannot be written", why=error.strerror or str(error)) from error


def named(saes: Sequence[str], aliases: Sequence[str], most: int = 8) -> list[str]:
    """Names for a legend: alias and name, or aliases only where there are many."""
    return [f"{a} {s}" if len(saes) <= most else a for s, a in zip(saes, aliases, strict=True)]
