"""Claims about sums by position, by token and over documents: they equal dense definitions, however a corpus is cut."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.accumulate.codes import Codes, TokenMap, order_within
from ingest.accumulate.limits import TRUNCATIONS
from ingest.accumulate.partial import Partial
from ingest.accumulate.pooling import POOL_SUMS, DocumentPools, DocumentSums
from ingest.accumulate.positions import Positions, tokens_at_positions
from ingest.accumulate.tokens import TokenSums, top_tokens

D_SAE, LENGTH, N_VOCAB = 5, 9, 6
DEAD, ALWAYS = 3, 4
LENGTHS = (*TRUNCATIONS, 10**9)


class Toy:
    """A corpus of contexts of nine tokens, of which the first is not counted; feature 3 is dead, feature 4 always on."""

    def __init__(self, seed: int, n_contexts: int, mean_document: float = 30, labelled: float | None = 0.7):
        rng = np.random.default_rng(seed)
        n = n_contexts * (LENGTH - 1)
        self.dense = (np.ceil(rng.gamma(1, 2, (n, D_SAE)) * 8) / 8).astype(np.float32)  # sums are exact: ties are ties
        self.dense *= rng.random((n, D_SAE)) < rng.random(D_SAE) * 0.3
        self.dense[:, DEAD], self.dense[:, ALWAYS] = 0, 1 + rng.random(n)
        self.document = np.cumsum(np.arange(n) * (rng.random(n) < 1 / mean_document) > 0).astype(np.int32)
        self.token_id = rng.integers(0, N_VOCAB, n).astype(np.int32)
        self.label = None if labelled is None else rng.normal(size=self.document[-1] + 1)
        if self.label is not None:
            self.label[rng.random(len(self.label)) > labelled] = np.nan

    def piece(self, begin: int, end: int) -> tuple[Codes, TokenMap]:
        """Contexts [begin, end)."""
        here = slice(begin * (LENGTH - 1), end * (LENGTH - 1))
        rows, document = self.dense[here], self.document[here]
        token, feature = np.nonzero(rows)
        tokens = TokenMap(
            first=here.start,
            context=np.repeat(np.arange(begin, end, dtype=np.int32), LENGTH - 1),
            position=np.tile(np.arange(1, LENGTH, dtype=np.int32), end - begin),
            document=document,
            context_length=np.full(len(rows), LENGTH, np.int32),
            token_id=self.token_id[here],
            place=(np.arange(here.start, here.stop) - np.searchsorted(self.document, document)).astype(np.int32),
            label=None if self.label is None else self.label[document],
        )
        return Codes.of(D_SAE, feature, token, rows[token, feature]), tokens

    def merged(self, kind, n_contexts: int, cuts, order):
        """The statistic of all contexts, from pieces merged in some order."""
        edges = [0, *sorted(cut for cut in cuts if cut < n_contexts), n_contexts]
        pieces = [kind.of(*self.piece(begin, end)) for begin, end in pairwise(edges)]
        order.shuffle(pieces)
        return reduce(kind.merge, pieces)

    def pooled(self, feature: int, length: int) -> tuple[np.ndarray, ...]:
        """Max-pooled value, mean-pooled value and pooled length of every document."""
        column = self.dense[:, feature].astype(np.float64)
        parts = [column[self.document == d][:length] for d in np.unique(self.document)]
        return tuple(np.array([f(part) for part in parts]) for f in (np.max, np.mean, len))


corpora = {"seed": st.integers(0, 10_000), "n_contexts": st.integers(1, 30), "cuts": st.sets(st.integers(1, 29)),
           "order": st.randoms(use_true_random=False)}  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(**corpora)
def test_sums_by_position_equal_the_dense_ones_for_any_cut(seed, n_contexts, cuts, order):
    toy = Toy(seed, n_contexts)
    sums = toy.merged(Positions, n_contexts, cuts, order)
    position = np.tile(np.arange(1, LENGTH), n_contexts)
    expected = [
        (feature, place, np.count_nonzero(rows), rows.sum(), (rows**2).sum())
        for feature in range(D_SAE)
        for place in range(LENGTH)
        for rows in [toy.dense[position == place, feature].astype(np.float64)]
        if rows.any()
    ]
    columns = list(zip(*expected, strict=True))
    assert (sums.feature.tolist(), sums.position.tolist()) == (list(columns[0]), list(columns[1]))
    assert sums.n_fired.tolist() == list(columns[2])
    np.testing.assert_allclose([sums.total, sums.total_2], columns[3:], rtol=1e-12)


def test_tokens_at_positions_count_every_counted_token():
    assert tokens_at_positions(Toy(0, 7).piece(0, 7)[1]).tolist() == [0] + [7] * (LENGTH - 1)


@settings(max_examples=60, deadline=None)
@given(**corpora)
def test_sums_by_token_equal_the_dense_ones_for_any_cut(seed, n_contexts, cuts, order):
    toy = Toy(seed, n_contexts)
    sums = toy.merged(TokenSums, n_contexts, cuts, order)
    one_hot = toy.token_id[:, None] == np.arange(N_VOCAB)
    n_fired, total = (toy.dense > 0).T.astype(int) @ one_hot, toy.dense.T.astype(np.float64) @ one_hot
    feature, token_id = np.nonzero(n_fired)
    assert (sums.feature.tolist(), sums.token_id.tolist()) == (feature.tolist(), token_id.tolist())
    assert sums.n_fired.tolist() == n_fired[feature, token_id].tolist()
    np.testing.assert_allclose(sums.total, total[feature, token_id], rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), n_contexts=st.integers(1, 12), k=st.integers(1, 7))
def test_top_tokens_are_the_first_by_lift_and_by_sum(seed, n_contexts, k):
    toy = Toy(seed, n_contexts)
    fired = (toy.dense > 0).sum(axis=0)
    base = np.bincount(toy.token_id, minlength=N_VOCAB)
    tops = top_tokens(TokenSums.of(*toy.piece(0, n_contexts)), fired, base, len(toy.dense), k=k)
    rows = {(f, t): row for row, (f, t) in enumerate(zip(tops.feature.tolist(), tops.token_id.tolist(), strict=True))}
    for feature in range(D_SAE):
        cells = []
        for token in np.unique(toy.token_id):
            here = toy.dense[toy.token_id == token, feature]
            if here.any():
                cells.append((int(token), np.count_nonzero(here), float(here.astype(np.float64).sum())))
        by_lift = sorted(cells, key=lambda cell: (-cell[1] / base[cell[0]], -cell[1], cell[0]))[:k]
        by_total = sorted(cells, key=lambda cell: (-cell[2], -cell[1], cell[0]))[:k]
        assert {t for f, t in rows if f == feature} == {cell[0] for cell in by_lift + by_total}
        for place, (token, n, _) in enumerate(by_lift, start=1):
            row = rows[feature, token]
            assert (tops.rank_by_lift[row], tops.n_fired[row]) == (place, n)
            assert tops.lift[row] == pytest.approx((n / fired[feature]) / (base[token] / len(toy.dense)), rel=1e-12)
        assert [tops.rank_by_total[rows[feature, cell[0]]] for cell in by_total] == list(range(1, len(by_total) + 1))
        assert sum(tops.rank_by_lift[tops.feature == feature] > 0) == len(by_lift)
        assert sum(tops.rank_by_total[tops.feature == feature] > 0) == len(by_total)


def test_equal_tokens_rank_by_firings_and_then_by_id():
    sums = TokenSums(np.zeros(4, np.int32), np.arange(4, dtype=np.int32), np.array([1, 2, 2, 1]), np.full(4, 3.0))
    tops = top_tokens(sums, np.array([6]), np.array([2, 4, 4, 2]), 100, k=3)
    assert tops.token_id.tolist() == [0, 1, 2]
    assert (tops.rank_by_lift.tolist(), tops.rank_by_total.tolist()) == ([3, 1, 2], [3, 1, 2])


@settings(max_examples=25, deadline=None)
@given(mean_document=st.sampled_from([1.5, 12, 60, 10_000]), labelled=st.sampled_from([None, 0, 0.5, 1]), **corpora)
def test_pools_equal_the_dense_ones_for_any_cut(mean_document, labelled, seed, n_contexts, cuts, order):
    n_contexts *= 4
    toy = Toy(seed, n_contexts, mean_document, labelled)
    document_length = np.bincount(toy.document)
    totals = toy.merged(DocumentPools, n_contexts, {4 * c for c in cuts}, order).totals()
    label = np.full(len(document_length), np.nan) if toy.label is None else toy.label
    known = ~np.isnan(label)
    assert len(totals.labelled) == (0 if labelled is None else len(POOL_SUMS))
    for feature in range(D_SAE):
        for pool, length in enumerate(LENGTHS):
            high, mean, there = toy.pooled(feature, length)
            products = (high, high**2, mean, mean**2, high * there, mean * there, high * label, mean * label)
            expected = [column.sum() for column in products[:6]]
            np.testing.assert_allclose(totals.sums[:, pool, feature], expected, rtol=1e-9)
            expected = [column[known].sum() for column in products][: len(totals.labelled)]
            np.testing.assert_allclose(totals.labelled[:, pool, feature], expected, rtol=1e-9, atol=1e-9)
        assert totals.n_documents[feature] == np.count_nonzero(toy.pooled(feature, 10**9)[0])


def test_a_document_cut_over_many_pieces_is_pooled_as_one():
    toy = Toy(1, 12, mean_document=1e9)
    pieces = [DocumentPools.of(*toy.piece(begin, begin + 1)) for begin in range(12)]
    totals = reduce(DocumentPools.merge, pieces).totals()
    assert totals.n_documents.tolist() == [int(f != DEAD) for f in range(D_SAE)]
    assert totals.sums[0, 0].tolist() == toy.dense[:16].max(axis=0).tolist()
    np.testing.assert_allclose(totals.sums[2, -1], toy.dense.mean(axis=0, dtype=np.float64), rtol=1e-12)


def test_a_whole_document_at_the_front_of_a_piece_is_not_kept_one_by_one():
    toy = Toy(2, 20, mean_document=10)
    pools = DocumentPools.of(*toy.piece(0, 20))
    assert set(pools.edges & 0xFFFFFFFF) == set(pools.document) == {toy.document[-1]}


@settings(max_examples=60, deadline=None)
@given(mean_document=st.sampled_from([1.5, 12, 60, 10_000]), begin=st.integers(0, 10), **corpora)
def test_pieces_merged_in_their_order_keep_two_documents_at_most(mean_document, begin, seed, n_contexts, cuts, order):
    toy, end = Toy(seed, begin + n_contexts, mean_document), begin + n_contexts
    edges = [begin, *sorted(cut for cut in cuts if begin < cut < end), end]
    pieces = [DocumentPools.of(*toy.piece(*edge)) for edge in pairwise(edges)]
    merged = pieces[0]
    for piece in pieces[1:]:
        merged = merged.merge(piece)
        assert len(merged.document) <= 2
        assert len(merged.begun) <= 1
        assert len(merged.edges) <= 2 * D_SAE
    order.shuffle(pieces)
    shuffled = reduce(DocumentPools.merge, pieces)
    for name in ("n_closed", "document", "first", "length", "label", "begun", "edges", "edge_highest"):
        np.testing.assert_array_equal(getattr(shuffled, name), getattr(merged, name), err_msg=name)


def test_neighbours_may_come_last():
    toy = Toy(4, 41, mean_document=12)
    pieces = [DocumentPools.of(*toy.piece(at, at + 1)) for at in (*range(0, 41, 2), *range(1, 41, 2))]
    halves = reduce(DocumentPools.merge, pieces[:21])
    merged = reduce(DocumentPools.merge, pieces[21:], halves)
    assert len(halves.document) > 2
    assert merged.document.tolist() == [toy.document[-1]]
    assert merged.totals().n_documents[ALWAYS] == toy.document[-1] + 1


def test_totals_leave_open_documents_open():
    toy = Toy(5, 20)
    pools = DocumentPools.of(*toy.piece(0, 10))
    once, again = pools.totals(), pools.totals()
    np.testing.assert_array_equal(once.sums, again.sums)
    np.testing.assert_array_equal(once.labelled, again.labelled)


@pytest.mark.parametrize("pool", [0, 3, 6])
@pytest.mark.parametrize("pooling", ["max", "mean"])
def test_correlations_with_the_label_given_the_length_follow_from_the_sums(pool, pooling):
    toy = Toy(3, 200, mean_document=25, labelled=0.6)
    document_length, known = np.bincount(toy.document), ~np.isnan(toy.label)
    totals = DocumentPools.of(*toy.piece(0, 200)).totals()
    base = DocumentSums.of(document_length, toy.label)
    sums = dict(zip(POOL_SUMS, totals.labelled[:, pool, 0], strict=True))
    n, (y, yy), (t, tt, ty) = base.n_labelled, base.label, base.labelled_length[:, pool]
    v, vv, vy, vt = (sums[pooling + ending] for ending in ("", "_2", "_label", "_length"))
    cov = np.array([[n * vv - v * v, n * vy - v * y, n * vt - v * t],
                    [n * vy - v * y, n * yy - y * y, n * ty - t * y],
                    [n * vt - v * t, n * ty - t * y, n * tt - t * t]])  # fmt: skip
    high, mean, there = (column[known] for column in toy.pooled(0, LENGTHS[pool]))
    value, label = (high if pooling == "max" else mean), toy.label[known]
    assert cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1]) == pytest.approx(np.corrcoef(value, label)[0, 1], rel=1e-6)
    rest = [x - np.polyval(np.polyfit(there, x, 1), there) for x in (value, label)]
    inverse = np.linalg.inv(cov / n**2)
    partial = -inverse[0, 1] / np.sqrt(inverse[0, 0] * inverse[1, 1])
    assert partial == pytest.approx(np.corrcoef(*rest)[0, 1], rel=1e-6)


def test_sums_over_documents_of_a_corpus_without_labels():
    base = DocumentSums.of(np.array([3, 700, 40]), None)
    assert (base.n_documents, base.n_labelled, base.label.tolist()) == (3, 0, [0, 0])
    assert base.length[0].tolist() == [35, 67, 107, 171, 299, 555, 743]
    assert base.length[1][-1] == 9 + 700**2 + 1600


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2**40)), max_size=60))
def test_entries_are_ordered_within_their_group_and_stay_in_order_where_equal(entries):
    entries.sort(key=lambda entry: entry[0])
    group, key = np.array(entries, np.int64).reshape(-1, 2).T
    assert order_within(group, key).tolist() == np.lexsort((key, group)).tolist()


def test_one_token_and_one_document_are_enough():
    toy = Toy(0, 1)
    codes, tokens = toy.piece(0, 1)
    one = TokenMap(0, *(getattr(tokens, name)[:1] for name in TokenMap.__slots__[1:]))
    first = codes.token == 0
    codes = Codes(D_SAE, codes.feature[first], codes.token[first], codes.activation[first])
    partial = Partial.of(codes, one)
    assert partial.documents.counts().sum() == len(codes) == partial.by_position.n_fired.sum()
    totals = partial.documents.totals()
    assert totals.sums[0].tolist() == totals.sums[2].tolist() == [toy.dense[0].tolist()] * len(LENGTHS)
    nothing = Partial.of(Codes.of(D_SAE, *np.zeros((3, 0), np.int32)), one)
    assert nothing.merge(partial).documents.counts().tolist() == partial.documents.counts().tolist()
