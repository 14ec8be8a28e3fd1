"""Every feature's activation pooled over each document, as sums that correlations with a label are computed from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from atlas.shapes import Float32, Float64, Int64
from ingest.accumulate.codes import Codes, TokenMap, blocks, run_starts
from ingest.accumulate.documents import N_POOLS, Documents
from ingest.accumulate.limits import TRUNCATIONS

POOL_SUMS = ("max", "max_2", "mean", "mean_2", "max_length", "mean_length", "max_label", "mean_label")
"""Sums over documents: of the max-pooled and the mean-pooled activation, their squares, and their products with the
pooled length (the tokens that are there to pool) and with the document's label. A document in which a feature is
silent counts as 0."""

_OF_ALL = 6


@dataclass(frozen=True, slots=True)
class PoolTotals:
    """Pooled activations summed over all documents of a corpus."""

    n_documents: Int64[np.ndarray, " d_sae"]
    """Documents in which each feature fired."""
    sums: Float64[np.ndarray, "6 N_POOLS d_sae"]
    """The first six of `POOL_SUMS`, over all documents."""
    labelled: Float64[np.ndarray, "label_sums N_POOLS d_sae"]
    """`POOL_SUMS` over the documents with a label; (0, …) if the corpus has no labels."""


@dataclass(frozen=True, slots=True)
class DocumentPools:
    """Pooled activations summed over documents, where a document may be cut between pieces.

    Only the first and the last document of a piece can continue in another piece. What each feature did in those is
    kept one by one until all of their tokens are there, so that pieces merge exactly in any order; pieces that merge in
    their own order keep at most two.
    """

    n_closed: Int64[np.ndarray, " d_sae"]
    """Closed documents, of which every token was seen, in which the feature fired."""
    sums: Float64[np.ndarray, "6 N_POOLS d_sae"]
    """The first six of `POOL_SUMS`, over closed documents."""
    labelled: Float64[np.ndarray, "label_sums N_POOLS d_sae"]
    """`POOL_SUMS` over those with a label; (0, …) if the corpus has no labels."""
    document: np.ndarray
    """(open,) int64, ascending: number of each open document, which may continue in another piece."""
    first: Int64[np.ndarray, " open"]
    """token_index of its first counted token, seen or not."""
    length: Int64[np.ndarray, " open"]
    """Its counted tokens seen so far."""
    label: Float64[np.ndarray, " open"]
    """Its label; NaN if it has none."""
    begun: np.ndarray
    """(begun,) int64, ascending: token_index at which a document begins while the one before it is still open."""
    edges: np.ndarray
    """(rows,) int64, sorted, unique: feature << 32 | document, for open documents."""
    edge_highest: Float32[np.ndarray, "rows N_POOLS"]
    """Largest activation in the part of the document seen so far."""
    edge_total: Float64[np.ndarray, "rows N_POOLS"]
    """Sum of activations in that part."""

    @classmethod
    def of(cls, codes: Codes, tokens: TokenMap) -> DocumentPools:
        """Pools of one piece."""
        n_closed = np.zeros(codes.d_sae, np.int64)
        sums, labelled = _nothing(codes.d_sae, has_labels=tokens.label is not None)
        keys, highest, total = [np.zeros(0, np.int64)], [np.zeros((0, N_POOLS), np.float32)], [np.zeros((0, N_POOLS))]
        documents = Documents.of(tokens)
        for block in blocks(codes.feature):
            rows = _Rows.of(codes, block, documents.section)
            at_edge = documents.at_edge[rows.document]
            inside, edge = rows.take(~at_edge), rows.take(at_edge)
            n_closed += np.bincount(inside.feature, minlength=codes.d_sae)
            label = None if documents.label is None else documents.label[inside.document]
            _add_rows(sums, labelled, inside, documents.length[inside.document], label)
            keys.append(edge.feature.astype(np.int64) << 32 | documents.number[edge.document])
            highest.append(edge.highest.T)
            total.append(edge.total.T)
        rows = np.concatenate(keys), np.concatenate(highest), np.concatenate(total)
        return cls(n_closed, sums, labelled, *documents.open(), documents.begun, *rows)

    def merge(self, other: DocumentPools) -> DocumentPools:
        """Pools of both pieces; documents of which all tokens are there now are closed."""
        keys, length, highest, total = (
            np.concatenate(pair)
            for pair in (
                (self.edges, other.edges),
                (self.length, other.length),
                (self.edge_highest, other.edge_highest),
                (self.edge_total, other.edge_total),
            )
        )
        order = np.argsort(keys, kind="stable")
        starts = run_starts(keys[order])
        document, one, same = np.unique(
            np.concatenate([self.document, other.document]), return_index=True, return_inverse=True
        )
        merged = DocumentPools(
            n_closed=self.n_closed + other.n_closed,
            sums=self.sums + other.sums,
            labelled=self.labelled + other.labelled,
            document=document,
            first=np.concatenate([self.first, other.first])[one],
            length=np.bincount(same, length, minlength=len(document)).astype(np.int64),
            label=np.concatenate([self.label, other.label])[one],
            begun=np.union1d(self.begun, other.begun),
            edges=keys[order][starts],
            edge_highest=np.maximum.reduceat(highest[order], starts, axis=0),
            edge_total=np.add.reduceat(total[order], starts, axis=0),
        )
        # Another document begins where this one's tokens, as many as were seen, would end: none of them is missing.
        return merged._close(np.isin(merged.first + merged.length, merged.begun))

    def _close(self, ended: np.ndarray) -> DocumentPools:
        """Add open documents, of which all tokens were seen, to the sums; the arrays of sums are changed."""
        if not ended.any():
            return self
        place = np.searchsorted(self.document, self.edges & 0xFFFFFFFF)
        closing = ended[place]
        rows = _Rows(self.edges >> 32, place, self.edge_highest.T, self.edge_total.T).take(closing)
        label = self.label[rows.document] if len(self.labelled) else None
        _add_rows(self.sums, self.labelled, rows, self.length[rows.document], label)
        return replace(
            self,
            n_closed=self.n_closed + np.bincount(rows.feature, minlength=len(self.n_closed)),
            document=self.document[~ended],
            first=self.first[~ended],
            length=self.length[~ended],
            label=self.label[~ended],
            begun=np.setdiff1d(self.begun, (self.first + self.length)[ended]),
            edges=self.edges[~closing],
            edge_highest=self.edge_highest[~closing],
            edge_total=self.edge_total[~closing],
        )

    def counts(self) -> np.ndarray:
        """(d_sae,) int64: documents in which each feature fired."""
        return self.n_closed + np.bincount(self.edges >> 32, minlength=len(self.n_closed))

    def totals(self) -> PoolTotals:
        """Sums over all documents, when every piece has been merged."""
        copied = replace(self, sums=self.sums.copy(), labelled=self.labelled.copy())
        closed = copied._close(np.ones(len(self.document), bool))
        return PoolTotals(closed.n_closed, closed.sums, closed.labelled)


@dataclass(frozen=True, slots=True)
class DocumentSums:
    """Sums over the documents of a corpus that correlations need besides `PoolTotals`."""

    n_documents: int
    """Documents."""
    length: Float64[np.ndarray, "2 N_POOLS"]
    """Pooled length, and its square, over all documents."""
    n_labelled: int
    """Documents with a label."""
    label: Float64[np.ndarray, " 2"]
    """Label, and its square, over those."""
    labelled_length: Float64[np.ndarray, "3 N_POOLS"]
    """Pooled length, its square, and its product with the label, over those."""

    @classmethod
    def of(cls, document_length: np.ndarray, label: np.ndarray | None) -> DocumentSums:
        """Sums of a corpus.

        Args:
            document_length: (n_documents,) counted tokens of each document.
            label: (n_documents,) float64, NaN for none; None if the corpus has no labels.
        """
        length = pooled_length(document_length)
        known = np.zeros(len(document_length), bool) if label is None else ~np.isnan(label)
        y, there = (np.zeros(0) if label is None else label[known]), length[:, known]
        return cls(
            n_documents=len(document_length),
            length=np.stack([length.sum(axis=1), (length * length).sum(axis=1)]),
            n_labelled=len(y),
            label=np.array([y.sum(), (y * y).sum()]),
            labelled_length=np.stack([there.sum(axis=1), (there * there).sum(axis=1), (there * y).sum(axis=1)]),
        )


def pooled_length(document_length: np.ndarray) -> np.ndarray:
    """(N_POOLS, n_documents) float64: tokens of each document that are there to pool."""
    return np.minimum(np.array([*TRUNCATIONS, np.inf])[:, None], document_length)


@dataclass(frozen=True, slots=True)
class _Rows:
    """What features did in documents: one row a pair that fired, features ascending."""

    feature: np.ndarray
    """(rows,) feature."""
    document: np.ndarray
    """(rows,) document."""
    highest: Float32[np.ndarray, "N_POOLS rows"]
    """Largest activation in each pool; 0 if none is in it."""
    total: Float64[np.ndarray, "N_POOLS rows"]
    """Sum of activations in each pool."""

    @classmethod
    def of(cls, codes: Codes, block: slice, section: np.ndarray) -> _Rows:
        """Rows of whole features; documents are numbered as in `section`."""
        feature, entered = codes.feature[block], section[codes.token[block]]
        starts = run_starts(feature, entered)
        activation = codes.activation[block]
        in_section = np.maximum.reduceat(activation, starts), np.add.reduceat(activation, starts, dtype=np.float64)
        feature, (document, pool) = feature[starts], np.divmod(entered[starts], N_POOLS)
        rows = run_starts(feature, document)
        row = np.repeat(np.arange(len(rows)), np.diff(np.append(rows, len(starts))))
        highest, total = np.zeros((N_POOLS, len(rows)), np.float32), np.zeros((N_POOLS, len(rows)))
        highest[pool, row], total[pool, row] = in_section
        np.maximum.accumulate(highest, axis=0, out=highest)
        np.cumsum(total, axis=0, out=total)
        return cls(feature[rows], document[rows], highest, total)

    def take(self, rows: np.ndarray) -> _Rows:
        return _Rows(self.feature[rows], self.document[rows], self.highest[:, rows], self.total[:, rows])


def _nothing(d_sae: int, *, has_labels: bool) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((_OF_ALL, N_POOLS, d_sae)), np.zeros((len(POOL_SUMS) * has_labels, N_POOLS, d_sae))


def _add_rows(
    sums: np.ndarray, labelled: np.ndarray, rows: _Rows, length: np.ndarray, label: np.ndarray | None
) -> None:
    """Add rows, of which `length` and `label` are given, to sums over documents."""
    _add_columns(sums, rows, pooled_length(length), np.zeros(len(length)))
    if label is not None:
        known = ~np.isnan(label)
        _add_columns(labelled, rows.take(known), pooled_length(length[known]), label[known])


def _add_columns(sums: np.ndarray, rows: _Rows, length: np.ndarray, label: np.ndarray) -> None:
    """Add the products that `POOL_SUMS` names to as many of the sums as there are."""
    starts = run_starts(rows.feature)
    fired = rows.feature[starts]
    highest, mean = rows.highest.astype(np.float64), rows.total / length
    factors = ((highest, 1), (highest, highest), (mean, 1), (mean, mean), (highest, length), (rows.total, 1))
    factors += ((highest, label), (mean, label))
    for into, (one, other) in zip(sums, factors, strict=False):
        into[:, fired] += np.add.reduceat(one * other, starts, axis=1)
