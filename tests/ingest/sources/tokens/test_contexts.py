"""Claims about tokens: what a context holds, what is counted, how a token reads, which tokenizers are the same."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from atlas.errors import AtlasError, UsageError
from ingest.sources.tokens.contexts import Contexts, cut
from ingest.sources.tokens.vocabulary import token_class, vocabulary

DATA = Path(__file__).parents[5] / "shared" / "data"

BOS, EOS = 1, 2
WORDS = {"<unk>": 0, "<s>": BOS, "</s>": EOS, **{letter: i for i, letter in enumerate("abcdefghij", start=3)}}


@pytest.fixture(scope="module")
def letters() -> PreTrainedTokenizerFast:
    """A tokenizer whose tokens are letters."""
    backend = Tokenizer(models.WordLevel(WORDS, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token="</s>", pad_token="</s>", unk_token="<unk>"
    )


def cut_letters(tokenizer, texts, *, length, bos=True, tokens=None) -> Contexts:
    return cut(texts, tokenizer, vocabulary(tokenizer), context_length=length, prepend_bos=bos, max_tokens=tokens)


def shown(contexts: Contexts) -> list[str]:
    """Contexts as letters, `^` for BOS, `$` for EOS."""
    names = {i: name for name, i in WORDS.items()} | {BOS: "^", EOS: "$", 0: "?"}
    ids = "".join(names[i] for i in contexts.token_ids)
    return [ids[a:b] for a, b in pairwise(contexts.offsets)]


def test_with_bos_every_context_begins_with_one_and_documents_are_separated_by_one(letters):
    contexts = cut_letters(letters, ["a b c", "d e", "f g h i"], length=4)
    assert shown(contexts) == ["^abc", "^de^", "^fgh", "^i"]
    assert contexts.documents.tolist() == [-1, 0, 0, 0, -1, 1, 1, -1, -1, 2, 2, 2, -1, 2]


def test_without_bos_documents_are_separated_by_eos(letters):
    contexts = cut_letters(letters, ["a b c", "d e"], length=4, bos=False)
    assert shown(contexts) == ["abc$", "de$"]


def test_counted_tokens_are_numbered_across_contexts_without_special_ones(letters):
    contexts = cut_letters(letters, ["a b c", "d <unk> e"], length=4)
    assert shown(contexts) == ["^abc", "^d?e"]
    assert contexts.first_token.tolist() == [0, 3, 5]
    tokens = contexts.token_map(0, 2)
    assert (tokens.position.tolist(), tokens.document.tolist()) == ([1, 2, 3, 1, 3], [0, 0, 0, 1, 1])
    assert [WORDS["a"] + 4, WORDS["a"] + 3] == contexts.counted_ids()[::-1][:2].tolist()


def test_cutting_stops_with_the_context_that_reaches_the_number_of_tokens(letters):
    def endless():
        while True:
            yield "a b c d e"

    contexts = cut_letters(letters, endless(), length=4, tokens=7)
    assert (contexts.n_tokens, contexts.n_contexts) == (8, 3)


def test_equal_contexts_have_equal_hashes_and_other_cuts_have_others(letters):
    texts = ["a b c", "d e f"]
    cuts = [
        cut_letters(letters, texts, length=4),
        cut_letters(letters, texts, length=5),
        cut_letters(letters, texts, length=4, bos=False),
        cut_letters(letters, ["a b c d e f"], length=4),
    ]
    assert len({contexts.sha256 for contexts in cuts}) == 4
    assert cut_letters(letters, iter(texts), length=4).sha256 == cuts[0].sha256


def test_a_corpus_of_one_token_is_a_corpus(letters):
    contexts = cut_letters(letters, ["a"], length=8)
    assert (shown(contexts), contexts.n_tokens, contexts.n_documents) == (["^a"], 1, 1)


def test_a_corpus_of_special_tokens_only_is_refused(letters):
    with pytest.raises(AtlasError, match="no token to count"):
        cut_letters(letters, ["<s> </s>"], length=4)


def test_bos_that_the_tokenizer_lacks_is_refused():
    backend = Tokenizer(models.WordLevel({"a": 0, "<unk>": 1}, unk_token="<unk>"))
    with pytest.raises(UsageError, match="--no-prepend-bos"):
        cut_letters(PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>"), ["a"], length=4)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (" the", "word"), ("3rd", "word"), (" 12", "digit"), (".", "punctuation"), (" <0xE2>", "punctuation"),
        (" ", "space"), ("\n", "space"), ("", "space"), (" é", "word"), ("—", "punctuation"),
    ],
)  # fmt: skip
def test_a_token_is_of_the_kind_of_its_characters(text, kind):
    assert token_class(text) == kind


def test_byte_level_tokens_read_as_their_bytes_do():
    pieces = ["<|endoftext|>", "Ġthe", "Ċ", "Ã©", "Ã", "aÃ", "ĠâĢ", "\u2014"]
    backend = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, []))
    backend.pre_tokenizer, backend.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    words = vocabulary(PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<|endoftext|>"))
    expected = ("<|endoftext|>", " the", "\n", "é", "<0xC3>", "a<0xC3>", " <0xE2><0x80>", "—")
    assert words.texts == expected
    assert words.classes[:3] == ("special", "word", "space")


@pytest.mark.real
@pytest.mark.skipif(not DATA.is_dir(), reason=f"no real tokenizers at {DATA}")
class TestRealTokenizers:
    def test_two_models_with_the_same_tokenizer_share_its_hash(self):
        one, other = (
            vocabulary(AutoTokenizer.from_pretrained(DATA / "models" / name)) for name in ("stories260k", "llama2xs")
        )
        assert one == other

    def test_sentencepiece_tokens_keep_their_space_and_read_ascii_bytes(self):
        words = vocabulary(AutoTokenizer.from_pretrained(DATA / "models" / "stories260k"))
        assert {" the", " ", "\n", "<0xFF>"} <= set(words.texts)
        assert words.special_ids == {0, 1, 2}
        assert words.texts[13] == "\n"

    def test_pythia_tokens_read_as_text(self):
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_file=str(DATA / "tokenizers" / "pythia_tokenizer.json"), bos_token="<|endoftext|>"
        )
        words = vocabulary(tokenizer)
        text = "The café sold 12 cups — “hot”, naïve\n  and\tcold."
        ids = tokenizer.encode(text, add_special_tokens=False)
        assert tokenizer.decode([ids[1]]) == words.texts[ids[1]]
        whole = [i for i in range(len(words.texts)) if "<0x" not in words.texts[i] and "�" not in tokenizer.decode([i])]
        assert len(whole) > 49_000
        assert all(tokenizer.decode([i]) == words.texts[i] for i in whole)

    def test_joined_texts_of_a_real_document_give_it_back(self):
        tokenizer = AutoTokenizer.from_pretrained(DATA / "models" / "stories260k")
        story = (DATA / "text" / "tinystories.txt").read_text().split("<|endoftext|>")[0].strip()
        words = vocabulary(tokenizer)
        contexts = cut([story], tokenizer, words, context_length=64, prepend_bos=True)
        assert "".join(words.texts[i] for i in contexts.counted_ids()) == " " + story
        assert np.all(contexts.token_ids[contexts.offsets[:-1]] == words.bos_id)
