"""The store of one scan: activations and statistics shard by shard, each there wholly or not at all.

A shard is a pure function of (spec, number). Its receipt is written last, so a shard without one does not exist and is
made again; this is how an interrupted ingest goes on.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast
from zipfile import BadZipFile

import numpy as np

from atlas.errors import AtlasError
from ingest.accumulate.codes import Codes
from ingest.accumulate.partial import Partial
from ingest.sources.contexts import Contexts

_ROW_GROUP = 122_880
_ELSEWHERE = "give a --db in a folder that you may write to"


@dataclass(frozen=True, slots=True)
class Shard:
    """Whole, consecutive contexts of a corpus."""

    number: int
    """From 0."""

    begin: int
    """First context."""

    end: int
    """One past the last context."""

    first_token: int
    """token_index of the first counted token."""

    n_tokens: int
    """Counted tokens."""

    @property
    def stem(self) -> str:
        """Name of its files without the ending."""
        return f"shard-{self.number:05d}"


def plan_shards(contexts: Contexts, shard_tokens: int) -> list[Shard]:
    """Cut a corpus into shards: each ends with the context that brings it to `shard_tokens` counted tokens."""
    shards: list[Shard] = []
    begin, first = 0, contexts.first_token
    while begin < contexts.n_contexts:
        end = int(np.searchsorted(first, first[begin] + shard_tokens))
        end = min(max(end, begin + 1), contexts.n_contexts)
        shards.append(Shard(len(shards), begin, end, int(first[begin]), int(first[end] - first[begin])))
        begin = end
    return shards


@dataclass(frozen=True, slots=True)
class ShardStore:
    """Folder of one scan's shards."""

    folder: Path
    """`<database>.store/<first 12 digits of the spec's hash>`."""

    keep: bool
    """Whether activations are written; statistics always are, until the scan is in the database."""

    def has(self, shard: Shard) -> bool:
        """Whether the shard is there wholly: its receipt is, and so are the files that this states."""
        try:
            return all(_sha256(self.folder / name) == facts["sha256"] for name, facts in self._files(shard).items())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False

    def keeps(self, shards: list[Shard]) -> bool:
        """Whether nothing is missing of what stays of these shards once the scan is in the database."""
        if not self.keep:
            return True
        try:
            stated = {name: facts["bytes"] for shard in shards for name, facts in self._files(shard).items()}
            kept = [self.parquet(shard) for shard in shards]
            return all(path.stat().st_size == stated[path.name] for path in kept)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False

    def put(self, shard: Shard, codes: Codes, partial: Partial) -> None:
        """Write a shard: activations, statistics, then the receipt."""
        files = {}
        if self.keep:
            files[f"{shard.stem}.parquet"] = self._write(
                f"{shard.stem}.parquet", lambda to: _write_parquet(to, codes, shard.first_token)
            )
        files[self._partial(shard)] = self._write(self._partial(shard), lambda to: _write_npz(to, partial))
        receipt = {
            "first_token": shard.first_token,
            "n_tokens": shard.n_tokens,
            "n_nonzero": len(codes),
            "files": files,
        }
        self._write(f"{shard.stem}.json", lambda to: to.write(json.dumps(receipt, indent=1).encode()))

    def partial(self, shard: Shard) -> Partial:
        """Statistics of a shard that is there."""
        path = self.folder / self._partial(shard)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return Partial.from_arrays(arrays)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise AtlasError(f"cannot read {path}", why=str(error), hint="run the same command again") from error

    def parquet(self, shard: Shard) -> Path:
        """File with the activations of a shard."""
        return self.folder / f"{shard.stem}.parquet"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other programs from measuring the same scan, and clear away what a killed one left half-written.

        Raises:
            AtlasError: Another program is at it.
        """
        with self._lock_file() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise AtlasError(
                    "another featlas ingest is measuring this SAE on this corpus",
                    hint="let it finish; what it measures is what this command would",
                ) from error
            except OSError as error:
                why = error.strerror or str(error)
                raise AtlasError(f"cannot lock {self.folder}", why=why, hint=_ELSEWHERE) from error
            for leftover in self.folder.glob(".*.tmp"):
                leftover.unlink(missing_ok=True)
            yield

    def _lock_file(self) -> IO[str]:
        """The file that is locked, in a folder made for it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            return (self.folder / ".lock").open("w")
        except OSError as error:
            why = error.strerror or str(error)
            raise AtlasError(f"cannot write in {self.folder}", why=why, hint=_ELSEWHERE) from error

    def tidy(self, shards: list[Shard]) -> None:
        """Settle a scan that is in the database, where a killed ingest could not; leave it to whoever is at it."""
        if any(path.suffix in (".npz", ".tmp") or path.name == ".lock" for path in self._inside()):
            with suppress(AtlasError), self.locked():
                self.settle(shards)

    def _inside(self) -> list[Path]:
        """Everything in the folder; nothing if there is none."""
        return list(self.folder.iterdir()) if self.folder.is_dir() else []

    def _files(self, shard: Shard) -> dict[str, dict[str, int | str]]:
        """What a shard's receipt states about each of its files.

        Raises:
            ValueError: It speaks of another shard, or of none.
        """
        receipt = json.loads((self.folder / f"{shard.stem}.json").read_text(encoding="utf-8"))
        if (receipt["first_token"], receipt["n_tokens"]) != (shard.first_token, shard.n_tokens):
            raise ValueError("the receipt is of another shard")
        return receipt["files"]

    def settle(self, shards: list[Shard]) -> None:
        """Once the scan is in the database: keep activations and receipts, or nothing at all."""
        if not self.keep:
            self.remove()
            return
        for shard in shards:
            (self.folder / self._partial(shard)).unlink(missing_ok=True)
        (self.folder / ".lock").unlink(missing_ok=True)

    def remove(self) -> None:
        """Take the folder away, and the store with it if nothing else is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.discard_if_empty()

    def discard_if_empty(self) -> None:
        """Take away a folder in which no shard was ever finished."""
        if not any(self.folder.glob("shard-*.json")):
            shutil.rmtree(self.folder, ignore_errors=True)
        if self.folder.parent.is_dir() and not any(self.folder.parent.iterdir()):
            self.folder.parent.rmdir()

    @staticmethod
    def _partial(shard: Shard) -> str:
        """Name of the file with a shard's statistics."""
        return f"{shard.stem}.partial.npz"

    def _write(self, name: str, fill: Callable[[Any], object]) -> dict[str, int | str]:
        """Write a file under another name, see it onto the disk, then give it its name; its size and hash."""
        import pyarrow as pa

        temporary = self.folder / f".{name}.tmp"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as handle:
                fill(handle)
                handle.flush()
                os.fsync(handle.fileno())
            facts: dict[str, int | str] = {"bytes": temporary.stat().st_size, "sha256": _sha256(temporary)}
            temporary.replace(self.folder / name)
            _sync_folder(self.folder)
        except (OSError, pa.ArrowException) as error:
            temporary.unlink(missing_ok=True)
            why = getattr(error, "strerror", None) or str(error)
            hint = "make room and run the same command: it goes on after the last finished shard"
            raise AtlasError(f"cannot write {self.folder / name}", why=why, hint=hint) from error
        return facts


def _write_parquet(to: Any, codes: Codes, first_token: int) -> None:
    """Activations of a shard, sorted by (feature, token)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "feature_id": codes.feature,
            "token_index": codes.token.astype(np.int64) + first_token,
            "activation": codes.activation,
        }
    )
    encoding: Any = ["feature_id"]
    pq.write_table(table, to, compression="zstd", row_group_size=_ROW_GROUP, use_dictionary=encoding)


def _write_npz(to: Any, partial: Partial) -> None:
    """Statistics of a shard, without pickle."""
    arrays = cast(dict[str, Any], partial.arrays())
    np.savez(to, **arrays)


def _sha256(path: Path) -> str:
    """Hash of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    """See the names in a folder onto the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
