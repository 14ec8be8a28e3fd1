"""Claims about real text with a vocabulary of real size: the Pythia tokenizer on OpenWebText."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from atlas.activations import read_scan
from atlas.db import open_atlas
from ingest.job import ingest
from ingest.sources.texts.corpora import open_corpus
from ingest.sources.tokens.contexts import cut
from ingest.sources.tokens.vocabulary import Vocabulary, vocabulary
from ingest.spec import IngestRequest

pytestmark = pytest.mark.real

END = 0
"""Id of `<|endoftext|>`, which is both BOS and EOS."""


@pytest.fixture(scope="module")
def pythia(shared_data: Path) -> PreTrainedTokenizerFast:
    """The tokenizer of the paper's models."""
    file = str(shared_data / "tokenizers" / "pythia_tokenizer.json")
    return PreTrainedTokenizerFast(tokenizer_file=file, bos_token="<|endoftext|>", eos_token="<|endoftext|>")


@pytest.fixture(scope="module")
def words(pythia) -> Vocabulary:
    return vocabulary(pythia)


@pytest.fixture(scope="module")
def owt(shared_data: Path) -> Path:
    return shared_data / "text" / "openwebtext.jsonl"


def test_the_vocabulary_has_its_entries_and_reads_as_text(words):
    assert len(words.texts) == len(words.classes) == 50_277
    assert (words.texts[END], words.classes[END]) == ("<|endoftext|>", "special")
    by_text = dict(zip(words.texts, words.classes, strict=True))
    expected = {" the": "word", " Monday": "word", ".": "punctuation", "\n": "space", " 2019": "digit", "é": "word"}
    assert {text: by_text[text] for text in expected} == expected
    # Every byte is a token; the 128 that are no ASCII begin or go on a character, and read as their number.
    assert {f"<0x{byte:02X}>" for byte in range(0x80, 0xC0)} <= set(words.texts)


def test_the_contexts_hold_the_tokens_that_the_tokenizer_gives(shared_data, pythia, words, owt):
    backend = Tokenizer.from_file(str(shared_data / "tokenizers" / "pythia_tokenizer.json"))
    expected: list[int] = []
    for line in islice(owt.open(encoding="utf-8"), 40):
        text = json.loads(line)["text"].strip()
        expected += [*backend.encode(text, add_special_tokens=False).ids, END]
    corpus = open_corpus(owt)
    contexts = cut(
        corpus.documents(pythia, words), pythia, words, context_length=256, prepend_bos=False, max_tokens=20_000
    )
    assert contexts.n_tokens >= 20_000
    assert contexts.token_ids.tolist() == expected[: len(contexts.token_ids)]
    assert np.array_equal(contexts.documents < 0, contexts.token_ids == END)
    assert np.array_equal(np.flatnonzero(np.diff(contexts.offsets) != 256), [])


def test_a_model_of_that_vocabulary_is_measured_from_end_to_end(pythia, words, owt, tmp_path):
    import torch
    from sae_lens import StandardSAE, StandardSAEConfig
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    torch.manual_seed(0)
    pythia.save_pretrained(tmp_path / "model")
    size = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    cfg = GPTNeoXConfig(vocab_size=50_304, max_position_embeddings=128, bos_token_id=END, eos_token_id=END, **size)
    GPTNeoXForCausalLM(cfg).save_pretrained(tmp_path / "model")
    sae = StandardSAE(StandardSAEConfig(d_in=16, d_sae=32, apply_b_dec_to_input=False))
    with torch.no_grad():
        sae.W_enc.normal_()
    sae.save_model(tmp_path / "sae")
    db = tmp_path / "a.duckdb"
    request = IngestRequest(
        model=str(tmp_path / "model"),
        saes=(str(tmp_path / "sae"),),
        corpus=str(owt),
        hook="blocks.0.hook_resid_post",
        tokens=4_000,
        shuffle=1,
        packing="document",
    )
    (scan,) = ingest(request, db=db)
    assert 4_000 <= scan.n_tokens < 4_128
    codes = read_scan(db, "A")
    assert codes.shape == (scan.n_tokens, 32)
    with open_atlas(db) as atlas:
        assert atlas.rows("select n_vocab from tokenizer").rows == [(50_277,)]
        ids, documents = zip(
            *atlas.rows("select token_ids, documents from context order by context_id").rows, strict=True
        )
        fired = atlas.rows("select n_fired from feature_stat order by feature_id").rows
    assert [n for (n,) in fired] == np.bincount(codes.indices, minlength=32).tolist()
    assert all(len({document for document in row if document >= 0}) == 1 for row in documents)
    texts = [json.loads(line)["text"] for line in owt.open(encoding="utf-8")]
    rows = ["".join(words.texts[i] for i in row if i != END) for row in ids]
    whole = [row for row in rows if "<0x" not in row]
    assert len(whole) > 0.8 * len(rows)
    assert all(any(row in text for text in texts) for row in whole)


def test_a_tokenizer_with_more_tokens_than_the_embedding_is_one_message(pythia, words, owt):
    from atlas.errors import AtlasError

    with pytest.raises(AtlasError, match="which the model cannot read"):
        documents = open_corpus(owt).documents(pythia, words)
        cut(documents, pythia, words, context_length=64, prepend_bos=True, n_embedded=40_000)
