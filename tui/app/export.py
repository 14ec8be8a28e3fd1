"""Writing what is shown to a file: rows by running the very command that gives the same, the screen as a picture."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from atlas.errors import UsageError
from tui.app.desk import Desk


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

    def run(self) -> None:
        """Write the file.

        Raises:
            AtlasError: The command refused.
        """
        from atlas.cli import run_within

        run_within(["--quiet", "--db", str(self.db), *self.words, "-o", str(self.path)])


def export_to(desk: Desk, path: Path) -> None:
    """Write what is shown to a file, in a thread.

    Raises:
        UsageError: No command gives it, or this is a web page.
    """
    desk.may_write()
    job = Export(desk.store.path, tuple(desk.words()), path)
    desk.keeper.keep()  # a command reads the marks from there
    desk.flash(f"writing {path} …")

    def write() -> None:
        job.run()
        desk.bars.troubles.note(f"last export: {job.line}")
        desk.host.call_from_thread(desk.flash, f"wrote {job.path} – {job.line}")

    desk.host.run_worker(write, group="export", thread=True, exit_on_error=False)


def save_screen(desk: Desk, name: str) -> None:
    """Save the screen as a picture.

    Raises:
        UsageError: The file cannot be written, or this is a web page.
    """
    desk.may_write()
    path = Path(name or "featlas.svg").expanduser()
    try:
        path.write_text(desk.host.export_screenshot(title="featlas"), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    desk.flash(f"wrote {path}")
