"""`featlas study families`."""

from __future__ import annotations

import click

from atlas.cli.kit.params import Finite, Whole
from atlas.cli.kit.study import figure_command, study_command

_HELP = """Families of features: trees of what fires together, and features that split in a wider SAE.

Trees are those of featlas families; the ones that the atlas does not hold yet are found and stored. Splitting needs
featlas correlate NARROW WIDE --measure masked_cosine before, for SAEs of one model and hook; macro feature_splits has
the children of every feature.

\b
Examples:
  featlas --db demo.duckdb study families A B
  featlas --db demo.duckdb study families B --table trees --limit 40
  featlas --db demo.duckdb study families A B --figure families.png
"""
_OPTIONS = (
    click.option(
        "--threshold", type=Finite(share=True), default=0.1, show_default=True, help="Least co-occurrence in a tree."
    ),
    click.option(
        "--min-value", type=Finite(share=True), default=0.5, show_default=True, help="Least masked cosine of a child."
    ),
    click.option("--seed", type=Whole(), default=0, show_default=True, help="Of the shifts of the chance level."),
)
STUDY = study_command("families", *_OPTIONS, help=_HELP)
FIGURE = figure_command("families", *_OPTIONS)
