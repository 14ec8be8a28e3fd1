"""Claims about the generated text of the built-in models."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from atlas.errors import UnknownName
from ingest.toy.artifacts import write_corpus
from ingest.toy.corpus import SEPARATOR, documents
from ingest.toy.grammar import Draw, finish
from ingest.toy.words import ZONES

STYLES = ("stories", "almanac", "mixed")

BUGS = {
    "a before a vowel": r"\b[Aa] (?:[aeiou]|hour|honor)",
    "an before a consonant": r"\b[Aa]n (?!hour|honor)[^aeiou]",
    "an article twice": r"\b([Aa]n?|[Tt]he) (a|an|the)\b",
    "a word twice": r"\b(\w+) \1\b",
    "two blanks": r"  ",
    "a blank at the end of a line": r" $",
    "a brace": r"[{}]",
    "an unresolved article": r"\(n\)",
    "a blank before a mark": r" [.,!?:]",
    "two marks": r"[.,!?:][.,!?:]",
    "a small letter after a full stop": r"[.!?] [a-z]",
    "a small letter at the start of a line": r"^[a-z]",
    "an open quotation": r'^[^"]*"[^"]*$',
}


@pytest.fixture(scope="module")
def texts() -> dict[str, list[str]]:
    """Two thousand documents of each style."""
    return {style: list(documents(style, 7, 2000)) for style in STYLES}


@pytest.mark.parametrize("bug", BUGS)
@pytest.mark.parametrize("style", STYLES)
def test_no_document_shows_a_template_bug(texts, style, bug):
    found = [hit[0] for document in texts[style] for hit in re.finditer(BUGS[bug], document, re.MULTILINE)]
    assert found == []


def test_every_tale_ends_with_a_mark(texts):
    assert {document[-1] for document in texts["stories"]} <= set('.!"')


def test_equal_seeds_give_equal_documents_and_other_seeds_others():
    assert list(documents("mixed", 3, 50)) == list(documents("mixed", 3, 50))
    assert list(documents("mixed", 3, 50)) != list(documents("mixed", 4, 50))


def test_fewer_documents_are_the_first_of_more():
    assert list(documents("almanac", 3, 5)) == list(documents("almanac", 3, 50))[:5]


def test_the_text_is_the_same_on_every_machine():
    assert next(documents("stories", 0, 1)) == FIRST_STORY


def test_the_two_styles_share_their_words_but_not_their_form(texts):
    words = {style: Counter(re.findall(r"[a-z]+", " ".join(texts[style]))) for style in STYLES}
    shared = words["stories"].keys() & words["almanac"].keys()
    assert len(shared) > 300
    assert all("\n" not in document for document in texts["stories"])
    assert all("\n" in document for document in texts["almanac"])


@pytest.mark.parametrize(
    ("concept", "words"),
    {
        "Time": "moment now soon later past present future era decade deadline schedule delay term lifetime annual",
        "Calendar": "day night week month year hour dawn noon dusk season spring summer autumn winter calendar clock",
        "People/Roles": "girl boy kid dad mom son sis bro chief priest king queen duke lord clerk coach nurse maid",
        "Nature": "tree stone cliff hill mud wind storm rain cloud moon leaf lake creek sea field shore snow fog peak",
        "Emotions": "joy glee pride grief fear hope love hate shame rage calm dread guilt scorn woe spite envy mirth",
        "MonthNames": "January February March April May June July August September October November December",
        "Countries": "USA Canada Brazil Mexico Germany France Italy Spain UK Australia China Japan India Russia Korea",
        "Biology": "gene DNA RNA virus bacteria fungus brain lung blood bone nerve enzyme protein cell nucleus",
    }.items(),
)
def test_the_words_of_a_concept_are_common(texts, concept, words):
    counts = Counter(re.findall(r"[A-Za-z]+", " ".join(texts["mixed"])))
    assert {word: counts[word] for word in words.split() if counts[word] < 5} == {}


def test_words_of_one_feeling_keep_together(texts):
    """Grief and rage have causes of their own: what makes them related for a model is the text around them."""
    tales = [document for document in texts["stories"] if "lost a friend" in document]
    assert sum("grief" in tale or "woe" in tale for tale in tales) > 5 * sum("rage" in tale for tale in tales)


def test_write_corpus_separates_documents_by_lines_of_their_own(tmp_path):
    path = write_corpus(tmp_path / "demo.txt", style="almanac", n_documents=20, seed=5)
    assert path.read_text().split(f"\n{SEPARATOR}\n") == [*documents("almanac", 5, 20), ""]


def test_write_corpus_is_held_out_from_training(tmp_path):
    demo = write_corpus(tmp_path / "demo.txt", n_documents=500).read_text().split(f"\n{SEPARATOR}\n")[:-1]
    trained_on = set(documents("mixed", 1, 33_000))
    assert sum(document in trained_on for document in demo) <= 5


def test_an_unknown_style_names_the_known_ones():
    with pytest.raises(UnknownName, match="stories"):
        list(documents("poems", 0, 1))


def test_finish_chooses_the_article_and_begins_sentences_with_capitals():
    assert finish("a(n) owl came. in a(n) hour it saw a(n) fox.") == "An owl came. In an hour it saw a fox."


def test_some_draws_different_items():
    draw = Draw("x")
    assert all(len(set(draw.some(zone.sites, 2))) == 2 for zone in ZONES for _ in range(50))


def test_writing_text_costs_no_torch():
    heavy = "('torch', 'transformers', 'tokenizers', 'sae_lens', 'transformer_lens')"
    code = f"import sys, ingest.toy.artifacts; print([name for name in {heavy} if name in sys.modules])"
    root = Path(__file__).parents[3]
    assert subprocess.check_output([sys.executable, "-c", code], cwd=root, text=True).strip() == "[]"


FIRST_STORY = (
    "Everybody called Carl a punk. All day he wanted to play a loud guitar. The teacher wrote the date of the test on "
    "the calendar: the second of April. On Sunday the nerd won the science prize. When he had come in last of all, "
    "Carl felt malice. The punk began to shrug. The next term was better."
)
