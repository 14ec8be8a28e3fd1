"""`featlas study seeds`."""

from __future__ import annotations

import click

from atlas.cli.kit.params import Finite
from atlas.cli.kit.study import figure_command, study_command

_HELP = """How much of what one SAE found other SAEs of its model and hook find too.

For SAEs that differ in seed, dataset, width or architecture: decoder and encoder cosines of the best to the fourth
partner, the share of features with a counterpart by each rule and threshold (see featlas orphans), orphans against the
number of SAEs and against density, and agreement of activations beside agreement of weights. Every number comes with
that of random vectors or shifted tokens. What is missing is computed and stored first.

\b
Examples:
  featlas --db demo.duckdb study seeds 'tinyA_L1_*'
  featlas --db demo.duckdb study seeds B C --table sweep --format csv
  featlas --db demo.duckdb study seeds 'tinyA_L1_*' --figure seeds.png
"""
_OPTIONS = (
    click.option("--threshold", type=Finite(), default=0.7, show_default=True, help="Least value of a counterpart."),
    click.option(
        "--models", is_flag=True, help="Also hold SAEs of different models against each other: activations, geometry."
    ),
)
STUDY = study_command("seeds", *_OPTIONS, help=_HELP)
FIGURE = figure_command("seeds", *_OPTIONS)
