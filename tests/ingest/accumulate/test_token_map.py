"""Claims about what a piece of a corpus says of its tokens, wherever it was cut."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.sources.tokens.contexts import Contexts


def contexts(seed: int, n_contexts: int, labels: np.ndarray | None = None) -> Contexts:
    """Contexts of 2 to 6 tokens, each with a special one somewhere and a counted one; documents of any length."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, 7, n_contexts)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    documents = np.cumsum(rng.random(offsets[-1]) < rng.choice([0.02, 0.4])).astype(np.int32)
    documents[offsets[:-1] + rng.integers(0, lengths)] = -1
    counted = documents >= 0
    documents[counted] = np.unique(documents[counted], return_inverse=True)[1]
    return Contexts(
        context_length=6,
        prepend_bos=True,
        token_ids=rng.integers(0, 50, offsets[-1]).astype(np.int32),
        documents=documents,
        offsets=offsets,
        first_token=np.concatenate([[0], np.cumsum(np.add.reduceat(counted.astype(int), offsets[:-1]))]),
        n_documents=int(documents.max()) + 1,
        sha256="",
        labels=labels,
    )


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10_000), n_contexts=st.integers(1, 30), data=st.data())
def test_ids_and_places_in_the_document_are_those_of_the_whole_corpus(seed, n_contexts, data):
    corpus = contexts(seed, n_contexts)
    begin = data.draw(st.integers(0, n_contexts - 1))
    end = data.draw(st.integers(begin + 1, n_contexts))
    tokens = corpus.token_map(begin, end)
    documents = corpus.documents[corpus.documents >= 0].tolist()
    here = range(int(corpus.first_token[begin]), int(corpus.first_token[end]))
    assert tokens.first == here.start
    assert tokens.document.tolist() == [documents[i] for i in here]
    assert tokens.place.tolist() == [documents[:i].count(documents[i]) for i in here]
    assert tokens.token_id.tolist() == corpus.counted_ids()[here.start : here.stop].tolist()
    assert tokens.label is None


def test_a_token_has_the_label_of_its_document():
    labels = np.arange(1000) / 7
    labels[::3] = np.nan
    tokens = contexts(4, 20, labels).token_map(5, 15)
    np.testing.assert_array_equal(tokens.label, labels[tokens.document])
