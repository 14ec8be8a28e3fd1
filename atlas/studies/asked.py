"""What every study is asked: about which SAEs of which atlas, on which corpus, and whom it tells how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from atlas.catalog.scans import Scanned, chosen
from atlas.db import Atlas, open_atlas
from atlas.studies.findings import Findings

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments that all studies share."""

    db: Path
    """The atlas."""
    saes: tuple[str, ...] = ()
    """Names, aliases, patterns or paths; none takes all."""
    corpus: str | None = None
    """Name of a corpus; None takes the only one."""
    wait: float = 0
    """Seconds to wait for a locked atlas."""
    on_progress: Callable[[int, int], object] | None = None
    """Called as `on_progress(steps_done, steps)`."""

    def open(self) -> Atlas:
        return open_atlas(self.db, wait=self.wait)

    def scans(self, atlas: Atlas) -> tuple[Scanned, ...]:
        """The newest scan of every SAE that is meant; raises as `atlas.catalog.scans.chosen`."""
        return chosen(atlas, self.saes, self.corpus)

    def each(self, items: Sequence[Item], *, done: int = 0, steps: int | None = None) -> Iterator[Item]:
        """The items one by one; each is reported when the next is asked for, after `done` steps of `steps` in all."""
        for i, item in enumerate(items, done + 1):
            yield item
            if self.on_progress:
                self.on_progress(i, len(items) if steps is None else steps)


def study(measured: Callable[..., Findings]) -> Callable[..., Findings]:
    """Let a study of an `Asked` be called as `measure(db, saes, corpus=…, wait=…, on_progress=…, **options)`."""

    @wraps(measured)
    def measure(
        db: Path | str,
        saes: Iterable[str] = (),
        *,
        corpus: str | None = None,
        wait: float = 0,
        on_progress: Callable[[int, int], object] | None = None,
        **options: Any,
    ) -> Findings:
        return measured(Asked(Path(db), tuple(saes), corpus, wait, on_progress), **options)

    return measure
