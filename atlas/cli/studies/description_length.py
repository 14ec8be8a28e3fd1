"""`featlas study description-length`."""

from __future__ import annotations

import click

from atlas.cli.kit.params import Finite, Whole
from atlas.cli.kit.study import figure_command, study_command

_HELP = """How many bits a token takes in the code of an SAE, and where over a sweep of sizes the total is least.

Bits that say which features fire and how strongly, with magnitudes rounded to bins, against the variance that is left
unexplained; total information of codes and dictionary (a histogram of 100 bins over all entries of each); MMCS with a
reference, by default the widest SAE of the same hook. View description_lengths has the bits of every feature.

\b
Examples:
  featlas --db demo.duckdb study description-length
  featlas --db demo.duckdb study description-length 'tinyA_L1_*' --table curve --format csv
  featlas --db demo.duckdb study description-length A B --figure bits.png
"""
_OPTIONS = (
    click.option(
        "--added-fvu",
        type=Finite(share=True),
        default=0.01,
        show_default=True,
        help="Share of the variance that rounding magnitudes may cost; the coarsest bins below it are chosen.",
    ),
    click.option(
        "--tokens",
        type=Whole(least=1),
        default=200_000,
        show_default=True,
        help="Most tokens to read, from the first on.",
    ),
    click.option("--reference", metavar="SAE", help="Compare decoders with this one.  [default: the widest]"),
)
STUDY = study_command("description-length", *_OPTIONS, help=_HELP)
FIGURE = figure_command("description-length", *_OPTIONS)
