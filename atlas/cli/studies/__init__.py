"""`featlas study` and `featlas figure`: one module a study."""

from __future__ import annotations

import click

from atlas.cli.kit.group import LazyGroup

STUDIES = {
    "distribution": "How densely and how strongly features fire, and the shapes of their distributions.",
    "positions": "Which features depend on the place in the context, and how much the first place is unlike the rest.",
    "geometry": "Whether features that fire together, or lead to the same tokens, point the same way.",
    "pooling": "Whether correlation with a label of the document grows with the tokens pooled, and why.",
    "description-length": "Bits a token takes, at what distortion, and the size at which the total is least.",
    "conditional": "Activations of a feature split by the evidence for a property of the text.",
    "families": "Trees of features that fire together, and features that split in a wider SAE.",
    "seeds": "How much of what one SAE found others find too, that differ in seed, dataset, width or architecture.",
    "ablation": "What the model says of the next tokens when a feature is taken out.",
}
"""One line of help for each study; `atlas.cli.studies.<name>` holds its commands, or what `_ELSEWHERE` says."""

_ELSEWHERE = {"ablation": "ingest.cli.ablation"}
"""Modules of the studies that need a model."""


def _at(attribute: str) -> dict[str, tuple[str, str]]:
    modules = {name: _ELSEWHERE.get(name, f"atlas.cli.studies.{name.replace('-', '_')}") for name in STUDIES}
    return {name: (f"{modules[name]}:{attribute}", line) for name, line in STUDIES.items()}


@click.group(cls=LazyGroup, commands_at=_at("STUDY"))
def study() -> None:
    """Ask what the field asks of one SAE, of two, or of a family: every study prints its sample and its chance level.

    SAEs are named by name, alias, pattern, or the folder that they came from; none means all.

    \b
    Examples:
      featlas --db demo.duckdb study distribution
      featlas --db demo.duckdb study distribution 'tinyA_*' --figure distribution.png
    """


@click.group(cls=LazyGroup, commands_at=_at("FIGURE"))
def figure() -> None:
    """Draw a study.

    \b
    Example:
      featlas --db demo.duckdb figure distribution A B -o distribution.svg
    """
