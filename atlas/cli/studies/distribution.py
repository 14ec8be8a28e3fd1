"""`featlas study distribution`."""

from __future__ import annotations

from atlas.cli.kit.study import figure_command, study_command

_HELP = """How densely and how strongly the features of some SAEs fire.

Density of features, activations of all features together, variance against mean, mean against median over firing
tokens, density against the largest activation, and signs of a second mode at high activation. View activation_shapes
has the numbers of every feature.

\b
Examples:
  featlas --db demo.duckdb study distribution
  featlas --db demo.duckdb study distribution A 'tinyB_*' --table densities --format csv
  featlas --db demo.duckdb study distribution A --figure distribution.png
"""
STUDY = study_command("distribution", help=_HELP)
FIGURE = figure_command("distribution")
