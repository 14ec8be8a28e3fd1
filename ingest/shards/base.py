"""What a finished scan keeps so that more of the corpus can be added to it: its merged statistics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.accumulate.partial import Partial
from ingest.accumulate.residuals import Residuals
from ingest.shards.files import Facts, is_whole, link, write_whole
from ingest.shards.partials import read_partial, read_residuals, write_partials


@dataclass(frozen=True, slots=True)
class Base:
    """Merged statistics of the first contexts of a corpus, one file a range of features, the receipt last."""

    folder: Path
    """The scan's folder."""
    name: str = "base"
    """What its files begin with: `base` for the scan itself, `earlier` for the one that it resumes from."""

    @property
    def receipt(self) -> Path:
        """States the files and how far they reach; without it there is no base."""
        return self.folder / f"{self.name}.json"

    def file(self, number: int) -> Path:
        return self.folder / f"{self.name}-{number:03d}.npz"

    @property
    def n_contexts(self) -> int:
        """Contexts that it covers, as its receipt states; 0 if there is none."""
        return int(self._facts().get("n_contexts", 0))

    def is_whole(self) -> bool:
        """Whether there is one, and each of its files is the one that was written."""
        files = self._facts().get("files", {})
        return bool(files) and all(is_whole(self.folder / name, stated) for name, stated in files.items())

    def _facts(self) -> dict[str, Any]:
        """The receipt; nothing if there is none, or it is not valid."""
        try:
            facts = json.loads(self.receipt.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        sound = (
            isinstance(facts, dict) and type(facts.get("n_contexts")) is int and isinstance(facts.get("files"), dict)
        )
        return facts if sound else {}

    def partial(self, number: int) -> Partial:
        return read_partial(self.file(number), number)

    def residuals(self) -> Residuals:
        return read_residuals(self.file(0))

    def write(self, number: int, partial: Partial, residuals: Residuals) -> Facts:
        """Write the statistics of a range of features; what the receipt shall state of it."""
        once = residuals if number == 0 else None
        return write_whole(self.file(number), lambda to: write_partials(to, {number: partial}, once))

    def sign(self, n_contexts: int, files: Mapping[int, Facts]) -> None:
        """Write the receipt: now there is a base."""
        stated = {self.file(number).name: facts for number, facts in files.items()}
        text = json.dumps({"n_contexts": n_contexts, "files": stated}, indent=1)
        write_whole(self.receipt, lambda to: to.write(text.encode()))

    def copy_from(self, other: Base) -> None:
        """Be what another base is; both may share their files, which are never changed."""
        facts, files = other._facts(), {}
        for name, stated in facts["files"].items():
            mine = name.replace(other.name, self.name, 1)
            link(other.folder / name, self.folder / mine)
            files[mine] = stated
        text = json.dumps({**facts, "files": files}, indent=1)
        write_whole(self.receipt, lambda to: to.write(text.encode()))

    def remove(self) -> None:
        """Take it away, the receipt first."""
        self.receipt.unlink(missing_ok=True)
        for file in self.folder.glob(f"{self.name}-*.npz"):
            file.unlink(missing_ok=True)
