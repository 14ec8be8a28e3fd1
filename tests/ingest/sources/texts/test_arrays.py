"""Claims about corpora that are tokenised already: equal tokens are equal corpora, and foreign ones are refused."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from atlas.errors import AtlasError, UsageError
from ingest.sources.texts.corpora import open_corpus
from ingest.sources.tokens.contexts import Contexts, cut
from ingest.sources.tokens.vocabulary import vocabulary

UNK, BOS, EOS, PAD = 0, 1, 2, 3
VOCAB = {"<unk>": UNK, "<s>": BOS, "</s>": EOS, "<pad>": PAD, **{c: i for i, c in enumerate("abcdef", start=4)}}


def tokenizer_of(vocab: dict[str, int]) -> PreTrainedTokenizerFast:
    backend = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    special = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(tokenizer_object=backend, **special)


LETTERS = tokenizer_of(VOCAB)
WORDS = vocabulary(LETTERS)
TEXTS = ["a b c", "d <unk> e f a", "b", "c d e f a b c"]
STREAM = [token for text in TEXTS for token in (*(VOCAB[piece] for piece in text.split()), EOS)]


def cut_corpus(source, *, length=4, bos=False, packing="packed", **options) -> Contexts:
    corpus = open_corpus(source, **options)
    return cut(
        corpus.documents(LETTERS, WORDS),
        LETTERS,
        WORDS,
        context_length=corpus.row_length or length,
        prepend_bos=bos,
        packing="rows" if corpus.row_length else packing,
        keep_labels=options.get("label_field") is not None,
    )


def saved(folder, name: str, ids, **metadata: str):
    if name.endswith(".npy"):
        np.save(folder / name, ids)
    else:
        save_file({"tokens": np.asarray(ids)}, folder / name, metadata=metadata or None)
    return folder / name


@pytest.mark.parametrize("dtype", ["uint16", "int32", "int64"])
@pytest.mark.parametrize("name", ["a.npy", "a.safetensors"])
@pytest.mark.parametrize("bos", [False, True])
@pytest.mark.parametrize("packing", ["packed", "document"])
def test_the_tokens_of_a_text_are_the_same_corpus_as_the_text(tmp_path, dtype, name, bos, packing):
    text = tmp_path / "text.jsonl"
    text.write_text("\n".join(json.dumps({"text": t}) for t in TEXTS))
    expected = cut_corpus(text, bos=bos, packing=packing)
    array = saved(tmp_path, name, np.array(STREAM, dtype))
    assert cut_corpus(array, bos=bos, packing=packing).sha256 == expected.sha256
    padded = [*STREAM[:-1], PAD, PAD]
    assert cut_corpus(saved(tmp_path, f"p{name}", padded), bos=bos, packing=packing).sha256 == expected.sha256


def test_lists_of_token_ids_in_rows_are_documents_too(tmp_path):
    rows = [{"input_ids": [VOCAB[piece] for piece in text.split()], "y": i} for i, text in enumerate(TEXTS)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    (tmp_path / "b.jsonl").write_text("\n".join(map(json.dumps, rows)))
    expected = cut_corpus(saved(tmp_path, "s.npy", STREAM))
    for name in ("a.parquet", "b.jsonl"):
        found = cut_corpus(tmp_path / name, text_field="input_ids", label_field="y")
        assert found.sha256 == expected.sha256
        assert found.labels.tolist() == [0, 1, 2, 3]


def test_rows_are_contexts_as_they_stand(tmp_path):
    rows = [[BOS, 4, 5, 6, EOS], [BOS, 7, EOS, 8, 9], [BOS, 9, PAD, PAD, PAD], [BOS, EOS, PAD, PAD, PAD]]
    contexts = cut_corpus(saved(tmp_path, "rows.npy", rows))
    assert [contexts.token_ids[a:b].tolist() for a, b in pairwise(contexts.offsets)] == rows[:3]
    assert contexts.documents.tolist() == [-1, 0, 0, 0, -1, -1, 1, -1, 2, 2, -1, 3, -1, -1, -1]
    assert (contexts.packing, contexts.prepend_bos, contexts.n_documents) == ("rows", True, 4)
    assert contexts.document_lengths().tolist() == [3, 1, 2, 1]
    short = cut(
        open_corpus(tmp_path / "rows.npy").documents(LETTERS, WORDS),
        LETTERS, WORDS, context_length=5, prepend_bos=False, packing="rows", max_tokens=4,
    )  # fmt: skip
    assert contexts.prefix_sha256(2) == short.sha256


def test_shuffling_rows_and_streams_keeps_what_they_hold(tmp_path):
    rows = np.random.default_rng(0).integers(4, 10, (50, 6))
    order = cut_corpus(saved(tmp_path, "rows.npy", rows), shuffle=1).token_ids.reshape(50, 6)
    assert not np.array_equal(order, rows)
    assert sorted(order.tolist()) == sorted(rows.tolist())
    stream = cut_corpus(saved(tmp_path, "s.npy", STREAM), shuffle=1)
    assert sorted(stream.document_lengths()) == sorted(cut_corpus(tmp_path / "s.npy").document_lengths())


def test_a_stream_longer_than_a_block_is_one_document_where_nothing_ends_it(tmp_path):
    ids = np.full(2_500_000, 4, np.uint16)
    ids[1 << 20] = EOS
    contexts = cut_corpus(saved(tmp_path, "long.npy", ids), length=512)
    assert contexts.document_lengths().tolist() == [1 << 20, 2_500_000 - (1 << 20) - 1]
    assert cut_corpus(tmp_path / "long.npy", length=512, shuffle=0).n_tokens == 2_499_999


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([[4, 5], [6, 99]], "the token id 99, which the tokenizer does not have"),
        ([4, -3], "the token id -3, which the tokenizer does not have"),
        ([4.0, 5.0], "its numbers are float64"),
        ([[[4]]], r"its shape is \(1, 1, 1\)"),
        (np.empty(0, np.int32), r"its shape is \(0,\)"),
        ([[4], [5]], "has contexts of one token"),
        ([BOS, EOS, PAD], "no text in"),
    ],
)
def test_an_array_that_holds_no_tokens_of_the_model_is_refused(tmp_path, ids, message):
    for name in ("a.npy",) if "float" in message else ("a.npy", "a.safetensors"):
        with pytest.raises(AtlasError, match=message):
            cut_corpus(saved(tmp_path, name, ids))


def test_a_damaged_or_pickled_array_is_refused(tmp_path):
    (tmp_path / "a.npy").write_bytes(saved(tmp_path, "b.npy", STREAM).read_bytes()[:-8])
    np.save(tmp_path / "c.npy", np.array(["a", {}], object))
    for name in ("a.npy", "c.npy"):
        with pytest.raises(AtlasError, match="cannot be read as an array"):
            open_corpus(tmp_path / name)
    (tmp_path / "a.safetensors").write_bytes(saved(tmp_path, "b.safetensors", STREAM).read_bytes()[:-8])
    with pytest.raises(AtlasError, match="is damaged"):
        open_corpus(tmp_path / "a.safetensors")
    save_file({"a": np.ones(3, np.int32), "b": np.ones(3, np.int32)}, tmp_path / "two.safetensors")
    with pytest.raises(AtlasError, match=r"does not hold one tensor of whole numbers\n.*a \(I32\), b \(I32\)"):
        open_corpus(tmp_path / "two.safetensors")


def test_tokens_of_another_tokenizer_are_refused(tmp_path):
    array = saved(tmp_path, "a.npy", STREAM)
    LETTERS.backend_tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert cut_corpus(array).n_tokens == len(STREAM) - 5
    other = {**VOCAB, "a": VOCAB["b"], "b": VOCAB["a"]}
    tokenizer_of(other).backend_tokenizer.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(AtlasError, match=r"'b' is 4 in tokenizer\.json beside it, and 5 in the model's tokenizer"):
        cut_corpus(array)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(AtlasError, match=r"tokenizer\.json cannot be read"):
        cut_corpus(array)
    (tmp_path / "tokenizer.json").unlink()
    assert cut_corpus(saved(tmp_path, "b.safetensors", STREAM, tokenizer_sha256=WORDS.sha256)).n_tokens > 0
    with pytest.raises(AtlasError, match="its tokenizer_sha256 is 0123"):
        cut_corpus(saved(tmp_path, "c.safetensors", STREAM, tokenizer_sha256="0123"))


def test_contexts_that_are_cut_already_are_not_mixed_with_others(tmp_path):
    saved(tmp_path, "a.npy", [[4, 5, 6]])
    saved(tmp_path, "b.npy", [[4, 5]])
    with pytest.raises(UsageError, match="have different shapes"):
        open_corpus(tmp_path)
    (tmp_path / "b.npy").unlink()
    (tmp_path / "b.txt").write_text("a b")
    with pytest.raises(UsageError, match=r"a context a row, and b\.txt has text"):
        open_corpus(tmp_path)
    saved(tmp_path, "a.npy", STREAM)
    assert cut_corpus(tmp_path).n_tokens == len(STREAM) - 5 + 2
