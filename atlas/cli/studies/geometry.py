"""`featlas study geometry`."""

from __future__ import annotations

import click

from atlas.cli.kit.study import figure_command, study_command

_HELP = """Cosine of the features of one SAE against how they co-occur and how alike the tokens are that follow them.

Co-occurrence is the Pearson correlation of encoder outputs before the activation function (from the covariance of what
the SAE reads), of activations, or phi. Output similarity is 1 - JSD of activation-weighted distributions of the next
token of the text, or the correlation of logit weights. A 2 x 2 table has the mean cosine in each corner, with counts
and intervals from a bootstrap over features. Of several SAEs the first is compared with each of the others: whether
logit weights and attributions of matched features go with their activations.

\b
Examples:
  featlas --db demo.duckdb study geometry A
  featlas --db demo.duckdb study geometry A I --quantile 0.9 --table corners --format csv
  featlas --db demo.duckdb study geometry A I --figure geometry.png
"""
_OPTIONS = (
    click.option(
        "--features", type=click.IntRange(2), default=2000, show_default=True, help="Most features of an SAE to sample."
    ),
    click.option("--pairs", type=click.IntRange(1), default=50_000, show_default=True, help="Most pairs of these."),
    click.option(
        "--quantile",
        type=click.FloatRange(0.5, 1, max_open=True),
        default=0.5,
        show_default=True,
        help="High is above it, low at most the opposite one.",
    ),
    click.option("--draws", type=click.IntRange(2), default=200, show_default=True, help="Of the bootstrap."),
    click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of samples and draws."),
)
STUDY = study_command("geometry", *_OPTIONS, help=_HELP)
FIGURE = figure_command("geometry", *_OPTIONS)
