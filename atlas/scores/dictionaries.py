"""MMCS and PW-MCC of two SAEs of one hook: their dictionaries compared as sets, with no pairing given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from atlas.catalog.compared import Compared
from atlas.catalog.corpora import corpus_in_common
from atlas.catalog.requests import Comparison, Space
from atlas.catalog.saes import two_saes
from atlas.comparisons.matched import Matched
from atlas.db import open_atlas
from atlas.db.runs import utc_now
from atlas.errors import AtlasError, UnknownName, UsageError
from atlas.metrics.dictionaries import SetSimilarity, mmcs, pw_mcc
from atlas.metrics.null import Null
from atlas.pairing.search.memory import half_of_available
from atlas.scores.compare import PATIENCE
from atlas.scores.inputs import check_one_space, live_features
from atlas.scores.limits import SubsetTooLarge, SubsetTooSmall
from atlas.scores.rows import weight_rows_of
from atlas.scores.score import Score, judged, store_score

_FUNCTIONS: Mapping[str, Callable[..., SetSimilarity]] = {"mmcs": mmcs, "pw_mcc": pw_mcc}

DRAWS = 19
"""Gaussian dictionaries that judge a score, by default: p of 0.05 at best. They hardly differ, and each costs as much
as the score."""


def compare_dictionaries(
    db: Path,
    metric: str,
    a: str,
    b: str,
    *,
    corpus: str | None = None,
    space: Space = "decoder",
    draws: int = DRAWS,
    seed: int = 0,
    wait: float = 0,
    store: bool = True,
    command: str | None = None,
    on_progress: Callable[[int, int], object] | None = None,
) -> Score:
    """Score how alike the features that fire of two SAEs are as sets, against Gaussian dictionaries.

    Args:
        db: The atlas.
        metric: A name in `atlas.catalog.requests.DICTIONARY_METRICS`.
        a: Name or alias of an SAE; for mmcs the one whose features ask for their nearest.
        b: Name or alias of another of the same hook.
        corpus: Corpus on which features fire; None takes the only one that both were measured on.
        space: decoder or encoder.
        draws: Gaussian dictionaries, at least 1.
        seed: Of the draws.
        wait: Seconds to wait for a locked atlas.
        store: Write the score into the atlas.
        command: Command line for the record; by default that of this process.
        on_progress: Called as `on_progress(draws_done, draws)`.

    Raises:
        UnknownName: No such metric, SAE or corpus.
        UsageError: Both names stand for one SAE, or activations are asked for.
        AtlasError: They read different spaces.
        SubsetTooSmall: No feature fires.
        SubsetTooLarge: PW-MCC needs all cosines at once, and they do not fit.
    """
    if metric not in _FUNCTIONS:
        raise UnknownName("metric of dictionaries", metric, list(_FUNCTIONS))
    if space == "activation":
        raise UsageError(f"{metric} compares weights", hint="--on decoder, or --on encoder")
    started_at = utc_now()
    with open_atlas(db, wait=wait) as atlas:
        names = two_saes(atlas, a, b)
        check_one_space(atlas, metric, *names)
        shared = corpus_in_common(atlas, *names, corpus)
        live = [live_features(atlas, name, str(shared["corpus"])).feature for name in names]
        _check(metric, names, live)
        x, y = (weight_rows_of(atlas, name, of, space) for name, of in zip(names, live, strict=True))
    for name, features, rows in zip(names, live, (x, y), strict=True):
        zero = features[~rows.any(axis=1)]
        if len(zero):
            raise AtlasError(f"{name}:{zero[0]} has a {space} row of zeros: its cosine is undefined")
    found = _FUNCTIONS[metric](x, y, draws=draws, seed=seed, on_progress=on_progress)
    on = str(shared["corpus"])
    wanted = Comparison(metric, corpus=on, space=space, null="gaussian", shuffles=draws, seed=seed)
    compared = Compared(*names, on, on, int(str(shared["n_tokens"])), wanted.subset, {})
    matched = Matched(live[0], live[1], (("features of A", found.n_x), ("features of B", found.n_y)))
    words = f"all features that fire, {found.n_x:,} and {found.n_y:,}, as sets"
    score = judged(Null(metric, found, found.draws), wanted, compared, subset=words, steps=matched.steps)
    if not store:
        return score
    with open_atlas(db, write=True, wait=max(wait, PATIENCE)) as atlas, atlas.transaction():
        return store_score(atlas, score, wanted, compared, matched, started_at, command)


def _check(metric: str, names: tuple[str, str], live: list[np.ndarray]) -> None:
    """Refuse what has no features, or more than memory holds cosines of."""
    for name, features in zip(names, live, strict=True):
        if not len(features):
            raise SubsetTooSmall(f"no feature of {name} fires on the corpus", hint="featlas ls scans")
    if metric != "pw_mcc":
        return
    needed, free = 16 * len(live[0]) * len(live[1]), half_of_available()  # cosines, and the solver's copy
    if needed > free:
        raise SubsetTooLarge(
            f"pw_mcc holds all cosines of {len(live[0]):,} with {len(live[1]):,} features, {needed / 1e9:.1f} GB",
            why=f"{free / 1e9:.1f} GB are half of what is free",
            hint=f"featlas match {names[0]} {names[1]} --measure decoder, which assigns without holding all",
        )
