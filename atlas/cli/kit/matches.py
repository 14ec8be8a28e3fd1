"""What `featlas pairs` and `featlas match` share: candidates, what each filter took of them, and what judges them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from atlas.catalog.compared import Compared
from atlas.choices import DEFAULT_MEASURE
from atlas.cli.kit.output import Out, Taken, take
from atlas.cli.kit.text import number, visible
from atlas.filters.subset import Subset, count_steps

if TYPE_CHECKING:
    from atlas.cli.kit.group import Session
    from atlas.comparisons.summaries import MatchingSummary
    from atlas.db import Atlas

COMPARED_ON = (
    click.option(
        "--corpus",
        metavar="NAME",
        help="Corpus of A.  [default: the newest comparison's; where a matching is to be computed, the only one]",
    ),
    click.option(
        "--corpus-b",
        metavar="NAME",
        help="Where a matching is to be computed: corpus of B, if it is another tokenization.",
    ),
)
"""Options that say on what two SAEs are compared."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The pairs that will be printed, and the lines that say what they rest on."""

    taken: Taken
    """The kept or the dropped pairs, cut to what will be printed."""
    notes: tuple[str, ...]
    """Sample, chance level, counts at every filter step, and the kept pairs in numbers."""


def compute_matching(session: Session, a: str, b: str, method: Any, measure: str, **options: Any) -> MatchingSummary:
    """Make an assignment or a greedy matching, unless the atlas holds it; options as of `match_saes`."""
    from atlas.cli.kit.progress import progress
    from atlas.comparisons.match import match_saes

    with progress(f"matching {a} with {b} by {measure}", "features", quiet=session.quiet) as report:
        how = {"method": method, "measure": measure, "wait": session.wait, "on_progress": report}
        return match_saes(session.db, a, b, **how, **options)


def refuse_corpus_b(corpus_b: str | None, rules: str) -> None:
    """Raise UsageError where `--corpus-b` is given to a rule that looks at what is stored for the corpus of A."""
    from atlas.errors import UsageError

    if corpus_b is not None:
        raise UsageError(f"--corpus-b goes with {rules}", hint="--corpus names the corpus of A of what is stored")


def list_pairs(atlas: Atlas, compared: Compared, dropped: bool, out: Out) -> Listed:
    """Ask for the candidates of a subset.

    Args:
        atlas: Open for reading.
        compared: The SAEs, their corpora, rule and filters.
        dropped: Take the dropped pairs instead of the kept ones.
        out: How to print.
    """
    from atlas.db.sqlfiles import sql_text

    sae_a, sae_b, subset, stored = compared.sae_a, compared.sae_b, compared.subset, compared.stored
    found = atlas.sql(sql_text("queries/browse/pairs"), params=compared.parameters)
    judged = found.select("feature_a, feature_b, value, dropped_because").fetchall()
    kept = [row[:3] for row in judged if not row[3]]
    hidden = {"kept"} if dropped else {"kept", "dropped_because"}
    if out.format_ == "table" and out.path is None:  # the heading says them once
        hidden |= {"measure", "corpus", "corpus_b"} | ({"margin"} if "total" in stored else set())
    listed = found.filter("not kept" if dropped else "kept")
    listed = listed.select(", ".join(f'"{name}"' for name in found.columns if name not in hidden))
    taken = take(listed, out, total=len(judged) - len(kept) if dropped else len(kept))
    where = " and ".join(dict.fromkeys((compared.corpus, compared.corpus_b)))
    sample = f"{sae_a} and {sae_b} on {where}, {counted(stored)}"
    notes = [visible(sample), *_chance(subset, stored, len(judged), sae_a, sae_b), *_steps(judged, kept)]
    if subset.paper_compat:
        notes.append(_as_the_paper_counts(atlas, judged, compared))
    return Listed(taken, (*notes, *_in_numbers(atlas, kept, compared)))


def counted(stored: Mapping[str, Any]) -> str:
    """The sample of a stored comparison, such as `4,000 tokens`."""
    return f"{stored['n_tokens']:,} {stored['unit']}"


