"""Read the sparse activations of a scan as SciPy CSR, whole or in blocks of tokens.

A store is a folder of Parquet shards, each over consecutive tokens and sorted by (feature, token), with a receipt in
JSON beside each shard. All of it is checked: compiled code crashes on, or silently counts, indices that are out of
range. Orientation: tokens x features.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import scipy.sparse as sp

from atlas.catalog.saes import sae_named
from atlas.db import Atlas, open_atlas
from atlas.errors import AtlasError, UnknownName

_AGAIN = "run its featlas ingest again with --replace"


@dataclass(frozen=True, slots=True)
class Scan:
    """One SAE on one corpus, with its activations on disk."""

    sae: str
    """Full name of the SAE."""
    corpus: str
    """Name of the corpus."""
    n_tokens: int
    """Tokens measured; rows of the matrix."""
    d_sae: int
    """Features; columns of the matrix."""
    folder: Path
    """Where the shards are."""

    def csr(self) -> sp.csr_array:
        """All activations: (n_tokens, d_sae) float32, zeros where a feature is silent."""
        shards = self._shards()
        n_nonzero = sum(shard.n_nonzero for shard in shards)
        index = np.int32 if n_nonzero < 2**31 else np.int64
        activation, feature = np.empty(n_nonzero, np.float32), np.empty(n_nonzero, index)
        starts = np.zeros(self.n_tokens + 1, index)
        filled = 0
        for shard in shards:
            # Filled in place: a scan takes most of the memory, and stacking blocks would need it twice.
            block = shard.read(self.d_sae)
            activation[filled : filled + block.nnz] = block.data
            feature[filled : filled + block.nnz] = block.indices
            starts[shard.first_token + 1 : shard.first_token + shard.n_tokens + 1] = block.indptr[1:]
            starts[shard.first_token + 1 : shard.first_token + shard.n_tokens + 1] += filled
            filled += block.nnz
        return sp.csr_array((activation, feature, starts), shape=(self.n_tokens, self.d_sae))

    def blocks(self) -> Iterator[sp.csr_array]:
        """All activations, shard after shard in the order of the tokens: (tokens of the shard, d_sae) each.

        Raises:
            AtlasError: A shard is missing or damaged.
        """
        for shard in self._shards():
            yield shard.read(self.d_sae)

    def feature(self, feature_id: int) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """One feature, shard after shard, without reading the others.

        Yields:
            The token after the last of the shard, the tokens on which the feature fires, and its activations there.

        Raises:
            AtlasError: A shard is missing or damaged.
        """
        for shard in self._shards():
            tokens, activations = shard.feature(feature_id)
            yield shard.first_token + shard.n_tokens, tokens, activations

    def largest_shard(self) -> int:
        """Number of activations in the largest of `blocks`."""
        return max((shard.n_nonzero for shard in self._shards()), default=0)

    def input_covariance(self) -> np.ndarray:
        """Covariance of the input of the SAE: (d_in, d_in) float64, over the tokens of the scan.

        Raises:
            AtlasError: It is missing or damaged.
        """
        path = self.folder / "inputs.npz"
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return arrays["covariance"]
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise AtlasError(f"{path.name} cannot be read", why=_first_line(error), hint=_AGAIN) from error

    def _shards(self) -> list[_Shard]:
        """The shards of all receipts, which must cover all tokens without a gap."""
        covered, shards = 0, []
        for receipt in sorted(self.folder.glob("shard-*.json")):
            shard = _Shard.of(receipt)
            if shard.first_token != covered or shard.n_tokens > self.n_tokens - covered:
                break
            shards.append(shard)
            covered += shard.n_tokens
        if covered != self.n_tokens:
            raise AtlasError(
                f"the activations of {self.sae} are incomplete: {covered:,} of {self.n_tokens:,} tokens",
                why=f"shards are missing in {self.folder}",
                hint=_AGAIN,
            )
        return shards


@dataclass(frozen=True, slots=True)
class _Shard:
    """What a receipt states about one shard."""

    path: Path
    """The Parquet file."""
    first_token: int
    """token_index of its first token."""
    n_tokens: int
    """Tokens it covers, at least 1."""
    n_nonzero: int
    """Activations in it."""
    n_bytes: int | None
    """Size of the file; None if the receipt does not state it."""
    sha256: str | None
    """Hash of the file; None if the receipt does not state it."""

    @classmethod
    def of(cls, receipt: Path) -> _Shard:
        """The shard of a receipt, with what the receipt states of its file."""
        path = receipt.with_suffix(".parquet")
        try:
            facts = json.loads(receipt.read_text(encoding="utf-8"))
            stated = facts["files"][path.name] if "files" in facts else {"bytes": None, "sha256": None}
            first_token, n_tokens, n_nonzero = facts["first_token"], facts["n_tokens"], facts["n_nonzero"]
            shard = cls(path, first_token, n_tokens, n_nonzero, stated["bytes"], stated["sha256"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise _damaged(receipt, f"{type(error).__name__}: {error}") from error
        numbers = (first_token, n_tokens, n_nonzero)
        if not all(type(number) is int and number >= 0 for number in numbers) or n_tokens == 0:
            raise _damaged(receipt, "its numbers of tokens and activations are not valid")
        return shard

    def read(self, d_sae: int) -> sp.csr_array:
        """The activations as CSR. The shard is sorted by feature, so it is read as CSC and turned."""
        self._check_file()
        feature, token, activation = self._columns()
        token = token - self.first_token
        if reason := self._fault(feature, token, activation, d_sae):
            raise _damaged(self.path, reason)
        starts = np.searchsorted(feature, np.arange(d_sae + 1))
        index = np.int32 if len(feature) < 2**31 else np.int64
        by_feature = sp.csc_array((activation, token.astype(index), starts.astype(index)), shape=(self.n_tokens, d_sae))
        return sp.csr_array(by_feature.tocsr())

    def feature(self, feature_id: int) -> tuple[np.ndarray, np.ndarray]:
        """Tokens and activations of one feature; the file is not hashed for it, so only these rows are checked."""
        _, tokens, activations = self._columns([("feature_id", "==", feature_id)])
        if len(tokens) and (tokens.min() < self.first_token or tokens.max() >= self.first_token + self.n_tokens):
            raise _damaged(self.path, f"feature {feature_id} fires outside its {self.n_tokens:,} tokens")
        if not np.isfinite(activations).all():
            raise _damaged(self.path, "it holds activations that are not finite")
        return tokens, activations

    def _check_file(self) -> None:
        if self.sha256 is None:
            return
        try:
            size = self.path.stat().st_size
            if size != self.n_bytes:
                raise _damaged(self.path, f"it has {size:,} bytes and its receipt states {self.n_bytes}")
            with self.path.open("rb") as handle:
                if hashlib.file_digest(handle, "sha256").hexdigest() != self.sha256:
                    raise _damaged(self.path, "its contents are not those that its receipt states")
        except OSError as error:
            raise AtlasError(f"{self.path.name} cannot be read", why=str(error), hint=_AGAIN) from error

    def _columns(self, filters: Any = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = {"feature_id": pa.int32(), "token_index": pa.int64(), "activation": pa.float32()}
        try:
            table = pq.read_table(self.path, columns=list(columns), filters=filters).cast(pa.schema(columns))
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
            raise AtlasError(f"{self.path.name} cannot be read", why=_first_line(error), hint=_AGAIN) from error
        if any(column.null_count for column in table.columns):
            raise _damaged(self.path, "values are missing in it")
        feature, token, activation = (table[name].to_numpy() for name in columns)
        return feature, token, activation

    def _fault(self, feature: np.ndarray, token: np.ndarray, activation: np.ndarray, d_sae: int) -> str | None:
        if len(feature) != self.n_nonzero:
            return f"it holds {len(feature):,} activations and its receipt states {self.n_nonzero:,}"
        if not len(feature):
            return None
        if feature.min() < 0 or feature.max() >= d_sae:
            return f"it has features that the SAE does not have: the SAE has {d_sae:,}"
        if token.min() < 0 or token.max() >= self.n_tokens:
            return f"it has tokens outside its own {self.n_tokens:,}"
        onward = (feature[1:] > feature[:-1]) | ((feature[1:] == feature[:-1]) & (token[1:] > token[:-1]))
        if not onward.all():
            return "its rows are not in the order of features and tokens"
        if not (np.isfinite(activation) & (activation >= 0)).all():
            return "it holds activations that are not finite, or below zero"
        return None


def open_scan(db: Atlas | str | Path, sae: str, corpus: str | None = None) -> Scan:
    """Find the activations of an SAE.

    Args:
        db: An open atlas or the path of one.
        sae: Name or alias.
        corpus: Name of the corpus; None takes the newest scan.

    Raises:
        AtlasError: Unknown SAE or corpus, or the scan kept no activations.
    """
    with nullcontext(db) if isinstance(db, Atlas) else open_atlas(db) as atlas:
        name = sae_named(atlas, sae)
        scans = atlas.fetch("catalog/scans_of", sae=name).dicts()
        store = atlas.store
    known = [scan["corpus"] for scan in scans]
    if not scans or (corpus is not None and corpus not in known):
        raise UnknownName(f"corpus measured with {name}", corpus or "any", known, hint="featlas ls scans")
    scan = scans[known.index(corpus)] if corpus is not None else scans[0]
    if scan["store"] is None:
        raise AtlasError(
            f"the scan of {name} on {scan['corpus']} kept no activations",
            hint="run its featlas ingest again with --replace and without --no-store",
        )
    return Scan(name, scan["corpus"], scan["n_tokens"], scan["d_sae"], store / scan["store"])


def read_scan(db: Atlas | str | Path, sae: str, corpus: str | None = None) -> sp.csr_array:
    """Activations of an SAE on a corpus as one (n_tokens, d_sae) float32 CSR array; see `open_scan`."""
    return open_scan(db, sae, corpus).csr()


def _damaged(path: Path, why: str) -> AtlasError:
    return AtlasError(f"{path.name} is damaged", why=f"{why} ({path})", hint=_AGAIN)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
