"""`featlas study ablation`: take features out of the model and say what becomes of the next tokens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atlas.cli.kit.output import Out, output_options
from atlas.cli.kit.params import Whole
from atlas.cli.kit.study import check, draw, show

if TYPE_CHECKING:
    from atlas.studies.findings import Findings

_FEATURES = click.argument("features", nargs=-1, required=True, metavar="FEATURE...")
_CORPUS = click.option("--corpus", metavar="NAME", help="Corpus.  [default: the newest scan of the SAE]")
_CONTEXTS = click.option(
    "--contexts", type=Whole(least=1), default=10, show_default=True, help="Strongest contexts of each feature."
)
_SEED = click.option("--seed", type=Whole(), default=0, show_default=True, help="Of the random directions.")


def _options(command: Any) -> Any:
    for option in (_SEED, _CONTEXTS, _CORPUS, _FEATURES):
        command = option(command)
    return command


@click.command("ablation")
@_options
@click.option("--table", metavar="NAME", help="Which of its tables to print.  [default: the first]")
@click.option("--figure", type=click.Path(path_type=Path, dir_okay=False), help="Also draw: .png, .svg or .pdf.")
@output_options
@click.pass_obj
def STUDY(
    session: Any,
    features: tuple[str, ...],
    corpus: str | None,
    contexts: int,
    seed: int,
    table: str | None,
    figure: Path | None,
    out: Out,
) -> None:
    """What the model says of the next tokens when a feature is taken out.

    The model runs over the feature's strongest contexts, as they are, with f d taken out of the input of the SAE
    wherever the feature fires, and with a random direction in the place of d. Changes of the log probability of every
    token are stored; featlas show and view ablations have them. Needs the model and the SAE where they were at the
    ingest.

    \b
    Examples:
      featlas --db demo.duckdb study ablation B:12 B:40
      featlas --db demo.duckdb study ablation B:12 --table tokens --format csv
    """
    if figure is not None:
        check(figure)
    found = _measured(session, features, corpus, contexts, seed)
    show(session, found, table, out)
    if figure is not None:
        draw(session, "ablation", found, figure)


@click.command("ablation", help="Draw study ablation: featlas study ablation --help says what it measures.")
@_options
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), default=Path("ablation.png"))
@click.pass_obj
def FIGURE(session: Any, features: tuple[str, ...], corpus: str | None, contexts: int, seed: int, output: Path) -> None:
    """Measure and draw."""
    check(output)
    draw(session, "ablation", _measured(session, features, corpus, contexts, seed), output)


def _measured(session: Any, features: tuple[str, ...], corpus: str | None, contexts: int, seed: int) -> Findings:
    """Run the model where it has not run yet, then read."""
    from atlas.cli.kit.progress import progress
    from atlas.errors import UsageError
    from atlas.references import FeatureRef, parse_reference
    from atlas.studies.ablation import measure
    from ingest.ablation import ablate

    wanted = []
    for text in features:
        reference = parse_reference(text)
        if not isinstance(reference, FeatureRef):
            raise UsageError(f"{text} is a pair", hint="name features one by one")
        wanted.append(reference)
    asked: dict[str, Any] = {"corpus": corpus, "contexts": contexts, "wait": session.wait}
    with progress("taking features out", "features", quiet=session.quiet) as report:
        ablate(session.db, wanted, seed=seed, on_progress=report, **asked)
    return measure(session.db, wanted, **asked)
