"""`featlas study pooling`."""

from __future__ import annotations

import click

from atlas.cli.kit.study import figure_command, study_command

_HELP = """Whether pooled activations correlate more with a label of the document when more tokens are pooled, and why.

Max pooling grows with the length of a document, whatever a feature means. Where length goes with the label, so does the
pooled activation. The correlation is shown for max and mean pooling at several truncations, with the length held fixed,
with a bootstrap over documents, and beside the best of as many features when labels are dealt out at random.

The label is that of the corpus (ingest --label-field), or 1 where --matching finds a text. View pooled_correlations has
the numbers of every feature for the label of the corpus.

\b
Examples:
  featlas --db demo.duckdb study pooling A --matching 'feast|journey'
  featlas --db demo.duckdb study pooling A --feature 7 --max-tokens 20 --max-tokens 40 --figure pooling.png
"""
_OPTIONS = (
    click.option("--matching", metavar="REGEX", help="Label documents by whether this is found in them."),
    click.option(
        "--max-tokens",
        type=click.IntRange(min=1),
        multiple=True,
        help="Pool so many leading tokens; repeatable.  [default: 16, 32, … up to the longest]",
    ),
    click.option(
        "--feature", type=int, multiple=True, help="Give this one a band; repeatable.  [default: the three largest r]"
    ),
    click.option("--draws", type=click.IntRange(min=2), default=200, show_default=True, help="Of the bootstrap."),
    click.option("--seed", type=int, default=0, show_default=True, help="Of the draws."),
)
STUDY = study_command("pooling", *_OPTIONS, help=_HELP)
FIGURE = figure_command("pooling", *_OPTIONS)
