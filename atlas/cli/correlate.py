"""`featlas correlate`: the best partners between the features of two SAEs."""

from __future__ import annotations

import click

from atlas.cli._group import Session


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--corpus", help="Corpus on which both were measured; needed only if there are several.")
@click.option("--top-k", type=click.IntRange(2, 1000), default=10, show_default=True, help="Partners kept per feature.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the shift that gives the chance level.")
@click.pass_obj
def correlate(session: Session, a: str, b: str, corpus: str | None, top_k: int, seed: int) -> None:
    """Correlate every feature of SAE A with every feature of SAE B over all tokens, silent ones included.

    Exact Pearson correlation, both directions in one pass. The best partners of every feature are stored; see the
    views pairs, best_matches, mutual_matches and one_to_one_matches. The chance level is the same search with the
    tokens of B shifted.

    \b
    Example:
      featlas --db demo.duckdb correlate A B
    """
    from atlas.cli._progress import progress
    from atlas.pairing.job import pair_saes

    with progress(f"correlating {a} with {b}", "features", quiet=session.quiet) as report:
        found = pair_saes(
            session.db, a, b, corpus=corpus, top_k=top_k, seed=seed, wait=session.wait, on_progress=report
        )
    if not found.new:
        session.note("already in this atlas: nothing to do")
    click.echo(f"{found.sae_a} × {found.sae_b}  on {found.corpus} ({found.n_tokens:,} tokens)")
    click.echo(f"  alive         {found.n_alive_a:,} and {found.n_alive_b:,} features")
    click.echo(f"  mutual best   {found.n_mutual:,} pairs")
    click.echo(f"  best r        median {found.median_best:.3f} over live features of {found.sae_a}")
    click.echo(
        f"  chance        median {found.chance:.3f} with the tokens of {found.sae_b} shifted by {found.chance_shift:,}"
    )
    session.note(f"next:  featlas --db {session.db} pairs {a} {b}    featlas --db {session.db} metric svcca {a} {b}")
