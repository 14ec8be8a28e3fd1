"""`featlas status`: what an atlas holds and what to do next."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import click

from atlas.cli._group import Session

if TYPE_CHECKING:
    from atlas.db import Atlas


@click.command()
@click.pass_obj
def status(session: Session) -> None:
    """Say what this atlas holds, what is missing and what to type next.

    \b
    Example:
      featlas --db demo.duckdb status
    """
    from atlas.db import store_of

    with session.read() as atlas:
        lines = _lines(atlas)
        next_step = _next_step(atlas)
    store = store_of(session.db)
    kept = sum(file.stat().st_size for file in store.rglob("*") if file.is_file()) if store.is_dir() else 0
    click.echo(f"{session.db}  {session.db.stat().st_size / 1e6:,.1f} MB · activations {kept / 1e6:,.1f} MB")
    for title, text in lines:
        click.echo(f"  {title:<10} {text}")
    session.note(f"next:  featlas --db {session.db} {next_step}")


def _lines(atlas: Atlas) -> list[tuple[str, str]]:
    """Title and text of each line."""
    models = atlas.fetch("list_models").dicts()
    corpora = atlas.fetch("list_corpora").dicts()
    saes = atlas.fetch("list_saes").dicts()
    alive = sum(s["n_alive"] or 0 for s in saes)
    dead = sum(s["n_dead"] or 0 for s in saes)
    pairings = atlas.fetch("list_pairings").dicts()
    return [
        (
            "models",
            " · ".join(f"{m['model']} ({m['n_layers']} layers, d_model {m['d_model']})" for m in models) or "none",
        ),
        ("corpora", " · ".join(f"{c['corpus']} ({c['n_tokens']:,} tokens)" for c in corpora) or "none"),
        ("saes", " · ".join(f"{s['alias']} {s['sae']} ({s['d_sae']:,})" for s in saes) or "none"),
        ("features", f"{alive + dead:,}: {alive:,} alive, {dead:,} dead"),
        ("pairs", " · ".join(f"{p['alias_a']}×{p['alias_b']} ({p['n_pairs']:,})" for p in pairings) or "none"),
        ("scores", f"{len(atlas.fetch('list_scores')):,}"),
    ]


def _next_step(atlas: Atlas) -> str:
    """The command that adds what is missing first."""
    saes = atlas.fetch("list_saes").dicts()
    if not saes:
        return "ingest --help"
    done = {frozenset((p["alias_a"], p["alias_b"])) for p in atlas.fetch("list_pairings").dicts()}
    comparable = [(x["alias"], y["alias"]) for x, y in combinations(saes, 2) if x["corpus"] == y["corpus"]]
    for a, b in comparable:
        if frozenset((a, b)) not in done:
            return f"correlate {a} {b}"
    return (
        "tui"
        if atlas.fetch("list_scores").rows or not comparable
        else f"metric svcca {comparable[0][0]} {comparable[0][1]}"
    )
