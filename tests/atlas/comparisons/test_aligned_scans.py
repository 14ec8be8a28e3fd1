"""Claims about SAEs of models with different tokenizers: on one text they are compared as if they had one tokenizer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from atlas.catalog.compared import corpora_compared
from atlas.catalog.texts import scan_text
from atlas.comparisons.aligned_scans import aligned_scans
from atlas.comparisons.correlate import pair_saes
from atlas.db import open_atlas
from atlas.errors import AtlasError, UnknownName, UsageError
from tests.support.planted import plant, planted_codes
from tests.support.retokenised import HALVES, in_halves, plant_two_cuts, text_of_words

SAES = ("left", "right")


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    path = tmp_path / "planted.duckdb"
    plant(path)
    return path


@pytest.fixture
def two_cuts(tmp_path: Path) -> tuple[Path, dict[int, int]]:
    path = tmp_path / "two.duckdb"
    return path, plant_two_cuts(path)


def test_the_text_of_a_scan_is_read_without_special_tokens(two_cuts):
    ids, document = text_of_words()
    halves, word = in_halves(ids)
    with open_atlas(two_cuts[0]) as atlas:
        text = scan_text(atlas, "right", "words-2")
    np.testing.assert_array_equal(text.token_ids, halves)
    np.testing.assert_array_equal(text.document, document[word])
    assert list(text.vocabulary) == [*HALVES, "<s>"]


def test_scans_of_two_cuts_have_a_row_for_each_span_of_text(two_cuts):
    a, b, _ = planted_codes(np.random.default_rng(0))
    with open_atlas(two_cuts[0]) as atlas:
        sides = aligned_scans(atlas, SAES, ("words", "words-2"))
    for side, codes in zip(sides, (a, b), strict=True):
        assert side.n_tokens == codes.shape[0]
        assert (side.csr() != codes).nnz == 0
        assert (sp.vstack(list(side.blocks())) != codes).nnz == 0
        np.testing.assert_array_equal(side.n_fired(), (codes > 0).sum(axis=0))
    assert sides[0].text.alignment.coarser == "a"
    assert len(list(sides[1].blocks())) == 3


def test_a_shared_corpus_goes_before_two_that_must_be_aligned(two_cuts):
    path, _ = two_cuts
    with open_atlas(path) as atlas:
        assert corpora_compared(atlas, *SAES) == ("words", "words-2")
        assert corpora_compared(atlas, "right", "left") == ("words-2", "words")
        assert corpora_compared(atlas, *SAES, "words", "words-2") == ("words", "words-2")
        assert corpora_compared(atlas, "left", "left") == ("words", "words")
        with pytest.raises(UsageError, match="right is compared with itself on one corpus"):
            corpora_compared(atlas, "right", "right", "words-2", "words")
    _measure_again(path, corpus="words", sae_id=2)
    with open_atlas(path) as atlas:
        assert corpora_compared(atlas, *SAES) == ("words", "words")
        assert corpora_compared(atlas, *SAES, "words", "words-2") == ("words", "words-2")


def test_two_lengths_of_one_corpus_are_refused_unless_another_cut_of_it_will_do(two_cuts, planted):
    with open_atlas(planted, write=True) as atlas:
        atlas.rows("update scan set n_tokens = 3000 where scan_id = 2")
    for wanted in (None, "words"):
        for measure in ("activation", "decoder"):
            with pytest.raises(AtlasError, match="left and right were not measured on the same tokens") as caught:
                pair_saes(planted, "A", "B", measure=measure, corpus=wanted)
            assert "left on words (4,000 tokens, context 8); right on words (3,000 tokens" in str(caught.value.why)
    path, _ = two_cuts
    _measure_again(path, corpus="words", sae_id=2)
    with open_atlas(path, write=True) as atlas:
        atlas.rows("update scan set n_tokens = 3000 where scan_id = (select max(scan_id) from scan)")
        assert corpora_compared(atlas, *SAES) == corpora_compared(atlas, *SAES, "words") == ("words", "words-2")
        with pytest.raises(AtlasError, match="were not measured on the same tokens"):
            corpora_compared(atlas, *SAES, "words", "words")


def test_several_corpora_are_not_chosen_among_unless_one_comes_from_the_same_file(two_cuts):
    path, _ = two_cuts
    with open_atlas(path, write=True) as atlas:
        atlas.rows(
            "insert into corpus by name select * replace (3 as corpus_id, 'more' as name, 'c3' as sha256, 'more' as source) "
            "from corpus where corpus_id = 2"
        )
    _measure_again(path, corpus="more", sae_id=2)
    with open_atlas(path, write=True) as atlas:
        assert corpora_compared(atlas, *SAES) == ("words", "words-2")
        atlas.rows("update corpus set source = name")
        with pytest.raises(UsageError, match="several corpora can be aligned") as caught:
            corpora_compared(atlas, *SAES)
        assert caught.value.why == "words with more; words with words-2"
        assert caught.value.hint == "--corpus words --corpus-b more"
        assert corpora_compared(atlas, *SAES, corpus_b="more") == ("words", "more")
        with pytest.raises(UnknownName, match="no corpus measured with right named 'mroe'; did you mean 'more'"):
            corpora_compared(atlas, *SAES, corpus_b="mroe")
        with pytest.raises(UnknownName, match="no corpus measured with left named 'more'"):
            corpora_compared(atlas, *SAES, "more")


def test_texts_that_differ_are_shown_where_they_do(two_cuts):
    path, _ = two_cuts
    with open_atlas(path, write=True) as atlas:
        atlas.rows("update vocab set text = replace(text, 'e', 'a') where tokenizer_id = 2")
    with open_atlas(path) as atlas:
        sides = aligned_scans(atlas, SAES, ("words", "words-2"))
    with pytest.raises(AtlasError, match="were not measured on the same text") as caught:
        sides[0].csr()
    assert "words and words-2 differ in all 10 documents" in str(caught.value)
    assert "in the first, words continues with 'e" in str(caught.value)
    assert ", words-2 continues with 'a" in str(caught.value)


def test_a_text_that_is_not_whole_is_not_aligned(two_cuts):
    path, _ = two_cuts
    with open_atlas(path, write=True) as atlas:
        atlas.rows("delete from context where corpus_id = 2 and context_id > 3")
    with open_atlas(path) as atlas, pytest.raises(AtlasError, match="text of words-2 cannot be aligned") as caught:
        aligned_scans(atlas, SAES, ("words", "words-2"))
    assert "holds 76 of the" in str(caught.value)


def _measure_again(path: Path, *, corpus: str, sae_id: int) -> None:
    """Another scan of the SAE, on a corpus that the atlas has; the newest."""
    with open_atlas(path, write=True) as atlas:
        atlas.rows(
            "insert into scan by name select c.* replace (9 as scan_id, k.corpus_id as corpus_id, k.n_tokens as n_tokens, "
            "'again' as spec_sha256, timestamp '2030-01-01' as finished_at) from scan c, corpus k where c.sae_id = $sae and k.name = $corpus",
            sae=sae_id,
            corpus=corpus,
        )
