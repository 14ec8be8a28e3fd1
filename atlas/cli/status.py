"""`featlas status`: what an atlas holds and what to do next."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import click

from atlas.cli.kit.group import Session
from atlas.cli.kit.text import visible

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
        lines = holdings(atlas)
        next_step = _next_step(atlas)
    store = store_of(session.db)
    kept = sum(file.stat().st_size for file in store.rglob("*") if file.is_file()) if store.is_dir() else 0
    click.echo(
        f"{visible(str(session.db))}  {session.db.stat().st_size / 1e6:,.1f} MB · activations {kept / 1e6:,.1f} MB"
    )
    for title, text in lines:
        click.echo(f"  {title:<10} {visible(text)}")
    session.note(f"next:  {session.command(*next_step)}")


def holdings(atlas: Atlas) -> list[tuple[str, str]]:
    """What an atlas holds: title and text of each line."""
    models = atlas.fetch("catalog/list_models").dicts()
    corpora = atlas.fetch("catalog/list_corpora").dicts()
    saes = atlas.fetch("catalog/list_saes").dicts()
    alive = sum(s["n_alive"] or 0 for s in saes)
    dead = sum(s["n_dead"] or 0 for s in saes)
    return [
        (
            "models",
            " · ".join(f"{m['model']} ({m['n_layers']} layers, d_model {m['d_model']})" for m in models) or "none",
        ),
        ("corpora", " · ".join(f"{c['corpus']} ({c['n_tokens']:,} tokens)" for c in corpora) or "none"),
        ("saes", " · ".join(f"{s['alias']} {s['sae']} ({s['d_sae']:,})" for s in saes) or "none"),
        ("features", f"{alive + dead:,}: {alive:,} alive, {dead:,} dead"),
        ("pairs", _pairings(atlas) or "none"),
        ("scores", f"{len(atlas.fetch('catalog/list_scores')):,}"),
    ]


def _pairings(atlas: Atlas) -> str:
    """Which SAEs were compared, by which measures; on which corpora, if on several."""
    pairings = atlas.fetch("comparisons/list_pairings").dicts()
    several = len({p[side] for p in pairings for side in ("corpus", "corpus_b")}) > 1
    of_saes: dict[str, list[str]] = {}
    for p in pairings:
        corpora = dict.fromkeys((p["corpus"], p["corpus_b"]))
        where = f" on {' and '.join(corpora)}" if several else ""
        measured = of_saes.setdefault(f"{p['alias_a']}×{p['alias_b']}", [])
        measured.append(f"{p['measure']} ({p['n_pairs']:,}){where}")
    return " · ".join(f"{saes} {', '.join(measured)}" for saes, measured in of_saes.items())


def _next_step(atlas: Atlas) -> list[str]:
    """The command that adds what is missing first."""
    measured_on: dict[str, list[str]] = {s["sae"]: [] for s in atlas.fetch("catalog/list_saes").dicts()}
    for scan in atlas.fetch("catalog/list_scans").dicts():
        measured_on[scan["sae"]].append(scan["corpus"])
    if not measured_on:
        return ["ingest", "--help"]
    shared = {
        frozenset((a, b)): [corpus for corpus in measured_on[a] if corpus in measured_on[b]]
        for a, b in combinations(measured_on, 2)
    }
    alias = {s["sae"]: s["alias"] for s in atlas.fetch("catalog/list_saes").dicts()}
    pairings = atlas.fetch("comparisons/list_pairings").dicts()
    done = {frozenset((p["sae_a"], p["sae_b"])) for p in pairings}
    for a, b in combinations(measured_on, 2):
        corpora = shared[frozenset((a, b))]
        if corpora and frozenset((a, b)) not in done:
            return ["correlate", alias[a], alias[b], *_corpus(corpora, corpora[-1])]
    if not pairings or atlas.fetch("catalog/list_scores").rows:
        return ["tui"]
    first = pairings[0]
    corpora = shared.get(frozenset((first["sae_a"], first["sae_b"])), [])
    return ["metric", "svcca", first["alias_a"], first["alias_b"], *_corpus(corpora, first["corpus"])]


def _corpus(corpora: list[str], chosen: str) -> list[str]:
    return ["--corpus", chosen] if len(corpora) > 1 else []
