"""One metric over many pairs of SAEs: every layer of one model with every layer of another, say, as one grid.

Every cell is a score of its own, stored as soon as it is computed, so that an interrupted grid resumes. One that has
no score keeps why, and the grid goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from threading import Event
from typing import Any

from atlas.catalog.compared import as_spelt, has_pairs
from atlas.catalog.corpora import corpus_named
from atlas.catalog.requests import Comparison
from atlas.choices import STORED_RULES, variant
from atlas.comparisons.correlate import pair_saes
from atlas.db import Atlas, open_atlas
from atlas.db.runs import utc_now
from atlas.errors import AtlasError, AtlasUnavailable, UnknownName, UsageError
from atlas.scores.compare import PATIENCE, resolved, scored
from atlas.scores.grid_written import Cell, Named, write_grid
from atlas.scores.inputs import Inputs, look_up, read_inputs
from atlas.scores.score import Score, store_score, stored_score_id

Report = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class Grid:
    """A finished grid; view `grids` holds its numbers."""

    grid_id: int
    """Its number."""
    metric: str
    """Name in `METRICS`."""
    rows: tuple[Named, ...]
    """SAEs of the rows."""
    columns: tuple[Named, ...]
    """SAEs of the columns."""
    about: str
    """Metric, rows, null and subset in words."""
    n_computed: int
    """Scores that were not in the atlas before."""


def saes_matching(atlas: Atlas, patterns: Sequence[str], option: str) -> tuple[Named, ...]:
    """SAEs whose name or alias one of the patterns fits, in the order of model, layer and name.

    Args:
        atlas: Open for reading.
        patterns: Names, aliases or patterns with `*`, `?` and `[…]`, several in one joined by commas.
        option: Named in messages.

    Raises:
        UnknownName: A pattern fits none.
    """
    known = atlas.rows("select sae, alias, model, layer from saes order by model, layer nulls last, sae").dicts()
    wanted = [part.strip() for pattern in patterns for part in pattern.split(",") if part.strip()]
    if not wanted:
        raise UsageError(f"{option} names no SAE", hint=f"{option} 'tinyA_*'")
    for pattern in wanted:
        if not any(_fits(pattern, row) for row in known):
            raise UnknownName(f"SAE for {option}", pattern, [str(row["sae"]) for row in known], hint="featlas ls saes")
    chosen = [row for row in known if any(_fits(pattern, row) for pattern in wanted)]
    return tuple(Named(str(row["sae"]), str(row["alias"]), row["layer"]) for row in chosen)


def _fits(pattern: str, row: Mapping[str, Any]) -> bool:
    return fnmatchcase(str(row["sae"]), pattern) or fnmatchcase(str(row["alias"]), pattern.upper())


def fill_grid(
    db: Path,
    rows: Sequence[str],
    columns: Sequence[str],
    wanted: Comparison,
    *,
    correlate: bool = True,
    workers: int = 2,
    wait: float = 0,
    command: str | None = None,
    on_pairs: Report | None = None,
    on_progress: Report | None = None,
) -> Grid:
    """Score every SAE of the rows against every SAE of the columns, except with itself.

    Args:
        db: The atlas.
        rows: Patterns of names or aliases.
        columns: Patterns of names or aliases.
        wanted: What every cell is asked for.
        correlate: Compare SAEs first that were not compared yet.
        workers: Scores computed at a time; memory grows with it.
        wait: Seconds to wait for an atlas that is locked at the start; later it is 30 at least.
        command: Command line for the record; by default that of this process.
        on_pairs: Called as `on_pairs(done, total)` over pairs of SAEs that are compared first.
        on_progress: Called as `on_progress(done, total)` over cells.

    Raises:
        UnknownName: No such metric, option, SAE, corpus, concept or measure.
        UsageError: The two lists hold no pair of different SAEs.
        AtlasError: No cell has a score; every problem is told.
    """
    wanted, started_at = resolved(wanted), utc_now()
    with open_atlas(db, wait=wait) as atlas:
        wanted = replace(wanted, subset=as_spelt(atlas, wanted.subset))
        if wanted.corpus:
            corpus_named(atlas, wanted.corpus)
        down, across = saes_matching(atlas, rows, "--rows"), saes_matching(atlas, columns, "--cols")
        pairs = [(a, b) for a in down for b in across if a != b]
        missing = _missing(atlas, pairs, wanted) if correlate else []
    if not pairs:
        raise UsageError("--rows and --cols name one SAE", hint="name two: featlas ls saes")
    patience = max(wait, PATIENCE)  # the work of minutes does not end because another command is quicker
    problems = {}
    for done, (a, b) in enumerate(missing):
        problems[frozenset((a, b))] = _compare_first(db, a, b, wanted, patience, command)
        if on_pairs:
            on_pairs(done + 1, len(missing))
    cells = [Cell(a, b, None, problem) for a, b in pairs if (problem := problems.get(frozenset((a, b))))]
    left, n_computed = [(a, b) for a, b in pairs if not problems.get(frozenset((a, b)))], 0
    try:
        for cell, new in _scored_cells(db, left, wanted, workers, patience, command):
            cells.append(cell)
            n_computed += new
            if on_progress:
                on_progress(len(cells), len(pairs))
    except KeyboardInterrupt as stopped:
        kept = f"{len(cells)} of {len(pairs)} cells are kept; the same command resumes"
        raise KeyboardInterrupt(kept) from stopped
    if all(cell.score_id is None for cell in cells):
        raise AtlasError("no pair of these SAEs has a score", why=_told(cells))
    with open_atlas(db, write=True, wait=patience) as atlas, atlas.transaction():
        grid_id = write_grid(atlas, wanted, cells, started_at, command)
    return Grid(grid_id, wanted.metric, down, across, _about(wanted), n_computed)


def _about(wanted: Comparison) -> str:
    null = f"{wanted.shuffles:,} " + ("shuffles" if wanted.null == "shuffle" else f"draws of {wanted.null}")
    made = f"{wanted.metric}: {variant(wanted.space, wanted.options)}; null of {null}, seed {wanted.seed}"
    return f"{made}; {wanted.subset.in_words()}"


def _told(cells: Sequence[Cell]) -> str:
    """Why cells have no score, each reason once with the first of its cells."""
    first: dict[str, Cell] = {}
    for cell in cells:
        first.setdefault(str(cell.problem), cell)
    return "; ".join(f"{cell.row.alias} × {cell.column.alias}: {problem}" for problem, cell in first.items())


def _missing(atlas: Atlas, pairs: Sequence[tuple[Named, Named]], wanted: Comparison) -> list[tuple[Named, Named]]:
    """Pairs of SAEs without a comparison that the cells need; each once, whichever comes first."""
    found: dict[frozenset[Named], tuple[Named, Named]] = {}
    for a, b in pairs:
        if not has_pairs(atlas, a.sae, b.sae, wanted.subset):
            found.setdefault(frozenset((a, b)), (a, b))
    return list(found.values())


def _compare_first(db: Path, a: Named, b: Named, wanted: Comparison, wait: float, command: str | None) -> str | None:
    """Make the pairs of a cell, or say what keeps two SAEs from being compared."""
    from atlas.comparisons.match import match_saes

    subset, shared = wanted.subset, {"corpus": wanted.corpus, "wait": wait, "command": command}
    try:
        if subset.match != "assignment":
            pair_saes(db, a.sae, b.sae, measure=subset.measure, **shared)
        if subset.match in STORED_RULES:
            match_saes(db, a.sae, b.sae, method=subset.match, measure=subset.measure, **shared)  # type: ignore[arg-type]
    except AtlasUnavailable:
        raise
    except AtlasError as error:
        return error.what
    return None


class _Stopped(Exception):
    """The command was interrupted: what is being scored is given up."""


def _scored_cells(
    db: Path,
    pairs: Sequence[tuple[Named, Named]],
    wanted: Comparison,
    workers: int,
    wait_for: float,
    command: str | None,
) -> Iterator[tuple[Cell, bool]]:
    """Cells in the order in which they are done, and whether their score is new."""
    waiting, running, stop = list(pairs)[::-1], {}, Event()
    with ThreadPoolExecutor(workers) as pool:
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    a, b = waiting.pop()
                    begun = _begin(db, a, b, wanted, wait_for)
                    if isinstance(begun, Cell):
                        yield begun, False
                    else:
                        running[pool.submit(_score, begun, wanted, stop)] = (a, b, begun)
                if not running:
                    continue
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    a, b, inputs = running.pop(future)
                    yield _finish(db, a, b, future, inputs, wanted, wait_for, command)
        finally:
            stop.set()  # leaving the pool waits for what runs, which ends with its next draw


def _score(inputs: Inputs, wanted: Comparison, stop: Event) -> Score:
    """One score, given up between two draws if asked to."""

    def look(done: int, total: int) -> None:
        if stop.is_set():
            raise _Stopped

    return scored(inputs, wanted, look)


def _begin(db: Path, a: Named, b: Named, wanted: Comparison, wait_for: float) -> Cell | Inputs:
    """What a score is computed from, unless it is in the atlas or cannot be made."""
    try:
        with open_atlas(db, wait=wait_for) as atlas:
            source = look_up(atlas, a.sae, b.sae, wanted)
            known = None if source.members else stored_score_id(atlas, wanted, source.compared, source.matched)
        if known is not None:
            return Cell(a, b, known, None)
        inputs = read_inputs(source, wanted)
        if source.members:  # only the activations tell which pairs they are
            with open_atlas(db, wait=wait_for) as atlas:
                known = stored_score_id(atlas, wanted, inputs.compared, inputs.matched)
    except AtlasUnavailable:
        raise
    except AtlasError as error:
        return Cell(a, b, None, error.what)
    return inputs if known is None else Cell(a, b, known, None)


def _finish(
    db: Path,
    a: Named,
    b: Named,
    future: Future[Score],
    inputs: Inputs,
    wanted: Comparison,
    wait_for: float,
    command: str | None,
) -> tuple[Cell, bool]:
    """Store a score that is done."""
    started_at = utc_now()
    try:
        score = future.result()
    except AtlasError as error:
        return Cell(a, b, None, error.what), False
    with open_atlas(db, write=True, wait=wait_for) as atlas, atlas.transaction():
        score = store_score(atlas, score, wanted, inputs.compared, inputs.matched, started_at, command)
    return Cell(a, b, score.score_id, None), True
