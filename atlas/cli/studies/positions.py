"""`featlas study positions`."""

from __future__ import annotations

import click

from atlas.cli.kit.study import figure_command, study_command

_HELP = """Where in a context features fire, and which of them depend on the place.

Cramér's V of place and firing and eta squared of the activation, for every feature, each beside its chance level; the
first places, where many features are unlike elsewhere, apart from the rest. Table macro position_dependence(…) has the
numbers of every feature.

\b
Examples:
  featlas --db demo.duckdb study positions
  featlas --db demo.duckdb study positions A --table features --format csv
  featlas --db demo.duckdb study positions A M --first 4 --figure positions.png
"""
_OPTIONS = (
    click.option(
        "--first",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Measured places from the start of a context on that are told apart.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Of the random places of the chance level."),
)
STUDY = study_command("positions", *_OPTIONS, help=_HELP)
FIGURE = figure_command("positions", *_OPTIONS)
