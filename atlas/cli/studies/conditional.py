"""`featlas study conditional`."""

from __future__ import annotations

import click

from atlas.cli.kit.study import figure_command, study_command

_HELP = """Activations of features split by the evidence for a property of the text.

The property is a list of tokens, a pattern, a Unicode script or a concept of the atlas; several together mean any of
them. The evidence at a token is the log-likelihood ratio of the best run of tokens that ends there, against the
unigrams of the corpus. Table bins holds the histogram and its version weighted by activation, levels the sensitivity.

\b
Examples:
  featlas --db demo.duckdb study conditional A --concept Calendar --figure calendar.png
  featlas --db demo.duckdb study conditional A --regex '[0-9]+' --feature 12 --feature 40 --table levels
  featlas --db arabic.duckdb study conditional --script Arabic --edge 0 --edge 5 --edge 10
"""
_OPTIONS = (
    click.option("--token", metavar="TEXT", multiple=True, help="Text of a token; repeatable."),
    click.option("--regex", metavar="REGEX", help="Tokens that share a character with what this finds."),
    click.option("--script", metavar="NAME", help="Tokens with a character of a Unicode script."),
    click.option("--concept", metavar="NAME", help="Tokens of the keywords of a concept, as whole words."),
    click.option("--feature", type=int, multiple=True, help="Feature; repeatable.  [default: the three largest r]"),
    click.option(
        "--edge",
        type=float,
        multiple=True,
        help="Edge between bands, nats; repeatable.  [default: 0, half a certain token, one]",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Of the moves of the chance level."),
)
STUDY = study_command("conditional", *_OPTIONS, help=_HELP)
FIGURE = figure_command("conditional", *_OPTIONS)
