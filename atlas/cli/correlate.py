"""`featlas correlate`: the best partners between the features of two SAEs."""

from __future__ import annotations

import click

from atlas.cli._group import Session
from atlas.cli._params import Whole
from atlas.cli._text import visible

ALIASES = {"coactivation": "phi"}
_LABELS = {"activation": "best r"}


@click.command()
@click.argument("a")
@click.argument("b")
@click.option(
    "--measure",
    default="activation",
    show_default=True,
    metavar="MEASURE",
    help="What is compared: activation, phi (coactivation), jaccard, lift, masked_cosine, attribution, preactivation, "
    "decoder, encoder or logit.",
)
@click.option("--corpus", help="Corpus on which both were measured; needed only if there are several.")
@click.option("--top-k", type=click.IntRange(2, 1000), default=10, show_default=True, help="Partners kept per feature.")
@click.option("--seed", type=Whole(), default=0, show_default=True, help="Of the shift that gives the chance level.")
@click.pass_obj
def correlate(session: Session, a: str, b: str, measure: str, corpus: str | None, top_k: int, seed: int) -> None:
    """Compare every feature of SAE A with every feature of SAE B: by default, correlate them over all tokens.

    Exact, silent tokens included, both directions in one pass. The best partners of every feature are stored; see the
    views pairs, best_matches, mutual_matches and one_to_one_matches. The chance level is the same search with the
    tokens of B shifted; for cosines, and what is computed from weights, the best of as many random vectors.

    \b
    Example:
      featlas --db demo.duckdb correlate A B
      featlas --db demo.duckdb correlate A B --measure decoder
    """
    from atlas.cli._progress import progress
    from atlas.pairing.job import pair_saes

    with progress(f"correlating {a} with {b}", "features", quiet=session.quiet) as report:
        found = pair_saes(
            session.db,
            a,
            b,
            measure=ALIASES.get(measure, measure),
            corpus=corpus,
            top_k=top_k,
            seed=seed,
            wait=session.wait,
            on_progress=report,
        )
    if not found.new:
        session.note("already in this atlas: nothing to do")
    sae_a, sae_b = visible(found.sae_a), visible(found.sae_b)
    click.echo(f"{sae_a} × {sae_b}  on {visible(found.corpus)} ({found.n_tokens:,} tokens)")
    click.echo(f"  alive         {found.n_alive_a:,} and {found.n_alive_b:,} features")
    click.echo(f"  mutual best   {found.n_mutual:,} pairs")
    label = _LABELS.get(found.measure, found.measure)
    best = f"median {found.median_best:.3f} over {sae_a}, {found.median_best_ba:.3f} over {sae_b}"
    click.echo(f"  {label:13} {best}")
    against = "for the best of as many random vectors"
    if found.chance_shift is not None:
        against = f"with the tokens of {sae_b} shifted by {found.chance_shift:,}"
    click.echo(f"  chance        median {found.chance:.3f} and {found.chance_ba:.3f} {against}")
    where = ("--corpus", found.corpus) if corpus else ()
    pairs, metric = session.command("pairs", a, b, *where), session.command("metric", "svcca", a, b, *where)
    session.note(f"next:  {pairs}    {metric}")
