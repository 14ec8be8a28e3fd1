"""`featlas ingest labels`: the features of an SAE get the labels that a file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--sae", required=True, metavar="SAE", help="Name or alias of the SAE that the labels are about.")
@click.option("--source", metavar="NAME", help="Who made them.  [default: as the rows say, else the file's name]")
@click.option("--replace", is_flag=True, help="Take away what the same source has called the features before.")
@click.pass_obj
def labels(session: Any, file: Path, sae: str, source: str | None, replace: bool) -> None:
    """Give the features of an SAE the labels in FILE.

    FILE is a .csv or .tsv with a column feature, feature_id or index and a column label, description or explanation; a
    .jsonl or .json with these keys; one of them as .gz; or a folder of explanations of Neuronpedia or delphi. Other
    labels from the same source are refused without --replace; labels of other sources stay beside these.

    \b
    Example:
      featlas --db mine.duckdb ingest labels explanations.csv --sae A
      featlas --db mine.duckdb ingest labels ./5-res-jb/explanations --sae A --source neuronpedia
    """
    from atlas.cli.kit.output import visible
    from ingest.writing.labels import add_labels

    def note(text: str) -> None:
        session.note(visible(text))

    found = add_labels(file, sae=sae, db=session.db, source=source, replace=replace, wait=session.wait, on_note=note)
    of = f"from {', '.join(found.sources)}"
    click.echo(f"{found.alias}  {visible(found.sae)}")
    if found.n_written:
        click.echo(visible(f"   {found.n_features:,} features got a label, {of}"))
    else:
        click.echo(visible(f"   nothing to do: {found.n_features:,} features have these labels already, {of}"))
    feature, text = found.example
    click.echo(visible(f"   for example {found.alias}:{feature}  {text}"))
    note(f"next:  {session.command('show', f'{found.alias}:{feature}')}")
