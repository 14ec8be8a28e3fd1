"""Claims about `correlate` across tokenizers: planted pairs come back as with one tokenizer, and real features match."""

from __future__ import annotations

import itertools
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from atlas.cli import run
from atlas.comparisons.correlate import pair_saes
from atlas.comparisons.summaries import PairingSummary
from atlas.db import open_atlas, store_of
from atlas.errors import AtlasError, UsageError
from atlas.pairing.measures.activation import ACTIVATION
from atlas.pairing.search.memory import search_bytes
from atlas.pairing.tokens.alignment import align
from atlas.pairing.tokens.tokenized import TokenizedText
from tests.support.planted import D_SAE, N_TOKENS, plant, planted_codes, write_store
from tests.support.retokenised import plant_two_cuts

COLUMNS = "feature_a, feature_b, value, rank_ab, rank_ba, n_a, n_b, n_ab"


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the planted atlas on one cut of its text, and on two."""
    folder = tmp_path_factory.mktemp("cuts")
    plant(folder / "one.duckdb")
    plant_two_cuts(folder / "two.duckdb")
    return folder


@pytest.fixture
def one_cut(planted: Path, tmp_path: Path) -> Path:
    return copied(planted / "one.duckdb", tmp_path)


@pytest.fixture
def two_cuts(planted: Path, tmp_path: Path) -> Path:
    return copied(planted / "two.duckdb", tmp_path)


def copied(atlas: Path, folder: Path) -> Path:
    shutil.copytree(store_of(atlas), store_of(folder / atlas.name))
    return Path(shutil.copy(atlas, folder))


def pairs_of(path: Path, measure: str) -> list[tuple]:
    with open_atlas(path) as atlas:
        ordered = f"select {COLUMNS} from pairs where measure = $measure order by feature_a, feature_b"
        return atlas.rows(ordered, measure=measure).rows


def test_words_cut_in_two_give_the_pairs_that_whole_words_give(one_cut, two_cuts):
    for measure in ("activation", "phi", "jaccard", "lift", "conditional", "masked_cosine"):
        whole, aligned = (pair_saes(path, "A", "B", measure=measure, top_k=4) for path in (one_cut, two_cuts))
        assert_equal(whole, aligned)
        assert len(pairs_of(two_cuts, measure)) > 100
    # Last of all, as measures exchange their values.
    for measure in ("activation", "phi", "jaccard", "lift", "conditional", "masked_cosine"):
        assert pairs_of(two_cuts, measure) == pairs_of(one_cut, measure)


def assert_equal(whole: PairingSummary, aligned: PairingSummary) -> None:
    assert (whole.unit, aligned.unit) == ("tokens", "spans")
    assert (aligned.corpus, aligned.corpus_b, aligned.n_tokens) == ("words", "words-2", N_TOKENS)
    assert aligned.n_mutual == whole.n_mutual
    assert (aligned.median_best, aligned.chance, aligned.chance_ba) == (
        whole.median_best,
        whole.chance,
        whole.chance_ba,
    )


def test_pooled_documents_and_scans_read_in_blocks_are_aligned_too(two_cuts):
    pooled = pair_saes(two_cuts, "A", "B", measure="activation_document_max")
    assert (pooled.unit, pooled.n_tokens, pooled.corpus_b) == ("documents", 10, "words-2")
    held = pair_saes(two_cuts, "A", "B", top_k=3)
    before = pairs_of(two_cuts, "activation")
    with open_atlas(two_cuts) as atlas:
        ((n_nonzero,),) = atlas.rows("select sum(n_nonzero) from scan").rows
    too_little = search_bytes(int(n_nonzero), D_SAE, D_SAE, per_activation=ACTIVATION.bytes_per_activation) - 1
    in_blocks = pair_saes(two_cuts, "B", "A", top_k=3, memory=too_little)
    assert in_blocks.new
    assert in_blocks.shared is not None
    assert held.shared is not None
    assert (in_blocks.corpus, in_blocks.shared.n_tokens_a) == ("words-2", held.shared.n_tokens_b)
    turned = [
        (b, a, pytest.approx(v, abs=1e-9), y, x, m, n, k) for a, b, v, x, y, n, m, k in pairs_of(two_cuts, "activation")
    ]
    assert before == sorted(turned, key=lambda row: row[:2])


def test_both_corpora_are_stored_and_an_equal_pairing_is_not_computed_again(two_cuts):
    first, again = (pair_saes(two_cuts, "A", "B") for _ in range(2))
    assert (first.new, again.new, again.unit) == (True, False, "spans")
    assert replace(again, new=True) == first
    assert first.shared is not None
    with open_atlas(two_cuts) as atlas:
        assert atlas.rows("select distinct corpus, corpus_b from pairs").rows == [("words", "words-2")]
        spec = json.loads(atlas.rows("select spec from runs").rows[0][0])
    assert (spec["corpus"], spec["corpus_b"], spec["scan_b"]) == ("words", "words-2", "right")


def test_a_pairing_on_other_corpora_or_the_other_way_round_takes_its_place(two_cuts):
    pair_saes(two_cuts, "A", "B")
    pair_saes(two_cuts, "B", "A")
    with open_atlas(two_cuts) as atlas:
        assert atlas.rows("select sae_a, corpus, corpus_b from pairs group by all").rows == [
            ("right", "words-2", "words")
        ]
        sides = atlas.rows("select sae_a, sae_b, corpus from pairs_both_ways group by all order by all").rows
    assert sides == [("left", "right", "words"), ("right", "left", "words-2")]


def test_what_a_pairing_on_other_corpora_takes_the_place_of_is_said(two_cuts, capsys):
    assert pair_saes(two_cuts, "A", "B").replaced == ()
    assert pair_saes(two_cuts, "A", "B", top_k=3).replaced == ()
    with open_atlas(two_cuts, write=True) as atlas:
        atlas.rows("update pairing set corpus_b = null")
    assert run(["--db", str(two_cuts), "correlate", "A", "B"]) == 0
    assert (
        "took the place of the pairs on words (4,000 tokens): a corpus of A is compared with B once"
        in capsys.readouterr().err
    )
    assert pair_saes(two_cuts, "B", "A").replaced == ()
    with open_atlas(two_cuts) as atlas:
        assert atlas.rows("select count(*) from pairing").rows == [(1,)]


@pytest.mark.parametrize("measure", ["attribution", "logit", "decoder", "encoder", "preactivation"])
def test_measures_that_need_more_than_activations_say_which_do_not(two_cuts, measure):
    with pytest.raises(UsageError, match=f"{measure} needs the same tokens for both SAEs") as caught:
        pair_saes(two_cuts, "A", "B", measure=measure)
    assert "can be aligned as texts, for activation, " in str(caught.value)


def test_a_scan_without_activations_is_named_as_ever(two_cuts):
    with open_atlas(two_cuts, write=True) as atlas:
        atlas.rows("update scan set store = null where sae_id = 2")
    with pytest.raises(AtlasError, match="scan of right on words-2 kept no activations"):
        pair_saes(two_cuts, "A", "B")


def test_features_of_a_stored_pairing_are_counted_where_the_texts_are_shared(two_cuts):
    """Feature 0 of A fires in the first document alone, which the second corpus tells otherwise."""
    a, _, _ = planted_codes(np.random.default_rng(0))
    a = a.tolil()
    a[:, 0], a[5, 0], a[:, 1] = 0, 1.0, 1.0
    with open_atlas(two_cuts, write=True) as atlas:
        write_store(atlas.store / "changed", sp.csr_array(a), 2)
        atlas.rows("update scan set store = 'changed' where sae_id = 1")
        atlas.rows(
            "update context set token_ids = list_transform(token_ids, lambda t: case when t < 15 then 2 else t end) "
            "where corpus_id = 2 and list_max(documents) = 0"
        )
    first, again = (pair_saes(two_cuts, "A", "B", top_k=2) for _ in range(2))
    assert first.shared is not None
    assert (first.shared.n_left_out, first.n_alive_a, again.n_alive_a) == (1, D_SAE - 2, D_SAE - 2)
    assert replace(again, new=True) == first
    with open_atlas(two_cuts, write=True) as atlas:
        atlas.rows("update scan set store = null")
    gone = pair_saes(two_cuts, "A", "B", top_k=2)
    assert (gone.new, gone.shared, gone.n_mutual) == (False, None, first.n_mutual)


@pytest.mark.parametrize("new", [True, False])
def test_the_command_says_that_texts_were_aligned(two_cuts, capsys, new):
    if not new:
        pair_saes(two_cuts, "A", "B")
    assert run(["--db", str(two_cuts), "correlate", "A", "B", "--corpus", "words", "--corpus-b", "words-2"]) == 0
    printed = capsys.readouterr()
    assert ("already in this atlas" in printed.err) == (not new)
    assert "left × right  on words and words-2 (4,000 spans)" in printed.out
    assert "aligned       4,000 and" in printed.out
    assert "tokens of 10 documents that are the same text" in printed.out
    assert "left out" not in printed.out
    assert "with the spans of right shifted by" in printed.out
    assert "metric" not in printed.err


@pytest.mark.real
@pytest.mark.parametrize("packings", [("packed", "document"), ("packed", "packed")])
def test_web_text_is_the_same_to_three_kinds_of_tokenizer(shared_data: Path, packings):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    from ingest.sources.tokens.contexts import cut
    from ingest.sources.tokens.vocabulary import vocabulary

    with (shared_data / "text" / "openwebtext.jsonl").open(encoding="utf-8") as lines:
        documents = [json.loads(line)["text"].strip() for line in itertools.islice(lines, 100)]
    pieces = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # pyright: ignore[reportCallIssue]
    pieces.normalizer = normalizers.BertNormalizer(lowercase=True)  # pyright: ignore[reportAttributeAccessIssue]
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()  # pyright: ignore[reportAttributeAccessIssue]
    trainer = trainers.WordPieceTrainer(vocab_size=3000, special_tokens=["[UNK]", "[CLS]"], show_progress=False)
    pieces.train_from_iterator(documents, trainer)
    bytes_of = {
        "tokenizer_file": str(shared_data / "tokenizers" / "pythia_tokenizer.json"),
        "bos_token": "<|endoftext|>",
    }
    sentencepiece = {
        "tokenizer_file": str(shared_data / "models" / "stories260k" / "tokenizer.json"),
        "bos_token": "<s>",
    }
    uncased = {"tokenizer_object": pieces, "bos_token": "[CLS]", "unk_token": "[UNK]"}
    cuts = []
    for options, packing in zip((bytes_of, sentencepiece, uncased), (*packings, "packed"), strict=True):
        tokenizer = PreTrainedTokenizerFast(**options)
        words = vocabulary(tokenizer)
        found = cut(documents, tokenizer, words, context_length=100, prepend_bos=True, packing=packing)
        cuts.append(TokenizedText.of(found.counted_ids(), found.documents[found.documents >= 0], words.texts))
    for (a, b), least in (((0, 1), 0.999), ((0, 2), 0.9), ((1, 2), 0.9)):
        alignment = align(cuts[a], cuts[b])
        assert alignment.n_documents == 100, alignment.difference
        n_tokens = min(len(cuts[side].document) for side in (a, b))
        assert least * n_tokens < alignment.n_units <= n_tokens


@pytest.mark.real
@pytest.mark.slow
def test_features_of_real_models_with_different_tokenizers_match_on_real_text(
    real_atlas: Path, shared_data: Path, tmp_path: Path
):
    from ingest.toy.artifacts import toy_model, toy_sae

    db, text = copied(real_atlas, tmp_path), str(shared_data / "text" / "tinystories.txt")
    added = ["--model", str(toy_model("tinyA")), "--sae", str(toy_sae("tinyA_L2_w512_s0")), "--corpus", text]
    assert run(["-q", "--db", str(db), "ingest", *added, "--tokens", "40000"]) == 0
    found = pair_saes(db, "A", "C")
    assert found.shared is not None
    assert found.shared.n_left_out == 0
    assert found.shared.n_documents > 100
    assert found.shared.n_tokens_b == found.n_tokens < 0.8 * found.shared.n_tokens_a
    assert found.median_best > 0.2 > 0.05 > found.chance
    assert found.median_best_ba > 0.15 > 0.05 > found.chance_ba
    with open_atlas(db) as atlas:
        top = atlas.rows(
            "select tokens_a[1], tokens_b[1] from kept_matches('A', 'C') order by value desc limit 10"
        ).rows
    assert sum(a == b for a, b in top) >= 6
