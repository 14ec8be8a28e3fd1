"""Claims about features on spans of text: a set of characters for every token says which tokens belong together."""

from __future__ import annotations

import itertools
import re
import time
import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.pairing import correlate_sparse
from atlas.pairing.tokens.alignment import Alignment, UnitTokens, align, to_units
from atlas.pairing.tokens.tokenized import TokenizedText
from tests.support.pairing_laws import activations, same

Tokens = list[list[bytes]]
"""Tokens of each document."""

CHARACTERS = [*list("abcde  \n\t"), "é", "ß", "日", "🙂", "\u3000", "\xa0", "  "]

texts = st.lists(
    st.lists(st.sampled_from(CHARACTERS), min_size=1, max_size=25).map("".join), min_size=1, max_size=4
).map(lambda documents: [text if text.strip() else "x" + text for text in documents])


def spelled(token: bytes) -> str:
    """A token as a vocabulary shows it: bytes that are no whole character by number."""
    escaped = token.decode("utf-8", "surrogateescape")
    return "".join(f"<0x{ord(c) - 0xDC00:02X}>" if 0xDC80 <= ord(c) < 0xDD00 else c for c in escaped)


def cut_of(documents: Tokens) -> TokenizedText:
    vocabulary = sorted({spelled(token) for tokens in documents for token in tokens})
    ids = np.array([vocabulary.index(spelled(token)) for tokens in documents for token in tokens], np.int32)
    return TokenizedText.of(
        ids, np.repeat(np.arange(len(documents)), [len(tokens) for tokens in documents]), vocabulary
    )


def cut_at_random(documents: list[str], rng: np.random.Generator, share: float) -> Tokens:
    """Every document in bytes, cut before a random share of them."""
    pieces = []
    for document in documents:
        raw = document.encode()
        at = [0, *(np.flatnonzero(rng.random(len(raw) - 1) < share) + 1), len(raw)]
        pieces.append([raw[i:j] for i, j in itertools.pairwise(at)])
    return pieces


def labels(documents: Tokens, others: Tokens) -> list[list[tuple[set, set]]]:
    """For each token its characters as labels that both texts share, and of them those without white space at its ends.

    Content counts from the start of the document. White space counts from the content before it, one by one where the
    other text has the same white space there, and else as one, which a token holds that has content on both sides of it.
    """
    found = []
    for tokens, theirs in zip(documents, others, strict=True):
        spaces, content, per_token = _spaces(b"".join(tokens)), 0, []
        per_byte, other_gaps = [], _gaps(b"".join(theirs))
        gap_of, in_gap = _gaps(b"".join(tokens)), 0
        for i in range(len(b"".join(tokens))):
            if i in spaces:
                alike = gap_of.get(content) == other_gaps.get(content)
                per_byte.append(("space", content, in_gap if alike else 0))
                in_gap += 1
            else:
                per_byte.append(("content", content))
                content, in_gap = content + 1, 0
        ends = [0, *itertools.accumulate(map(len, tokens))]
        for i, j in itertools.pairwise(ends):
            content_at = [k for k in range(i, j) if per_byte[k][0] == "content"]
            dropped = {("space", per_byte[k][1], 0) for k in content_at[1:]}
            inner = set(per_byte[content_at[0] : content_at[-1] + 1] if content_at else per_byte[i:j]) | dropped
            per_token.append((set(per_byte[i:j]) | dropped, inner))
        found.append(per_token)
    return found


def _spaces(raw: bytes) -> set[int]:
    """Bytes that belong to characters of white space."""
    return {
        i
        for match in re.finditer(r"\s", raw.decode("utf-8", "surrogateescape"))
        for before in [raw.decode("utf-8", "surrogateescape")[: match.start()].encode("utf-8", "surrogateescape")]
        for i in range(len(before), len(before) + len(match.group().encode()))
    }


def _gaps(raw: bytes) -> dict[int, bytes]:
    """White space by how many bytes of content stand before it."""
    spaces, content, gaps = _spaces(raw), 0, {}
    for i, byte in enumerate(raw):
        if i in spaces:
            gaps[content] = gaps.get(content, b"") + bytes([byte])
        else:
            content += 1
    return gaps


def units_by_hand(a: Tokens, b: Tokens) -> tuple[str, list[tuple[list[int], list[int]]]]:
    """The coarser side, and the tokens of both sides of each unit: by comparing every token with every other."""
    of_a, of_b = labels(a, b), labels(b, a)
    coarser = "a" if sum(map(len, a)) <= sum(map(len, b)) else "b"
    coarse, fine = (of_a, of_b) if coarser == "a" else (of_b, of_a)
    units, at_coarse, at_fine = [], 0, 0
    for units_here, tokens_here in zip(coarse, fine, strict=True):
        for i, (whole, _) in enumerate(units_here):
            members = [at_fine + j for j, (_, inner) in enumerate(tokens_here) if whole & inner]
            if members:
                units.append(([at_coarse + i], members) if coarser == "a" else (members, [at_coarse + i]))
        at_coarse, at_fine = at_coarse + len(units_here), at_fine + len(tokens_here)
    return coarser, units


