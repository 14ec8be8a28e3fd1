"""Writing what is shown to a file, by running the very command that gives the same."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Export:
    """One export."""

    db: Path
    words: tuple[str, ...]
    """What follows `featlas --db …`."""
    path: Path
    """Its suffix says the format."""

    @property
    def line(self) -> str:
        """The command as it may be pasted into a shell."""
        return shlex.join(["featlas", "--db", str(self.db), *self.words, "-o", str(self.path)])


def exported(job: Export) -> None:
    """Write the file.

    Raises:
        AtlasError: The command refused.
    """
    from atlas.cli import run_within

    run_within(["--quiet", "--db", str(job.db), *job.words, "-o", str(job.path)])
