"""What a user can get wrong: every message says what is wrong, what exists and what to type."""

from __future__ import annotations

import os
from collections.abc import Sequence
from errno import EDQUOT, ENOSPC


class AtlasError(Exception):
    """A problem that the user can fix. `exit_code` is what the command ends with."""

    exit_code = 1

    def __init__(self, what: str, *, why: str | None = None, hint: str | None = None) -> None:
        """State the problem.

        Args:
            what: The problem, in one sentence without a full stop.
            why: What explains it, if that is not plain.
            hint: What to do or type next.
        """
        super().__init__(what)
        self.what, self.why, self.hint = what, why, hint

    def __str__(self) -> str:
        """The message as commands print it: what, why, try."""
        lines = [self.what]
        if self.why:
            lines.append(f"  why: {self.why}")
        if self.hint:
            lines.append(f"  try: {self.hint}")
        return "\n".join(lines)


class UsageError(AtlasError):
    """Options that contradict each other or name nothing."""

    exit_code = 2


class AtlasUnavailable(AtlasError):
    """The database is missing, locked by another program, or of another schema."""

    exit_code = 3


class UnknownName(UsageError):
    """A name that this atlas does not hold."""

    def __init__(self, kind: str, wanted: str, known: Sequence[str], *, hint: str | None = None) -> None:
        """Name what was wanted, the nearest known name and all known ones.

        Args:
            kind: `SAE`, `corpus`, `concept`, `metric`, `hook` …
            wanted: What the user wrote.
            known: What exists.
            hint: What to type instead, when no known name is near.
        """
        near = nearest(wanted, known)
        shown = ", ".join(list(known)[:20]) + (f", … ({len(known)} in all)" if len(known) > 20 else "")
        super().__init__(
            f"no {kind} named {wanted!r}" + (f"; did you mean {near!r}?" if near else ""),
            why=f"known: {shown}" if known else f"there is no {kind} here yet",
            hint=hint,
        )


def disk_full(error: Exception) -> AtlasError | None:
    """What to say if this error of the system or of DuckDB means that the disk is full; None if it does not."""
    if getattr(error, "errno", None) not in (ENOSPC, EDQUOT) and os.strerror(ENOSPC) not in str(error):
        return None
    return AtlasError(
        "the disk is full", why=str(error).splitlines()[0], hint="make room and give the same command again"
    )


def nearest(wanted: str, known: Sequence[str]) -> str | None:
    """The known name most like `wanted`, letter case aside, or None if none is like it."""
    from difflib import get_close_matches

    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(wanted.lower(), list(by_lower), n=1, cutoff=0.5)
    if close:
        return by_lower[close[0]]
    inside = [name for name in known if wanted and wanted.lower() in name.lower()]
    return inside[0] if inside else None