def listed(tokens: UnitTokens) -> list[list[int]]:
    return [tokens.token[i:j].tolist() for i, j in itertools.pairwise(tokens.start)]


def assert_units(alignment: Alignment, a: Tokens, b: Tokens) -> None:
    coarser, units = units_by_hand(a, b)
    assert alignment.coarser == coarser
    assert listed(alignment.a) == [of_a for of_a, _ in units]
    assert listed(alignment.b) == [of_b for _, of_b in units]


@settings(max_examples=300, deadline=None)
@given(texts, st.integers(0, 2**32 - 1), st.sampled_from([0.05, 0.3, 0.8]), st.sampled_from([0.05, 0.3, 0.8]))
def test_units_are_what_a_loop_over_characters_finds(documents, seed, share_a, share_b):
    rng = np.random.default_rng(seed)
    a, b = cut_at_random(documents, rng, share_a), cut_at_random(documents, rng, share_b)
    found = align(cut_of(a), cut_of(b))
    assert (found.n_documents, found.n_left_out, found.difference) == (len(documents), 0, None)
    assert_units(found, a, b)


@settings(max_examples=300, deadline=None)
@given(texts, st.integers(0, 2**32 - 1), st.sampled_from([0.2, 0.7]))
def test_white_space_that_one_tokenizer_drops_adds_or_changes_moves_nothing_else(documents, seed, share):
    rng = np.random.default_rng(seed)
    changed = [re.sub(r"\s+", lambda _: rng.choice(["", " ", "  ", "\n "]), " " + text) for text in documents]
    a, b = cut_at_random(documents, rng, share), cut_at_random(changed, rng, share)
    found = align(cut_of(a), cut_of(b))
    assert found.n_documents == len(documents)
    assert_units(found, a, b)


@settings(max_examples=100, deadline=None)
@given(texts, st.integers(0, 2**32 - 1), st.sampled_from([0.1, 0.5, 1.0]))
def test_the_same_cut_on_both_sides_changes_no_activation(documents, seed, share):
    rng = np.random.default_rng(seed)
    tokens = cut_at_random(documents, rng, share)
    found = align(cut_of(tokens), cut_of(tokens))
    n_tokens = sum(map(len, tokens))
    assert found.n_units == found.a.n_tokens == found.b.n_tokens == n_tokens
    a, b = (sp.csr_array(activations(rng, n_tokens, 12, 0.3)) for _ in range(2))
    assert (to_units(a, found.a) != a).nnz == 0
    if n_tokens > 1:
        assert same(correlate_sparse(a, b), correlate_sparse(to_units(a, found.a), to_units(b, found.b)))


@settings(max_examples=60, deadline=None)
@given(texts, st.integers(0, 2**32 - 1))
def test_a_feature_is_as_strong_on_a_unit_as_on_its_strongest_token(documents, seed):
    rng = np.random.default_rng(seed)
    a, b = cut_at_random(documents, rng, 0.5), cut_at_random(documents, rng, 0.5)
    found = align(cut_of(a), cut_of(b))
    for tokens, side in ((a, found.a), (b, found.b)):
        x = activations(rng, sum(map(len, tokens)), 10, 0.3).astype(np.float32)
        by_hand = np.array([x[members].max(axis=0) for members in listed(side)])
        got = to_units(sp.csc_array(x), side)
        assert got.dtype == np.float32
        assert got.has_canonical_format
        np.testing.assert_array_equal(got.toarray(), by_hand.reshape(-1, 10))


@pytest.mark.parametrize(
    ("theirs", "why"),
    [
        ("strasse cafe\u0301 im fall", "letter case and accents"),
        ("STRASSE Café im Fall", "capitals"),
        ("Straße café im\x07 fa\u00adll", "control characters"),
    ],
)
def test_what_normalising_tokenizers_change_is_put_aside(theirs, why):
    ours = "Straße Café im Fall"
    a = [[b"Stra\xc3\x9f", b"e", " Café".encode(), b" im", b" Fall"], [b"same"]]
    b = [[piece.encode() for piece in re.findall(r"\s*\S+", theirs)], [b"same"]]
    assert b"".join(a[0]).decode() == ours
    found = align(cut_of(a), cut_of(b))
    assert (found.n_documents, found.coarser) == (2, "b"), why
    assert listed(found.b) == [[0], [1], [2], [3], [4]]
    assert listed(found.a) == [[0, 1], [2], [3], [4], [5]]


