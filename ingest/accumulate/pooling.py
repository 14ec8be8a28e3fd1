"""Every feature's activation pooled over each document, as sums that correlations with a label are computed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingest.accumulate.codes import Codes, TokenMap, blocks, run_starts
from ingest.accumulate.limits import TRUNCATIONS

N_POOLS = len(TRUNCATIONS) + 1
"""Lengths over which is pooled: the leading 16, 32, … counted tokens of a document, and last the whole document."""

POOL_SUMS = ("max", "max_2", "mean", "mean_2", "max_length", "mean_length", "max_label", "mean_label")
"""Sums over documents: of the max-pooled and the mean-pooled activation, their squares, and their products with the
pooled length (the tokens that are there to pool) and with the document's label. A document in which a feature is
silent counts as 0."""

_OF_ALL = 6


@dataclass(frozen=True, slots=True)
class PoolTotals:
    """Pooled activations summed over all documents of a corpus."""

    n_documents: np.ndarray
    """(d_sae,) int64: documents in which each feature fired."""

    sums: np.ndarray
    """(6, N_POOLS, d_sae) float64: the first six of `POOL_SUMS`, over all documents."""

    labelled: np.ndarray
    """(8, N_POOLS, d_sae) float64: `POOL_SUMS` over the documents with a label; (0, …) if the corpus has no labels."""


@dataclass(frozen=True, slots=True)
class DocumentPools:
    """Pooled activations summed over documents, where a document may be cut between pieces.

    Only the first and the last document of a piece can go on in another piece. What each feature did in those is kept
    one by one, so that pieces merge exactly in any order.
    """

    n_inside: np.ndarray
    """(d_sae,) int64: documents wholly inside a piece in which the feature fired."""

    sums: np.ndarray
    """(6, N_POOLS, d_sae) float64: the first six of `POOL_SUMS`, over documents wholly inside a piece."""

    labelled: np.ndarray
    """(8, N_POOLS, d_sae) float64: `POOL_SUMS` over those with a label; (0, …) if the corpus has no labels."""

    edges: np.ndarray
    """(rows,) int64, sorted, unique: feature << 32 | document, for documents that may go on in another piece."""

    edge_highest: np.ndarray
    """(rows, N_POOLS) float32: largest activation in the part of the document seen so far."""

    edge_total: np.ndarray
    """(rows, N_POOLS) float64: sum of activations in that part."""

    @classmethod
    def of(cls, codes: Codes, tokens: TokenMap) -> DocumentPools:
        """Pools of one piece."""
        n_inside = np.zeros(codes.d_sae, np.int64)
        sums, labelled = _nothing(codes.d_sae, has_labels=tokens.label is not None)
        keys, highest, total = [np.zeros(0, np.int64)], [np.zeros((0, N_POOLS), np.float32)], [np.zeros((0, N_POOLS))]
        documents = _Documents.of(tokens)
        for block in blocks(codes.feature):
            rows = _Rows.of(codes, block, documents.section)
            at_edge = documents.at_edge[rows.document]
            inside, edge = rows.take(~at_edge), rows.take(at_edge)
            n_inside += np.bincount(inside.feature, minlength=codes.d_sae)
            label = None if documents.label is None else documents.label[inside.document]
            _add_rows(sums, labelled, inside, documents.length[inside.document], label)
            keys.append(edge.feature.astype(np.int64) << 32 | documents.number[edge.document])
            highest.append(edge.highest.T)
            total.append(edge.total.T)
        return cls(n_inside, sums, labelled, np.concatenate(keys), np.concatenate(highest), np.concatenate(total))

    def merge(self, other: DocumentPools) -> DocumentPools:
        """Pools of both pieces."""
        keys = np.concatenate([self.edges, other.edges])
        order = np.argsort(keys, kind="stable")
        starts = run_starts(keys[order])
        highest = np.concatenate([self.edge_highest, other.edge_highest])[order]
        total = np.concatenate([self.edge_total, other.edge_total])[order]
        return DocumentPools(
            n_inside=self.n_inside + other.n_inside,
            sums=self.sums + other.sums,
            labelled=self.labelled + other.labelled,
            edges=keys[order][starts],
            edge_highest=np.maximum.reduceat(highest, starts, axis=0),
            edge_total=np.add.reduceat(total, starts, axis=0),
        )

    def counts(self) -> np.ndarray:
        """(d_sae,) int64: documents in which each feature fired."""
        return self.n_inside + np.bincount(self.edges >> 32, minlength=len(self.n_inside))

    def totals(self, document_length: np.ndarray, label: np.ndarray | None) -> PoolTotals:
        """Sums over all documents, when every piece has been merged.

        Args:
            document_length: (n_documents,) counted tokens of each document of the corpus.
            label: (n_documents,) float64, NaN for none; None if the corpus has no labels.
        """
        rows = _Rows(self.edges >> 32, self.edges & 0xFFFFFFFF, self.edge_highest.T, self.edge_total.T)
        sums, labelled = self.sums.copy(), self.labelled.copy()
        _add_rows(sums, labelled, rows, document_length[rows.document], None if label is None else label[rows.document])
        return PoolTotals(self.counts(), sums, labelled)


@dataclass(frozen=True, slots=True)
class DocumentSums:
    """Sums over the documents of a corpus that correlations need besides `PoolTotals`."""

    n_documents: int
    """Documents."""

    length: np.ndarray
    """(2, N_POOLS) float64: pooled length, and its square, over all documents."""

    n_labelled: int
    """Documents with a label."""

    label: np.ndarray
    """(2,) float64: label, and its square, over those."""

    labelled_length: np.ndarray
    """(3, N_POOLS) float64: pooled length, its square, and its product with the label, over those."""

    @classmethod
    def of(cls, document_length: np.ndarray, label: np.ndarray | None) -> DocumentSums:
        """Sums of a corpus, from what `DocumentPools.totals` is given."""
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
class _Documents:
    """The documents of one piece, in their order."""

    number: np.ndarray
    """(documents,) int32: number in the corpus."""

    length: np.ndarray
    """(documents,) int64: counted tokens in the piece."""

    at_edge: np.ndarray
    """(documents,) bool: whether it may go on in another piece."""

    label: np.ndarray | None
    """(documents,) float64: its label."""

    section: np.ndarray
    """(tokens,) int32: N_POOLS * place of the document in the piece + first pool that the token enters."""

    @classmethod
    def of(cls, tokens: TokenMap) -> _Documents:
        """Documents of a piece; the first one is whole if it begins here and another follows."""
        begins = run_starts(tokens.document)
        length = np.diff(np.append(begins, len(tokens)))
        at_edge = np.zeros(len(begins), bool)
        at_edge[-1:] = True
        at_edge[:1] |= tokens.place[:1] > 0
        first_pool = np.searchsorted(np.array(TRUNCATIONS), tokens.place, side="right")
        return cls(
            number=tokens.document[begins],
            length=length,
            at_edge=at_edge,
            label=None if tokens.label is None else tokens.label[begins],
            section=(np.repeat(np.arange(len(begins)) * N_POOLS, length) + first_pool).astype(np.int32),
        )


@dataclass(frozen=True, slots=True)
class _Rows:
    """What features did in documents: one row a pair that fired, features ascending."""

    feature: np.ndarray
    """(rows,) feature."""

    document: np.ndarray
    """(rows,) document."""

    highest: np.ndarray
    """(N_POOLS, rows) float32: largest activation in each pool; 0 if none is in it."""

    total: np.ndarray
    """(N_POOLS, rows) float64: sum of activations in each pool."""

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
        """Those rows."""
        return _Rows(self.feature[rows], self.document[rows], self.highest[:, rows], self.total[:, rows])


def _nothing(d_sae: int, *, has_labels: bool) -> tuple[np.ndarray, np.ndarray]:
    """Sums over no documents: of all, and of those with a label."""
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