def what_matches_rest_on(atlas: Atlas, measure: str, sae: str | None = None, corpus: str | None = None) -> str:
    """The comparisons by a measure, of one SAE on a corpus if they are named: corpora, samples and chance levels."""
    rows = atlas.fetch("comparisons/comparisons_by", measure=measure, sae=sae, corpus=corpus).dicts()
    corpora = sorted({row[side] for row in rows for side in ("corpus", "corpus_b")})
    more = f" and {len(corpora) - 3} more" if len(corpora) > 3 else ""
    units = sorted({row["unit"] for row in rows})
    sample = _range([row["n_tokens"] for row in rows], "{:,}".format)
    levels = [row[name] for row in rows for name in ("chance", "chance_ba") if row[name] is not None]
    chance = f"between {_range(levels, number)}" if len(set(levels)) > 1 else _range(levels, number)
    return visible(
        f"{len(rows):,} {'comparison' if len(rows) == 1 else 'comparisons'} on {', '.join(corpora[:3])}{more}, "
        f"{sample} {' or '.join(units)}; "
        f"chance level of a best value, median {chance if levels else 'not stored'}"
    )


def _range(values: Sequence[Any], shown: Callable[[Any], str]) -> str:
    low, high = shown(min(values, default=0)), shown(max(values, default=0))
    return low if low == high else f"{low} and {high}"


def _steps(judged: list[tuple], kept: list[tuple]) -> list[str]:
    (_, n), *removed = count_steps(row[3] for row in judged)
    steps = [("candidates", n), *((f"dropped: {name}", count) for name, count in removed), ("kept", len(kept))]
    return [f"  {count:>9,}  {step}" for step, count in steps]


def _chance(subset: Subset, stored: Mapping[str, Any], n: int, sae_a: str, sae_b: str) -> list[str]:
    """What the values would be where nothing belongs together."""
    if "total" in stored:
        proof = "proved to be the largest" if stored["certified"] else "not proved to be the largest"
        total = f"sum of {n:,} values {number(stored['total'])}, mean {number(stored['total'] / max(n, 1))}"
        lines = [total + (f"; {proof}" if subset.match == "assignment" else "")]
        if stored["chance"] is not None:
            lines.append(f"mean value where nothing belongs together {number(stored['chance'])}")
        return lines
    chooser = sae_a if subset.direction == "a_to_b" else sae_b
    suffix = "" if chooser == stored["sae_a"] else "_ba"  # the pairing may have been computed the other way round
    median_best, chance = (stored[f"{name}{suffix}"] for name in ("median_best", "chance"))
    if median_best is None or chance is None:
        return [f"no chance level stored for the features of {visible(chooser)}"]
    what = "correlations" if subset.measure == DEFAULT_MEASURE else f"values of {subset.measure}"
    shifted = stored["chance_shift"] is not None
    against = f"with the {stored['unit']} shifted" if shifted else "for random vectors"
    return [f"median of the best {what} {number(median_best)}; {against} {number(chance)}"]


def _in_numbers(atlas: Atlas, kept: list[tuple], compared: Compared) -> list[str]:
    """Mean and median of the kept pairs, and how much of both SAEs they cover."""
    from statistics import fmean, median

    if not kept:
        return []
    values = [row[2] for row in kept]
    covered = []
    for side, (sae, corpus) in enumerate(compared.sides):
        n_fired = atlas.arrays("catalog/firing_counts", sae=sae, corpus=corpus)["n_fired"]
        share = len({row[side] for row in kept}) / max(int((n_fired > 0).sum()), 1)
        covered.append(f"{share:.1%} of the live features of {visible(sae)}")
    return [f"kept: mean {number(fmean(values))}, median {number(median(values))}; they cover {' and '.join(covered)}"]


def _as_the_paper_counts(atlas: Atlas, judged: list[tuple], compared: Compared) -> str:
    n_features = len(atlas.arrays("catalog/firing_counts", sae=compared.sae_b, corpus=compared.corpus_b)["n_fired"])
    mean = sum(row[2] for row in judged) * (1 - 1 / compared.n_tokens) / n_features
    return f"mean correlation as that code takes it, dead features as 0: {number(mean)}"
