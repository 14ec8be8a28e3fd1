"""A score in words: on three lines and more, on one line of several, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atlas.choices import variant
from atlas.cli.kit.text import number, visible

if TYPE_CHECKING:
    from atlas.scores.score import Score


def describe(score: Score) -> str:
    """A score with its null, its sample, and what else the metric says."""
    z = "undefined (the null does not vary)" if score.z is None else f"{score.z:.1f}"
    excess = "undefined" if score.excess is None else number(score.excess)
    draws = "shuffles" if score.null_kind == "shuffle" else f"draws of {score.null_kind}"
    interval = ""
    if score.low is not None and score.high is not None:
        interval = f" [{number(score.low)}, {number(score.high)}: 95 %, {score.n_bootstrap} half-samples]"
    lines = (
        f"{score.metric} {number(score.value)}{interval}  null {number(score.null_mean)} ± {number(score.null_std)}"
        f"{_closed_form(score)}  excess {excess}  z {z}  p {number(score.p_value)} "
        f"({score.null_n:,} {draws}, seed {score.seed})",
        sample(score),
        *_beside(score),
    )
    return "\n".join(lines)


def line(score: Score, ignores: str) -> str:
    """One metric of several."""
    z = "·" if score.z is None else f"{score.z:.1f}"
    excess = "·" if score.excess is None else f"{score.excess:.3f}"
    numbers = f"{score.value:>7.3f} {score.null_mean:>7.3f} {score.null_std:>7.3f} {excess:>7} {z:>7}"
    interval = "" if score.low is None or score.high is None else f"  [{score.low:.3f}, {score.high:.3f}]"
    halves = "" if score.half_apart is None else f"  halves {score.half_apart:.3f} apart"
    return f"{score.metric:<15} {numbers} {score.p_value:>8.2g}  {ignores}{interval}{halves}"


def sample(score: Score) -> str:
    """What a score rests on, on two lines."""
    dims = f" · {score.dims_a} and {score.dims_b} directions" if score.dims_a else ""
    stored = f" · score {score.score_id}" if score.score_id is not None else " · not stored"
    unit = "tokens" if score.corpus == score.corpus_b else "spans"
    corpora = " and ".join(visible(name) for name in dict.fromkeys((score.corpus, score.corpus_b)))
    counted = "features" if score.null_kind == "gaussian" else "pairs"
    sampled = score.details.get("sampled_tokens")
    rows = variant(score.space, score.options) + (f" over {sampled:,} tokens" if sampled else "")
    rests_on = f"{score.n:,} {counted} on {corpora} ({score.n_tokens:,} {unit}) · {rows}"
    names = f"{visible(score.sae_a)} × {visible(score.sae_b)}"
    return f"  {names} · {rests_on}{dims}{stored}\n  {visible(score.subset)}"


def fields_of(score: Score) -> dict[str, Any]:
    """Everything that is known of a score."""
    fields = {name: getattr(score, name) for name in score.__slots__ if name != "steps"}
    return {**fields, "steps": dict(score.steps)}


def _closed_form(score: Score) -> str:
    """The null without drawing, as far as it is known."""
    if score.expected is None:
        return ""
    if not score.expected_std:
        return f" (in closed form {number(score.expected)})"
    z = (score.value - score.expected) / score.expected_std
    return f" (in closed form {number(score.expected)} ± {number(score.expected_std)}, z {z:.1f})"


def _beside(score: Score) -> list[str]:
    """Lines for the numbers that only some metrics, or some options, give."""
    lines, details = [], score.details
    if score.forced:
        lines.append(
            f"  {score.forced} of {min(score.dims_a or 0, score.dims_b or 0)} correlations are 1 by rank alone"
        )
    if "mean_square" in details:
        chance = "" if score.expected_square is None else f", by chance {number(score.expected_square)} (exact)"
        lines.append(f"  mean squared correlation {number(details['mean_square'])}{chance}")
    if "distance" in details:
        lines.append(f"  distance {number(details['distance'])} (from 0, alike, to 1.414)")
    if "n_pairs" in details:
        lines.append(f"  {details['n_pairs']:,} pairs of rows, whose distances are compared")
    if score.half_mean is not None and score.half_apart is not None:
        splits = f"halves of {score.n // 2:,} pairs, {score.n_halves:,} splits"
        lines.append(f"  {splits}: mean {number(score.half_mean)}, {number(score.half_apart)} apart")
    return lines
