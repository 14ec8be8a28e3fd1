"""Claims about growing and large corpora: a longer cut begins with the shorter one, and files hold what memory would."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from atlas.errors import AtlasError, UsageError
from ingest.sources.texts.documents import Document
from ingest.sources.texts.shuffle import shuffled
from ingest.sources.tokens.contexts import Contexts, cut
from ingest.sources.tokens.vocabulary import vocabulary

BOS, EOS = 1, 2
VOCAB = {"<unk>": 0, "<s>": BOS, "</s>": EOS, **{letter: i for i, letter in enumerate("abcdefghij", start=3)}}


def tokenizer_of(vocab: dict[str, int], **special: str) -> PreTrainedTokenizerFast:
    backend = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", **special)


LETTERS = tokenizer_of(VOCAB, bos_token="<s>", eos_token="</s>")
WORDS = vocabulary(LETTERS)
TEXTS = st.lists(st.lists(st.sampled_from("abcdefghij?"), max_size=17).map(" ".join), min_size=1, max_size=12)
CUTS = st.tuples(st.integers(2, 7), st.booleans(), st.sampled_from(["packed", "document"]))


def cut_letters(texts, length, bos, packing, **options) -> Contexts:
    return cut(texts, LETTERS, WORDS, context_length=length, prepend_bos=bos, packing=packing, **options)


def shown(contexts: Contexts) -> list[str]:
    """Contexts as letters, `^` for BOS, `$` for EOS."""
    names = {i: name for name, i in VOCAB.items()} | {BOS: "^", EOS: "$", 0: "?"}
    ids = "".join(names[i] for i in contexts.token_ids)
    return [ids[a:b] for a, b in pairwise(contexts.offsets)]


def numbered(texts) -> list[Document]:
    return [Document(text=text, label=float(i)) for i, text in enumerate(texts)]


@settings(max_examples=150, deadline=None)
@given(
    TEXTS.filter(lambda texts: any(set(text) & set("abcdefghij") for text in texts)),
    CUTS,
    st.none() | st.just(5),
    st.data(),
)
def test_a_longer_cut_begins_with_the_shorter_one(texts, shape, seed, data):
    def documents():
        return numbered(texts) if seed is None else shuffled(numbered(texts), seed)

    whole = cut_letters(documents(), *shape, keep_labels=True)
    n = data.draw(st.integers(1, whole.n_tokens))
    part = cut_letters(documents(), *shape, max_tokens=n, keep_labels=True)
    assert part.n_tokens >= n
    assert whole.prefix_sha256(part.n_contexts) == part.sha256
    assert whole.prefix_sha256(whole.n_contexts) == whole.sha256
    assert whole.n_documents_in(part.n_contexts) == part.n_documents == len(part.labels)
    assert np.array_equal(whole.labels[: part.n_documents], part.labels)
    for n_contexts in range(whole.n_contexts):
        if n_contexts != part.n_contexts:
            assert whole.prefix_sha256(n_contexts) != part.sha256


@settings(max_examples=60, deadline=None)
@given(TEXTS.filter(lambda texts: any(set(text) & set("abcdefghij") for text in texts)), CUTS)
def test_documents_have_the_lengths_and_labels_that_their_texts_have(texts, shape):
    contexts = cut_letters(numbered(texts), *shape, keep_labels=True)
    expected = [(sum(c in "abcdefghij" for c in text), i) for i, text in enumerate(texts)]
    expected = [(length, label) for length, label in expected if length]
    assert contexts.document_lengths().tolist() == [length for length, _ in expected]
    assert contexts.labels.tolist() == [label for _, label in expected]
    assert contexts.n_documents == len(expected) == contexts.n_documents_in(contexts.n_contexts)
    assert Counter(contexts.documents[contexts.documents >= 0].tolist()) == dict(
        enumerate(length for length, _ in expected)
    )
    assert contexts.n_documents_in(0) == 0
    plain = cut_letters(texts, *shape)
    assert (plain.sha256, plain.labels, plain.labels_sha256(1)) == (contexts.sha256, None, None)
    again, others = (cut_letters(numbered(these), *shape, keep_labels=True) for these in (texts, ["", *texts]))
    n = contexts.n_contexts
    assert contexts.labels_sha256(n) == again.labels_sha256(n) != others.labels_sha256(n)


@pytest.mark.parametrize("packing", ["packed", "document"])
def test_a_corpus_in_files_is_the_corpus_in_memory(tmp_path, packing):
    texts = [" ".join("abcdefghij"[(i * k) % 10] for k in range(i % 23)) for i in range(3_000)]
    held = cut_letters(texts, 6, True, packing)
    filed = cut_letters(texts, 6, True, packing, in_memory=1_000, scratch=tmp_path)
    for name in ("token_ids", "documents", "offsets", "first_token"):
        assert np.array_equal(getattr(held, name), getattr(filed, name))
        assert not getattr(filed, name).flags.owndata
    assert held.sha256 == filed.sha256
    assert np.array_equal(held.document_lengths(), filed.document_lengths())
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_is_one_message():
    with pytest.raises(AtlasError, match="cannot be written to a temporary file") as error:
        cut_letters(["a b c"] * 99, 4, True, "packed", in_memory=10, scratch="/nowhere")
    assert os.strerror(errno.ENOENT) in str(error.value)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_corpus(tmp_path):
    code = """
