"""`featlas demo`: the main job on the built-in models, offline, and what it finds."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atlas.errors import AtlasError

if TYPE_CHECKING:
    from atlas.comparisons.summaries import PairingSummary
    from atlas.scores.score import Score
    from ingest.spec import ScanSummary

    Sides = tuple[ScanSummary, ScanSummary]

DEMO_DB = Path("demo.duckdb")
N_DOCUMENTS = 1500
N_TOKENS = 100_000

COMPARISONS = (
    ("two models, layer 1", "tinyA_L1_w1024_s0", "tinyB_L1_w1024_s0"),
    ("two seeds of one SAE", "tinyA_L1_w512_s0", "tinyA_L1_w512_s1"),
    ("two training texts", "tinyA_L1_w512_stories_s0", "tinyA_L1_w512_almanac_s0"),
    ("two architectures", "tinyA_L1_w512_s0", "tinyA_L1_topk512_s0"),
    ("two widths", "tinyA_L1_w1024_s0", "tinyA_L1_w512_s0"),
    ("untrained control", "untrainedA_L1_w1024_s0", "tinyB_L1_w1024_s0"),
)
"""What is compared -> SAE A, SAE B."""

CONCEPTS = ("Emotions", "Calendar", "MonthNames", "Countries", "People/Roles", "Nature", "Time")
FEWEST_PAIRS = 8
"""Pairs of a concept below which no score is given."""


@click.command()
@click.option("--tokens", type=click.IntRange(10_000), default=N_TOKENS, show_default=True, help="Tokens to measure.")
@click.option("--shuffles", type=click.IntRange(10), default=300, show_default=True, help="Draws of each null.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the nulls.")
@click.pass_obj
def demo(session: Any, tokens: int, shuffles: int, seed: int) -> None:
    """Build a demo atlas from three built-in models and thirteen SAEs, and say what is in it.

    Two small transformers that share a tokenizer, SAEs on their layers with two seeds, two widths, two training texts
    and two architectures, and the SAE of an untrained model as the negative control. Nothing is downloaded.

    \b
    Example:
      featlas --db demo.duckdb demo
    """
    started = time.monotonic()
    if not session.db_given:
        session.db = DEMO_DB
    with _stage(session, "text and features"):
        scans = _ingest(session, tokens)
    sides = {title: (scans[a], scans[b]) for title, a, b in COMPARISONS}
    pairings, scores = {}, {}
    for title, both in sides.items():
        with _stage(session, f"{title}: pairs and scores"):
            pairings[title] = _pair(session, both, seed)
            scores[title] = [_score(session, name, both, shuffles=shuffles, seed=seed) for name in ("svcca", "rsa")]
    trained, control = sides[COMPARISONS[0][0]], sides[COMPARISONS[-1][0]]
    with _stage(session, "concepts"):
        of_trained = {concept: _concept(session, concept, trained, shuffles, seed) for concept in CONCEPTS}
        of_control = {concept: _concept(session, concept, control, shuffles, seed) for concept in CONCEPTS}
    session.note(f"done in {time.monotonic() - started:.0f} s\n")
    _print_features(session, trained[0].corpus)
    _print_pairings(pairings)
    _print_scores(scores)
    _print_concepts(of_trained, of_control)
    _print_reading(pairings, scores)
    _print_next(session.db, *trained)


@contextmanager
def _stage(session: Any, title: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    session.note(f"  {title:<42} {time.monotonic() - started:6.1f} s")


def _ingest(session: Any, tokens: int) -> dict[str, ScanSummary]:
    """Measure all built-in SAEs on text that no model was trained on; what the atlas calls each, by built-in name."""
    from atlas.cli.kit.progress import progress
    from ingest.job import ingest
    from ingest.spec import IngestRequest
    from ingest.toy.artifacts import TOY_MODELS, TOY_SAES, toy_model, toy_sae, write_corpus

    n_documents = max(N_DOCUMENTS, N_DOCUMENTS * tokens // N_TOKENS)
    folder = Path(f"{session.db}.text")
    try:
        folder.mkdir(exist_ok=True)
        corpus = write_corpus(folder / "small-world.txt", n_documents=n_documents)
    except OSError as error:
        hint = "give a file in a folder that you may write to: featlas --db PATH demo"
        raise AtlasError(f"cannot write in {folder}", why=error.strerror or str(error), hint=hint) from error
    scans: dict[str, ScanSummary] = {}
    for model in TOY_MODELS:
        names = [name for name, its_model in TOY_SAES.items() if its_model == model]
        folders = tuple(str(toy_sae(name)) for name in names)
        request = IngestRequest(model=str(toy_model(model)), saes=folders, corpus=str(corpus), tokens=tokens)
        with progress(f"measuring {model}", "tokens", quiet=session.quiet) as report:
            found = ingest(request, db=session.db, wait=session.wait, on_progress=report)
        scans.update(zip(names, found, strict=True))
    return scans


def _pair(session: Any, sides: Sides, seed: int) -> PairingSummary:
    """Correlate two SAEs."""
    from atlas.comparisons.correlate import pair_saes

    a, b = sides
    return pair_saes(session.db, a.sae, b.sae, corpus=a.corpus, seed=seed, wait=session.wait)


def _score(session: Any, name: str, sides: Sides, **asked: Any) -> Score:
    """Score two SAEs on their one-to-one matches; `asked` as the fields of a `Comparison`."""
    from atlas.catalog.requests import Comparison
    from atlas.scores.compare import compare

    a, b = sides
    return compare(session.db, a.sae, b.sae, Comparison(name, corpus=a.corpus, **asked), wait=session.wait)


def _concept(session: Any, concept: str, sides: Sides, shuffles: int, seed: int) -> list[Score] | int:
    """Scores of a concept's subspace with n / 4 directions, or the number of pairs where those are too few."""
    from atlas.catalog.compared import settle
    from atlas.comparisons.matched import select_pairs
    from atlas.db import open_atlas
    from atlas.filters.subset import Subset

    (a, b), subset = sides, Subset(concept=concept)
    with open_atlas(session.db, wait=session.wait) as atlas:
        n = len(select_pairs(atlas, settle(atlas, a.sae, b.sae, subset, a.corpus)).features_a)
    if n < FEWEST_PAIRS:
        return n
    shared = {"subset": subset, "shuffles": shuffles, "seed": seed}
    return [_score(session, "svcca", sides, options={"k": n // 4}, **shared), _score(session, "rsa", sides, **shared)]


def _print_features(session: Any, corpus: str) -> None:
    """How many features live, SAE by SAE, on the corpus of the demo."""
    with session.read() as atlas:
        saes = atlas.fetch("catalog/living_features", corpus=corpus).dicts()
        text = next(row for row in atlas.fetch("catalog/list_corpora").dicts() if row["corpus"] == corpus)
    click.echo(f"FEATURES on {text['n_tokens']:,} tokens of {corpus} ({text['n_documents']:,} documents)")
    click.echo(f"  {'':<2} {'SAE':<26} {'features':>8} {'alive':>6} {'L0':>6} {'FVU':>6}")
    for sae in saes:
        fvu = "·" if sae["fvu"] is None else f"{sae['fvu']:.3f}"
        click.echo(
            f"  {sae['alias']:<2} {sae['sae']:<26} {sae['d_sae']:>8,} {sae['n_alive']:>6,} {sae['l0']:>6.1f} {fvu:>6}"
        )


def _print_pairings(pairings: dict[str, PairingSummary]) -> None:
    """How many features have a partner, and how good it is."""
    click.echo(
        "\nMATCHES  best Pearson r of each live feature of the first SAE in the second; chance: its tokens shifted\n"
        "  mutual: pairs in which each feature is the other's best, before any filter"
    )
    click.echo(f"  {'':<22} {'live':>6} {'mutual':>7} {'median r':>9} {'chance':>7}")
    for title, p in pairings.items():
        click.echo(f"  {title:<22} {p.n_alive_a:>6,} {p.n_mutual:>7,} {p.median_best:>9.3f} {p.chance:>7.3f}")


def _print_scores(scores: dict[str, list[Score]]) -> None:
    """Scores of the decoder rows of one-to-one matches on concept tokens."""
    shuffles = next(iter(scores.values()))[0].null_n
    click.echo(
        "\nSCORES  decoder rows of one-to-one matches that pass the token filters\n"
        f"  null: the pairing shuffled {shuffles:,} times, so p is at least {1 / (1 + shuffles):.4f}"
    )
    heads = [f"{name:>5} {'null':>5} {'z':>6} {'p':>6}" for name in ("SVCCA", "RSA")]
    click.echo(f"  {'':<22} {'pairs':>5}  {heads[0]}   {heads[1]}")
    for title, both in scores.items():
        click.echo(f"  {title:<22} {both[0].n:>5,}  {_cells(both[0])}   {_cells(both[1])}")


def _print_concepts(across: dict[str, list[Score] | int], control: dict[str, list[Score] | int]) -> None:
    """Concept subspaces of the two trained models beside the control."""
    for title, found in (("two models, layer 1", across), ("untrained control", control)):
        click.echo(f"\nCONCEPTS  {title}; SVCCA with a quarter as many directions as pairs")
        for concept, both in found.items():
            if isinstance(both, int):
                click.echo(f"  {concept:<22} {both:>5}  fewer than {FEWEST_PAIRS} pairs: no score")
            else:
                click.echo(f"  {concept:<22} {both[0].n:>5}  {_cells(both[0])}   {_cells(both[1])}")


def _cells(score: Score) -> str:
    z = "·" if score.z is None else f"{score.z:.1f}"
    value, chance = (round(number, 2) + 0.0 for number in (score.value, score.null_mean))  # + 0.0: no "-0.00"
    return f"{value:>5.2f} {chance:>5.2f} {z:>6} {score.p_value:>6.4f}"


def _print_reading(pairings: dict[str, PairingSummary], scores: dict[str, list[Score]]) -> None:
    """What the numbers say, from the numbers."""
    trained, control = COMPARISONS[0][0], COMPARISONS[-1][0]
    r, r_control = pairings[trained].median_best, pairings[control].median_best
    rsa, rsa_control = scores[trained][1], scores[control][1]
    click.echo(f"\n{'':<20} {'median best r':>14} {'RSA of decoder rows':>22}")
    click.echo(f"{'trained × trained':<20} {r:>14.2f} {rsa.value:>14.2f} (z {rsa.z or 0:.1f})")
    click.echo(
        f"{'untrained × trained':<20} {r_control:>14.2f} {rsa_control.value + 0.0:>14.2f} (z {rsa_control.z or 0:.1f})"
    )
    click.echo("Correlation alone sees which token it is; read it beside the geometry, and both beside their nulls.")


def _print_next(db: Path, a: ScanSummary, b: ScanSummary) -> None:
    """Three commands worth typing now."""
    featlas = f"featlas --db {shlex.quote(str(db))}"
    click.echo("\nNext:")
    click.echo(f"  {featlas} tui")
    click.echo(f"  {featlas} pairs {a.alias} {b.alias} --corpus {shlex.quote(a.corpus)} --limit 10")
    click.echo(f"  {featlas} sql \"from concept_features where concept = 'Emotions' order by share desc limit 10\"")