def test_a_character_in_several_tokens_counts_for_all_of_them_where_it_is_folded():
    a, b = [[b"A", b"\xf0\x9f", b"\x99\x82", b"b"]], [[b"a", "🙂".encode(), b"b"]]
    assert listed(align(cut_of(a), cut_of(b)).a) == [[0], [1, 2], [3]]


def test_marks_of_word_pieces_are_no_text():
    vocabulary = ["un", "##aff", "##able", "!", "#"]
    pieces = TokenizedText.of(np.array([0, 1, 2, 3, 4]), np.zeros(5, int), vocabulary)
    found = align(pieces, cut_of([[b"unaffable", b" !", b" #"]]))
    assert (found.coarser, listed(found.a)) == ("b", [[0, 1, 2], [3], [4]])


def test_a_blank_before_a_word_does_not_tie_it_to_a_blank_after_the_word_before():
    found = align(cut_of([[b"the", b" dog", b" ran"]]), cut_of([[b"the ", b"dog ", b"r", b"an"]]))
    assert listed(found.b) == [[0], [1], [2, 3]]


def test_white_space_tokens_belong_to_white_space_and_are_left_out_where_the_coarser_cut_has_none():
    lines = align(cut_of([[b"one.\n", b"two"]]), cut_of([[b"one", b".", b"\n", b"two"]]))
    assert listed(lines.b) == [[0, 1, 2], [3]]
    dropped = align(cut_of([[b"one.", b"two"]]), cut_of([[b"one", b".", b"\n", b"two"]]))
    assert listed(dropped.b) == [[0, 1], [3]]
    assert dropped.b.n_tokens == 3


@pytest.mark.parametrize("turned", [False, True])
def test_the_shorter_text_ends_both(turned):
    a = [[b"one ", b"two"], [b"three ", b"four ", b"five"], [b"six"]]
    b = [[b"o", b"ne", b" two"], [b"th", b"ree fo"]]
    found = align(*map(cut_of, (b, a) if turned else (a, b)))
    ours, theirs = (found.b, found.a) if turned else (found.a, found.b)
    assert (found.n_documents, found.n_left_out) == (2, 0)
    assert found.document.tolist() == [0, 0, 1]
    if found.coarser == ("b" if turned else "a"):
        assert (listed(ours), listed(theirs)) == ([[0], [1], [2]], [[0, 1], [2], [3, 4]])


def test_documents_that_disagree_are_left_out_counted_and_shown():
    a = [[b"one"], [b"A cat\n", "sät".encode()], [b"three"]]
    b = [[b"o", b"ne"], [b"a ", b"dog ", b"sat"], [b"th", b"ree"]]
    found = align(cut_of(a), cut_of(b))
    assert (found.n_documents, found.n_left_out) == (2, 1)
    assert found.difference == ("cat\nsat", "dog sat")
    assert listed(found.a) == [[0], [3]]
    assert listed(found.b) == [[0, 1], [5, 6]]
    assert found.document.tolist() == [0, 2]


def test_a_document_that_ends_early_disagrees_unless_it_is_the_last():
    a, b = [[b"one two"], [b"three"]], [[b"one"], [b"three"]]
    found = align(cut_of(a), cut_of(b))
    assert (found.n_documents, found.n_left_out, found.difference) == (1, 1, ("two", ""))


def test_texts_that_share_nothing_have_no_unit():
    found = align(cut_of([[b"one", b" x"]]), cut_of([[b"two"]]))
    assert (found.n_units, found.n_documents, found.n_left_out) == (0, 0, 1)
    assert found.difference == ("one x", "two")
    assert to_units(sp.csr_array((2, 4)), found.a).shape == (0, 4)


def test_activations_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="token 1 is outside the 1 tokens"):
        to_units(sp.csr_array([[1.0]]), UnitTokens(np.array([0, 2]), np.array([0, 1])))
    with pytest.raises(ValueError, match="ascending"):
        TokenizedText.of(np.array([0, 0]), np.array([1, 0]), ["a"])


@pytest.mark.slow
def test_a_million_tokens_take_seconds_and_memory_by_the_token():
    rng = np.random.default_rng(0)
    words = [" " + "".join(rng.choice(list("abcdefgh"), size=n)) for n in rng.integers(2, 9, size=5000)]
    ids, halves = rng.integers(0, 5000, size=1_000_000), [half for word in words for half in (word[:2], word[2:])]
    document = np.arange(1_000_000) // 300
    tracemalloc.start()
    started = time.monotonic()
    a = TokenizedText.of(ids, document, words)
    b = TokenizedText.of(np.stack([2 * ids, 2 * ids + 1], axis=1).ravel(), np.repeat(document, 2), halves)
    found = align(a, b)
    took, peak = time.monotonic() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.n_units == 1_000_000
    assert (np.diff(found.b.start) == 2).all()
    assert took < 30, took
    assert peak < 1_500 * 1_000_000, peak