import resource, sys
from tests.ingest.sources.tokens.test_prefix import cut_letters, Document
import numpy as np
def documents(n):
    for i in range(n):
        yield Document(token_ids=np.full(100_000, 3 + i % 9, np.uint16))
cut_letters(documents(2), 128, True, "packed", in_memory=100_000, scratch=sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
contexts = cut_letters(documents(300), 128, True, "packed", in_memory=100_000, scratch=sys.argv[1])
assert contexts.n_tokens == 30_000_000
anonymous = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssAnon")][0]
print(anonymous - before)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 20_000  # kB; the tokens alone are 240,000


def test_with_one_document_a_context_nothing_spans_two_and_nothing_is_lost():
    texts = ["a b c d e", "f", "g h i"]
    assert shown(cut_letters(texts, 4, True, "document")) == ["^abc", "^de", "^f", "^ghi"]
    assert shown(cut_letters(texts, 3, False, "document")) == ["abc", "de", "f", "ghi"]


def test_a_packing_is_part_of_the_hash_and_joined_documents_keep_the_hash_they_had():
    packed, alone = (cut_letters(["a b c"], 4, True, packing) for packing in ("packed", "document"))
    assert shown(packed) == shown(alone)
    assert packed.sha256 != alone.sha256
    digest = hashlib.sha256(f"contexts 1 {WORDS.sha256} 4 True".encode())
    digest.update(np.array([0, 4], np.int64).tobytes())
    digest.update(np.array([BOS, 3, 4, 5], np.int32).tobytes() + np.array([-1, 0, 0, 0], np.int32).tobytes())
    assert packed.sha256 == digest.hexdigest()
    with pytest.raises(UsageError, match="no packing 'loose'"):
        cut_letters(["a"], 4, True, "loose")


def test_without_bos_and_eos_documents_are_joined_with_nothing_between_them():
    bare = tokenizer_of({"<unk>": 0, "a": 1, "b": 2})
    contexts = cut(["a b", "", "b"], bare, vocabulary(bare), context_length=2, prepend_bos=False)
    assert contexts.token_ids.tolist() == [1, 2, 2]
    assert contexts.documents.tolist() == [0, 0, 1]


def test_a_token_beyond_the_embedding_is_named_with_both_sizes():
    with pytest.raises(AtlasError, match=r"the token 'j' \(id 12\), which the model cannot read") as error:
        cut_letters(["a b", "j"], 4, True, "packed", n_embedded=12)
    assert "its embedding has 12 rows and its tokenizer 13 tokens" in str(error.value)
    assert cut_letters(["a b", "i"], 4, True, "packed", n_embedded=12).n_tokens == 3


def test_ids_with_gaps_between_them_are_a_vocabulary():
    gaps = tokenizer_of({"<unk>": 0, "a": 7, "b": 90})
    words = vocabulary(gaps)
    assert (len(words.texts), words.texts[7], words.texts[90], words.texts[8]) == (91, "a", "b", "")
    assert cut(["a b"], gaps, words, context_length=2, prepend_bos=False).token_ids.tolist() == [7, 90]
