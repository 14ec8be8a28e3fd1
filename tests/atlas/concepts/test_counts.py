"""Which features belong to a concept: three rules, each as plain Python has it on texts that a test spells out."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from atlas.concepts.lexicons import CONCEPT_RULES, ConceptRule
from atlas.db import Atlas, open_atlas
from atlas.errors import UsageError
from tests.support.spelt_atlas import is_keyword_in_paper, is_keyword_token, is_keyword_word, strongest, write_spelt

KEYWORDS = {"People": ["king", "King", "son"], "Feelings": ["sad", "joy"]}
PLAIN = {"share": (is_keyword_token, 10), "paper": (is_keyword_in_paper, 5), "word": (is_keyword_word, 5)}


def members(db: Path, rule: str, concept: str = "People") -> dict[int, list[str]]:
    with open_atlas(db) as atlas:
        found = atlas.rows(
            "select feature_id, keywords from concept_features_by($rule) where concept = $concept",
            rule=rule,
            concept=concept,
        )
    return dict(found.rows)


def verdicts(db: Path, *cases: tuple[list[str], str, str]) -> list[set[str]]:
    """Rules by which the feature that fires on one token of a text has the keyword, for (text, token, keyword) each."""
    features = [{(n, text.index(token)): 2.0} for n, (text, token, _) in enumerate(cases)]
    write_spelt(db, [text for text, _, _ in cases], features, {str(n): [case[2]] for n, case in enumerate(cases)})
    found = rules_that_find(db)
    return [found.get(n, set()) for n in range(len(cases))]


def rules_that_find(db: Path) -> dict[int, set[str]]:
    asked = " union all ".join(f"from concept_features_by('{rule}')" for rule in CONCEPT_RULES)
    with open_atlas(db) as atlas:
        found = atlas.rows(
            f"select feature_id, list(rule) from ({asked}) where sae = 'little/one' and concept = feature_id::varchar group by all"
        )
    return {feature: set(rules) for feature, rules in found}


@pytest.mark.parametrize("rule", CONCEPT_RULES)
def test_a_rule_finds_what_plain_python_finds(tiny: Path, rule: str):
    rng = np.random.default_rng(3)
    pieces = [
        " king",
        "king",
        " see",
        "K",
        "ing",
        " sad",
        "s",
        "ad",
        ".",
        "\n",
        " the",
        "-",
        "'s",
        " joy",
        "joy",
        " son",
        "s,",
    ]
    texts = [[pieces[i] for i in rng.integers(len(pieces), size=7)] for _ in range(60)]
    features = []
    for _ in range(150):
        chosen = {(int(rng.integers(60)), int(rng.integers(7))) for _ in range(rng.integers(1, 25))}
        features.append({place: float(rng.integers(1, 9)) for place in chosen})
    write_spelt(tiny, texts, features, KEYWORDS)
    holds, most = PLAIN[rule]
    expected = {}
    for f, feature in enumerate(features):
        top = strongest(feature, most)
        for concept, words in KEYWORDS.items():
            at = {(r, word) for r, (n, i) in enumerate(top, 1) for word in words if holds(texts[n], i, word)}
            if at:
                ranks = {r for r, _ in at}
                expected[concept, f] = (
                    min(ranks),
                    pytest.approx(len(ranks) / len(top)),
                    sorted({word for _, word in at}),
                )
    with open_atlas(tiny) as atlas:
        rows = atlas.rows(
            "select concept, feature_id, best_rank, share, keywords, rule from concept_features_by($rule) "
            "where sae = 'little/one'",
            rule=rule,
        )
    assert 60 < len(expected) < 290
    assert {(row[0], row[1]): row[2:5] for row in rows} == expected
    assert {row[5] for row in rows} == {rule}


EVERY = set(CONCEPT_RULES)


def test_king_is_not_in_seeking(tiny: Path):
    cases = ([" see", "king", "."], "king", "king"), ([" the", " king", "."], " king", "king")
    assert verdicts(tiny, *cases) == [set(), EVERY]


def test_a_token_without_a_leading_space_counts_where_it_begins_a_word(tiny: Path):
    cases = (["King", " of", " the"], "King", "king"), ([" said", ' "', "king", " of"], "king", "king")
    assert verdicts(tiny, *cases) == [EVERY, {"share", "word"}]


def test_a_word_that_goes_on_after_the_token_is_another_word(tiny: Path):
    cases = ([" a", " sad", "ness"], " sad", "sad"), ([" a", " king", "'s", " son"], " king", "king")
    assert verdicts(tiny, *cases) == [{"share"}, {"share", "word"}]


def test_a_keyword_of_several_tokens_is_found_by_word_alone_whichever_piece_fires(tiny: Path):
    text = [" in", " mill", "en", "nium", " one"]
    cases = [(text, piece, "millennium") for piece in text]
    assert verdicts(tiny, *cases, ([" mill", "en", " one"], "en", "millennium")) == [
        set(), {"word"}, {"word"}, {"word"}, set(), set()
    ]  # fmt: skip


def test_letters_of_any_alphabet_make_up_a_word(tiny: Path):
    korol = [" ко", "роль", "."]
    cases = ([" die", " K", "ö", "nigin"], "ö", "KÖNIGIN"), (korol, "роль", "Король"), (korol, "роль", "роль")
    assert verdicts(tiny, *cases) == [{"word"}, {"word"}, set()]


def test_a_token_of_another_document_continues_no_word(tiny: Path):
    assert verdicts(tiny, ([" see", "king", " the"], "king", "king")) == [set()]
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows("update context set documents = [-1, 0, 1, 1]")
    assert rules_that_find(tiny) == {0: EVERY}


def test_where_no_token_has_a_leading_space_every_token_is_a_word(tiny: Path):
    assert verdicts(tiny, (["see", "king", "the"], "king", "king")) == [EVERY]


def test_only_the_five_strongest_places_count_for_paper_and_word_and_ten_for_share(tiny: Path):
    texts = [[" of", " of", " of", " of", " of", " king", " of", " of", " of", " of", " son"]]
    write_spelt(tiny, texts, [{(0, i): 20.0 - i for i in range(11)}], KEYWORDS)
    assert [members(tiny, rule) for rule in CONCEPT_RULES] == [{0: ["King", "king"]}, {}, {}]


def test_share_needs_no_windows(tiny: Path):
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows("delete from feature_context")
        assert atlas.rows(
            "select feature_id, share from concept_features where concept = 'Emotions' and sae = 'little/one'"
        ).rows == [(0, 0.5)]
        assert atlas.rows("from concept_features_by('paper')").rows == []


def test_a_position_says_what_stands_there(tiny: Path):
    write_spelt(tiny, [[" mill", "en", "nium", "!"]], [{(0, 1): 3.0, (0, 3): 1.0}], {"Time": ["millennium"]})
    with open_atlas(tiny) as atlas:
        (row,) = atlas.rows("from keyword_positions where sae = 'little/one'").dicts()
    assert row == {
        "concept": "Time", "keyword": "millennium", "sae": "little/one", "corpus": "words", "feature_id": 0, "rank": 1,
        "token": "en", "word": "millennium", "activation": 3.0, "n_strongest": 2, "by_paper": False, "by_word": True,
    }  # fmt: skip


def test_pairs_of_a_concept_follow_the_rule(tiny: Path):
    def pairs(atlas: Atlas, more: str) -> list:
        return atlas.rows(
            f"select feature_a, feature_b, share_a, share_b from concept_pairs('Emotions', 'A', 'B', {more})"
        ).rows

    with open_atlas(tiny, write=True) as atlas:
        assert pairs(atlas, "min_share := 0.5") == pairs(atlas, "rule := 'share'") == [(0, 1, 0.5, 0.5)]
        assert pairs(atlas, "rule := 'paper'") == []  # B's feature 1 has no windows
        atlas.rows("update feature_context set feature_id = 1 where scan_id = 2")
        assert pairs(atlas, "rule := 'paper'") == [(0, 1, 0.5, 0.5)]
        assert pairs(atlas, "rule := 'word', min_share := 0.6") == []
        with pytest.raises(duckdb.Error, match="rule is share, paper or word, not shape"):
            pairs(atlas, "rule := 'shape'")


def test_members_can_be_asked_for_by_each_rule(tiny: Path):
    asked = {"sae": "little/one", "corpus": "words", "concept": "Emotions", "min_share": 0.5}
    with open_atlas(tiny) as atlas:
        assert atlas.fetch("concepts/members_by", rule="share", **asked).rows == [(0,)]
        assert atlas.fetch("concepts/members_by", rule="paper", **asked | {"min_share": 0.6}).rows == []


def test_a_rule_that_is_none_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="known: share, paper, word"):
        ConceptRule("shape")


@pytest.mark.real
def test_on_real_text_the_windows_hold_what_the_rules_find(real_atlas: Path):
    with open_atlas(real_atlas) as atlas:
        found = atlas.rows(
            "select p.sae, p.feature_id, p.rank, p.token, p.keyword, p.word, f.top_tokens "
            "from keyword_positions p join features f using (sae, corpus, feature_id) where p.by_word"
        ).rows
        text = {
            (sae, feature): "".join(tokens).lower()
            for sae, feature, tokens in atlas.rows(
                "select sae, feature_id, flatten(list(list_append(tokens, ' '))) from contexts where kind = 'top' and rank <= 5 group by all"
            )
        }
    assert len(found) > 50
    assert {row[4].lower() for row in found} != {row[3].strip().lower() for row in found}
    assert all(row[5].lower() == row[4].lower() and row[5].lower() in text[row[0], row[1]] for row in found)
    assert np.mean([row[6][row[2] - 1] == row[3] for row in found]) > 0.98
