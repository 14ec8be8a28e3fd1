"""The store of one scan: activations and statistics shard by shard, each there wholly or not at all.

A shard is a pure function of (spec, number). Its receipt is written last, so a shard without one does not exist and is
made again; this is how an interrupted ingest resumes.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import reduce
from itertools import chain, count, islice
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from atlas.errors import AtlasError
from ingest.accumulate.codes import Codes, TokenMap
from ingest.accumulate.partial import Partial
from ingest.accumulate.residuals import Inputs, Residuals
from ingest.shards.base import Base
from ingest.shards.files import Facts, is_whole, link, write_whole
from ingest.shards.partials import partials, read_partial, read_residuals, write_partials
from ingest.shards.pieces import Shard, read_receipt, stem
from ingest.sources.tokens.contexts import Contexts

_ROW_GROUP = 122_880
SAMPLED_NONZEROS = 100_000_000
"""Activations of a scan from which contexts are chosen at random, by interval and by quantile."""

_INPUTS = "inputs.npz"
_ELSEWHERE = "give a --db in a folder that you may write to"


@dataclass(frozen=True, slots=True)
class ShardStore:
    """Folder of one scan's shards."""

    folder: Path
    """`<database>.store/<first 12 digits of the spec's hash>`."""
    keep: bool
    """Whether activations stay once the scan is in the database."""

    @property
    def rows(self) -> Path:
        """Folder of the rows on their way into the database."""
        return self.folder / "rows"

    @property
    def base(self) -> Base:
        """Merged statistics of this scan, once it is finished."""
        return Base(self.folder)

    @property
    def earlier(self) -> Base:
        """Merged statistics of the scan that this one resumes from, while it is measured."""
        return Base(self.folder, "earlier")

    def missing(self, shards: Sequence[Shard]) -> list[Shard]:
        """Shards that are to be made. One is there if its receipt is, and the files that this states are whole."""
        covered = self.earlier.n_contexts
        return [shard for shard in shards if not self._has(shard, covered)]

    def _has(self, shard: Shard, covered: int) -> bool:
        """Whether a shard is there; of one that the earlier scan covers, only activations are kept."""
        try:
            files = self._files(shard)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False
        wanted = [name for name in files if shard.end > covered or name == self.parquet(shard).name]
        return bool(wanted) and all(is_whole(self.folder / name, files[name]) for name in wanted)

    def keeps(self, n_tokens: int) -> bool:
        """Whether nothing is missing of what stays of a scan of so many tokens once it is in the database."""
        if not self.keep:
            return True
        if not (self.folder / _INPUTS).is_file():
            return False
        covered = 0
        for number, receipt in enumerate(self._receipts()):
            path = self.folder / f"{stem(number)}.parquet"
            if covered == n_tokens:
                break
            try:
                if receipt["first_token"] != covered or path.stat().st_size != receipt["files"][path.name]["bytes"]:
                    return False
            except (OSError, KeyError, TypeError):
                return False
            covered += receipt["n_tokens"]
        return covered == n_tokens

    def ends(self, contexts: Contexts) -> list[int]:
        """One past the last context of each shard that the base covers, ascending; nothing if there is no base."""
        ends: list[int] = []
        for receipt in self._receipts():
            end = int(np.searchsorted(contexts.first_token, receipt["first_token"] + receipt["n_tokens"]))
            if end > self.base.n_contexts:
                break
            ends.append(end)
        return ends

    def _receipts(self) -> Iterator[dict[str, Any]]:
        """Receipts of the shards from the first on, up to the first that is missing or damaged."""
        for number in count():
            try:
                yield read_receipt(self.folder / f"{stem(number)}.json")
            except (OSError, ValueError):
                return

    def put(self, shard: Shard, codes: Codes, tokens: TokenMap, residuals: Residuals) -> None:
        """Write a shard: activations, statistics, then the receipt."""
        by_range = dict(enumerate(partials(codes, tokens)))
        activations, statistics = self.parquet(shard), self._partial(shard)
        files = {statistics.name: write_whole(statistics, lambda to: write_partials(to, by_range, residuals))}
        if self.keep or self._n_nonzero(shard.number) < SAMPLED_NONZEROS:
            files[activations.name] = write_whole(activations, lambda to: _write_parquet(to, codes, shard.first_token))
        facts = {"first_token": shard.first_token, "n_tokens": shard.n_tokens, "n_nonzero": len(codes), "files": files}
        text = json.dumps(facts, indent=1)
        write_whole(self._receipt(shard), lambda to: to.write(text.encode()))

    def put_inputs(self, inputs: Inputs) -> None:
        """Write mean and covariance of the input of the SAE, for those who have no model at hand."""
        covariance = inputs.comoment / inputs.n_tokens
        arrays = {"n_tokens": np.asarray(inputs.n_tokens), "mean": inputs.mean, "covariance": covariance}
        write_whole(self.folder / _INPUTS, lambda to: np.savez(to, **arrays))

    def sampled(self, shards: Sequence[Shard]) -> list[Shard]:
        """The first shards, up to 100M activations: of these they are at hand whether or not they are kept."""
        return [shard for shard in shards if self._n_nonzero(shard.number) < SAMPLED_NONZEROS]

    def _n_nonzero(self, number: int) -> int:
        return sum(receipt["n_nonzero"] for receipt in islice(self._receipts(), number))

    def partial(self, shards: Sequence[Shard], number: int) -> Partial:
        """Statistics of all shards on one range of features, merged in their order."""
        covered = self.earlier.n_contexts
        merged = self.earlier.partial(number) if covered else None
        for shard in (shard for shard in shards if shard.end > covered):  # one at a time: a scan may have thousands
            piece = read_partial(self._partial(shard), number)
            merged = piece if merged is None else merged.merge(piece)
        return cast(Partial, merged)

    def residuals(self, shards: Sequence[Shard]) -> Residuals:
        """What the SAE left unexplained on all shards."""
        covered = self.earlier.n_contexts
        before = [self.earlier.residuals()] if covered else []
        rest = (read_residuals(self._partial(shard)) for shard in shards if shard.end > covered)
        return reduce(lambda merged, piece: merged.merge(piece), chain(before, rest))

    def resume_from(self, other: ShardStore, shards: Sequence[Shard]) -> None:
        """Take over what another scan, of the first contexts of the same corpus, has measured."""
        covered = other.base.n_contexts
        if self.earlier.n_contexts == covered or not other.base.is_whole():
            return
        left = {(r["first_token"], r["n_tokens"]): (stem(i), r) for i, r in enumerate(other._receipts())}
        for shard in (shard for shard in shards if shard.end <= covered):
            name, receipt = left.get((shard.first_token, shard.n_tokens), (None, {}))
            if name is not None:
                link(other.folder / f"{name}.parquet", self.parquet(shard))
                files = {self.parquet(shard).name: receipt["files"][f"{name}.parquet"]}
                text = json.dumps({**receipt, "files": files}, indent=1)
                write_whole(self._receipt(shard), lambda to, text=text: to.write(text.encode()))
        self.earlier.copy_from(other.base)

    def parquet(self, shard: Shard) -> Path:
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
            shutil.rmtree(self.rows, ignore_errors=True)
            if self.earlier.receipt.exists() and not self.earlier.is_whole():
                self.earlier.remove()
            yield

    def _lock_file(self) -> IO[str]:
        """The file that is locked, in a folder made for it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            return (self.folder / ".lock").open("w")
        except OSError as error:
            why = error.strerror or str(error)
            raise AtlasError(f"cannot write in {self.folder}", why=why, hint=_ELSEWHERE) from error

    def tidy(self) -> None:
        """Settle a scan that is in the database, where a killed ingest could not; leave it to whoever is at it."""
        if any(
            path.match("*.partial.npz") or path.suffix == ".tmp" or path.name in (".lock", "rows")
            for path in self._inside()
        ):
            with suppress(AtlasError), self.locked():
                self.settle()

    def _inside(self) -> list[Path]:
        """Everything in the folder; nothing if there is none."""
        return list(self.folder.iterdir()) if self.folder.is_dir() else []

    def _files(self, shard: Shard) -> dict[str, Facts]:
        """What a shard's receipt states about each of its files.

        Raises:
            ValueError: It speaks of another shard, or of none.
        """
        receipt = read_receipt(self._receipt(shard))
        if (receipt["first_token"], receipt["n_tokens"]) != (shard.first_token, shard.n_tokens):
            raise ValueError("the receipt is of another shard")
        return receipt["files"]

    def settle(self, shards: Sequence[Shard] = ()) -> None:
        """Once the scan is in the database: keep activations and receipts, or nothing at all.

        Args:
            shards: Shards of the scan, if they are known; others, which an interrupted run left, are removed.
        """
        if not self.keep:
            self.remove()
            return
        ours = {shard.stem for shard in shards}
        for file in self.folder.glob("shard-*") if ours else ():
            if file.name.split(".")[0] not in ours:
                file.unlink(missing_ok=True)
        for statistics in self.folder.glob("shard-*.partial.npz"):
            statistics.unlink(missing_ok=True)
        self.earlier.remove()
        shutil.rmtree(self.rows, ignore_errors=True)
        (self.folder / ".lock").unlink(missing_ok=True)

    def remove(self) -> None:
        """Take the folder away, and the store with it if nothing else is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.discard_if_empty()

    def discard_if_empty(self) -> None:
        """Take away a folder in which no shard was ever finished."""
        if not any(self.folder.glob("shard-*.json")):
            shutil.rmtree(self.folder, ignore_errors=True)
        store = self.folder.parent
        if store.is_dir() and not any(path.is_dir() for path in store.iterdir()):
            shutil.rmtree(store, ignore_errors=True)  # unembeddings serve those who compare activations

    def _partial(self, shard: Shard) -> Path:
        return self.folder / f"{shard.stem}.partial.npz"

    def _receipt(self, shard: Shard) -> Path:
        return self.folder / f"{shard.stem}.json"


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
