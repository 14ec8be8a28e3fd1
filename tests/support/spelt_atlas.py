"""The tiny atlas with other texts: SAE A on documents whose tokens a test spells out, and rules of concepts in plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from atlas.db import open_atlas

BOS = "<s>"
Text = Sequence[str]
Place = tuple[int, int]
"""Number of a text, place of a token in it."""


def write_spelt(
    db: Path,
    texts: Sequence[Text],
    features: Sequence[Mapping[Place, float]],
    keywords: Mapping[str, Sequence[str]],
) -> None:
    """Put texts, one context and one document each, activations of A's features, and lexicons into the tiny atlas."""
    words = sorted({token for text in texts for token in text})
    ids = {word: i for i, word in enumerate([BOS, *words])}
    kinds = ["special"] + ["word" if word.strip().isalnum() else "punctuation" for word in words]
    with open_atlas(db, write=True) as atlas, atlas.transaction():
        for table in ("vocab", "context", "concept_keyword"):
            atlas.rows(f"delete from {table}")
        for table in ("feature_context", "feature_stat"):
            atlas.rows(f"delete from {table} where scan_id = 1")
        atlas.insert(
            "vocab", {"tokenizer_id": [1] * len(ids), "token_id": range(len(ids)), "text": list(ids), "class": kinds}
        )
        contexts = {"corpus_id": [1] * len(texts), "context_id": range(len(texts)), "first_token": [0] * len(texts)}
        tokens = [[0, *(ids[token] for token in text)] for text in texts]
        documents = [[-1] + [number] * len(text) for number, text in enumerate(texts)]
        atlas.insert("context", contexts | {"token_ids": tokens, "documents": documents})
        atlas.insert("feature_stat", _statistics(texts, features))
        atlas.insert("feature_context", _windows(texts, features))
        pairs = [(concept, word, "test") for concept, listed in keywords.items() for word in listed]
        atlas.insert(
            "concept_keyword",
            dict(zip(("concept", "keyword", "source"), map(list, zip(*pairs, strict=True)), strict=True)),
        )


def strongest(feature: Mapping[Place, float], most: int) -> list[Place]:
    """Places by falling activation; the first in the corpus of those that tie."""
    return sorted(feature, key=lambda place: (-feature[place], place))[:most]


def is_keyword_token(text: Text, i: int, keyword: str) -> bool:
    """Rule `share`, at one place."""
    inside = i > 0 and not text[i].startswith(" ") and text[i - 1][-1].isalnum()
    return text[i].strip(" ").lower() == keyword.lower() and not inside


def is_keyword_in_paper(text: Text, i: int, keyword: str) -> bool:
    """Rule `paper`, at one place: what the released code compares, in its order."""
    near = "".join(text[max(i - 2, 0) : i + 2])
    for mark in (".", ",", "?", "!", "\n"):
        near = near.replace(mark, "")
    return text[i].replace(" ", "").lower() == keyword.lower() and keyword.lower() in near.lower().split(" ")


def is_keyword_word(text: Text, i: int, keyword: str) -> bool:
    """Rule `word`, at one place: walk from the token's own letters to where the letters end."""
    line, start = "".join(text), len("".join(text[:i]))
    end = start + len(text[i])
    inner = [j for j in range(start, end) if line[j].isalnum()]
    if not inner:
        return False
    first, last = inner[0], inner[-1]
    while first == start and first > 0 and line[first - 1].isalnum():
        start = first = first - 1
    while last == end - 1 and end < len(line) and line[end].isalnum():
        last, end = end, end + 1
    return line[first : last + 1].lower() == keyword.lower()


def _statistics(texts: Sequence[Text], features: Sequence[Mapping[Place, float]]) -> dict[str, list]:
    """Rows of feature_stat; sums that no concept looks at are 0."""
    tops = [strongest(feature, 20) for feature in features]
    sums = {
        name: [0.0] * len(features)
        for name in ("total", "total_2", "total_3", "total_4", "median_active", "q25_active", "q75_active")
    }
    return {
        "scan_id": [1] * len(features),
        "feature_id": list(range(len(features))),
        "n_fired": [len(feature) for feature in features],
        "n_documents": [len({number for number, _ in feature}) for feature in features],
        "max": [max(feature.values(), default=None) for feature in features],
        "top_tokens": [[texts[number][i] for number, i in top] for top in tops],
        "top_activations": [[features[f][place] for place in top] for f, top in enumerate(tops)],
        **sums,
    }


def _windows(texts: Sequence[Text], features: Sequence[Mapping[Place, float]]) -> dict[str, list]:
    """Rows of feature_context: whole contexts, those with the strongest peaks first."""
    rows = []
    for f, feature in enumerate(features):
        peaks = {}
        for number, i in strongest(feature, len(feature)):
            peaks.setdefault(number, i)
        for rank, (number, i) in enumerate(list(peaks.items())[:20], start=1):
            places = sorted(place for place in feature if place[0] == number)
            rows.append((1, f, "top", 0, rank, feature[number, i], number, i + 1, 0, len(texts[number]) + 1,
                         [j + 1 for _, j in places], [feature[place] for place in places]))  # fmt: skip
    names = (
        "scan_id",
        "feature_id",
        "kind",
        "bin",
        "rank",
        "activation",
        "context_id",
        "position",
        "start",
        "length",
        "places",
        "activations",
    )
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
