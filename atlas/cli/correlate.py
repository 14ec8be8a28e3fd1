"""`featlas correlate`: the best partners between the features of two SAEs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from atlas.choices import DEFAULT_MEASURE
from atlas.cli.kit.group import Session
from atlas.cli.kit.params import MeasureName, Size, Whole
from atlas.cli.kit.text import visible

if TYPE_CHECKING:
    from atlas.comparisons.summaries import PairingSummary
    from atlas.pairing.tokens.alignment import SharedSample


@click.command()
@click.argument("a")
@click.argument("b")
@click.option(
    "--measure",
    type=MeasureName(),
    default=DEFAULT_MEASURE,
    show_default=True,
    metavar="MEASURE",
    help="What is compared: activation, activation_document_max, activation_document_mean, phi (coactivation), "
    "jaccard, lift, conditional, masked_cosine, attribution, preactivation, decoder, encoder or logit.",
)
@click.option("--pool", type=click.Choice(["max", "mean"]), help="Correlate activations pooled over each document.")
@click.option("--corpus", help="Corpus on which both were measured, or A alone; needed only if there are several.")
@click.option("--corpus-b", help="Corpus on which B was measured, if another tokenization of the same text.")
@click.option("--top-k", type=click.IntRange(2, 1000), default=10, show_default=True, help="Partners kept per feature.")
@click.option("--seed", type=Whole(), default=0, show_default=True, help="Of the draws that give the chance level.")
@click.option(
    "--memory", type=Size(), metavar="SIZE", help="What the search may take.  [default: half of what is available]"
)
@click.pass_obj
def correlate(session: Session, a: str, b: str, measure: str, pool: str | None, **options: Any) -> None:
    """Compare every feature of SAE A with every feature of SAE B: by default, correlate them over all tokens.

    Exact, silent tokens included, both directions in one pass. The best partners of every feature are stored; see the
    views pairs, best_matches, mutual_matches and one_to_one_matches. The chance level is the same search with the
    tokens of B shifted; for cosines, and what else is computed from weights, with random vectors in their place.

    Where the models have different tokenizers, features are compared on spans of the text: on each token of the coarser
    tokenization, as strong as on the strongest token that overlaps it.

    A and B may be one SAE: then no feature is its own partner. conditional is P(feature of B fires | feature of A
    fires), for the ranks from either side; B A is another comparison than A B.

    \b
    Examples:
      featlas --db demo.duckdb correlate A B
      featlas --db demo.duckdb correlate A B --measure decoder
      featlas --db demo.duckdb correlate A B --pool max
      featlas --db demo.duckdb correlate A A --measure phi
    """
    from atlas.cli.kit.progress import progress
    from atlas.comparisons.correlate import pair_saes

    chosen = _measure(measure, pool)
    with progress(f"correlating {a} with {b}", "features", quiet=session.quiet) as report:
        found = pair_saes(session.db, a, b, measure=chosen, wait=session.wait, on_progress=report, **options)
    if not found.new:
        added = (
            f"added {found.n_filled:,} values at best pairs of other measures" if found.n_filled else "nothing to do"
        )
        session.note(f"already in this atlas: {added}")
    for replaced in found.replaced:
        session.note(f"took the place of the pairs on {visible(replaced)}: a corpus of A is compared with B once")
    for problem in found.problems:
        session.note(f"no values at these pairs by {visible(problem)}")
    _print(found)
    session.note(f"next:  {_next(session, found, a, b, options['corpus'])}")


def _measure(measure: str, pool: str | None) -> str:
    """The name of the measure that the options mean."""
    from atlas.errors import UsageError
    from atlas.pairing.measures.registry import MEASURES

    if pool is None:
        return measure
    if measure != DEFAULT_MEASURE:
        hint = f"--measure {DEFAULT_MEASURE} --pool {pool}"
        raise UsageError(f"--pool does not go with --measure {measure}", hint=hint)
    return next(name for name, known in MEASURES.items() if known.pool == pool)


def _print(found: PairingSummary) -> None:
    """What was found, beside its chance level."""
    from atlas.catalog.measures import measure_named

    sae_a, sae_b, unit = visible(found.sae_a), visible(found.sae_b), found.unit
    corpora = " and ".join(visible(name) for name in dict.fromkeys((found.corpus, found.corpus_b)))
    click.echo(f"{sae_a} × {sae_b}  on {corpora} ({found.n_tokens:,} {unit})")
    if found.shared is not None:
        click.echo(f"  aligned       {_sample(found.shared)}")
    click.echo(f"  alive         {found.n_alive_a:,} and {found.n_alive_b:,} features")
    twice = ", each seen from both sides" if sae_a == sae_b else ""
    click.echo(f"  mutual best   {found.n_mutual:,} pairs{twice}")
    measure = measure_named(found.measure)
    label = f"best {measure.label}" if measure.label else measure.name
    best = f"median {found.median_best:.3f} over {sae_a}, {found.median_best_ba:.3f} over {sae_b}"
    click.echo(f"  {label:13} {best}")
    against = "of random vectors in the place of the weights"
    if found.chance_shift is None and found.null_n_a is None:
        against = "by sqrt(2 ln n / d)"
    if found.chance_shift is not None:
        against = f"with the {unit} of {sae_b} shifted by {found.chance_shift:,}"
    click.echo(f"  chance        median {found.chance:.3f} and {found.chance_ba:.3f} {against}")
    notes = [f"on a sample of {found.null_n_a:,} and {found.null_n_b:,} features"] if found.null_n_a is not None else []
    if found.by_formula is not None:
        levels = " and ".join(dict.fromkeys(f"{level:.3f}" for level in found.by_formula))
        notes.append(f"the approximation sqrt(2 ln n / d) gives {levels}")
    if notes:
        click.echo(f"                {'; '.join(notes)}")


def _sample(shared: SharedSample) -> str:
    left_out = f"; {shared.n_left_out:,} left out, as their texts differ" if shared.n_left_out else ""
    tokens = f"{shared.n_tokens_a:,} and {shared.n_tokens_b:,} tokens"
    return f"{tokens} of {shared.n_documents:,} documents that are the same text{left_out}"


def _next(session: Session, found: PairingSummary, a: str, b: str, corpus: str | None) -> str:
    """Commands that show the pairs."""
    if found.sae_a == found.sae_b:
        name = found.sae_a.replace("'", "''")
        condition = f"measure = '{found.measure}' and sae_a = '{name}' and sae_b = '{name}'"
        return session.command("sql", f"from pairs where {condition} and feature_a < feature_b order by value desc")
    where = ("--corpus", corpus) if corpus else ()
    by = ("--measure", found.measure) if found.measure != DEFAULT_MEASURE else ()
    pairs = session.command("pairs", a, b, *by, *where)
    return pairs if found.corpus != found.corpus_b else f"{pairs}    {session.command('metric', 'svcca', a, b, *where)}"
