"""Concepts: the rules by which features belong to them, and lexicons of a user, from a file into an atlas."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from atlas.catalog.concepts import concept_named
from atlas.choices import CONCEPT_RULES
from atlas.db import open_atlas
from atlas.db.runs import add_run, utc_now
from atlas.errors import AtlasError, UnknownName, UsageError

Lexicons = dict[str, tuple[str, ...]]
"""Keywords of each concept, in the order of the file, each once, ignoring letter case."""

FORMS = (
    'CSV with the columns concept and keyword, JSON as {"concept": ["word", …]}, or text with a word a line and --name'
)


@dataclass(frozen=True, slots=True)
class ConceptRule:
    """When a feature belongs to a concept. Equal rules on equal atlases give the same features."""

    rule: str = "share"
    """One of `atlas.choices.CONCEPT_RULES`."""
    min_share: float | None = None
    """Minimum share of its strongest tokens that are keywords, in (0, 1]; None takes any."""

    def __post_init__(self) -> None:
        if self.rule not in CONCEPT_RULES:
            raise UnknownName("concept rule", self.rule, CONCEPT_RULES)


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one concept of a file."""

    concept: str
    """Name as the atlas has it."""
    n_keywords: int
    """Words it has now; of a removed one, those it had."""
    what: str
    """`added`, `replaced`, `unchanged` or `removed`."""


def read_lexicons(path: Path, *, name: str | None = None) -> Lexicons:
    """Read the concepts of a file: `.csv`, `.json`, or any other suffix for one word a line.

    Args:
        path: UTF-8 text.
        name: Name of the concept, for a file of words only.

    Raises:
        AtlasError: The file cannot be read, is empty, or has none of the forms; the message names the place.
        UsageError: The file names its concepts and so does `name`, or neither does.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = "it is not valid UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise AtlasError(f"{path} cannot be read", why=why) from error
    form = path.suffix.lower()
    if form in (".csv", ".json") and name is not None:
        raise UsageError(f"{path.name} names its concepts itself", hint="leave out --name")
    if form not in (".csv", ".json") and name is None:
        raise UsageError(f"{path.name} does not say which concept its words make up", hint="--name NAME")
    if form == ".csv":
        found = _collected(path, _csv_rows(path, text))
    elif form == ".json":
        found = _collected(path, _json_rows(path, text))
    else:
        lines = ((f"line {i}", name, line) for i, line in enumerate(text.splitlines(), 1) if line.strip())
        found = _collected(path, lines)
    if not found:
        raise AtlasError(f"{path} holds no word", hint=FORMS)
    return found


def built_in_lexicons() -> tuple[Lexicons, str]:
    """The concepts that ship with featlas, and where they are from."""
    shipped = json.loads((Path(__file__).parents[1] / "data" / "concepts.json").read_text(encoding="utf-8"))
    return {concept: tuple(words) for concept, words in shipped["concepts"].items()}, str(shipped["source"])


def add_lexicons(
    db: Path, lexicons: Mapping[str, Iterable[str]], *, source: str, replace: bool = False, wait: float = 0
) -> list[Change]:
    """Write concepts into an atlas, all or none; one that the atlas has with the same words is left as it is.

    Args:
        db: The atlas.
        lexicons: Keywords of each concept.
        source: Where they come from; view `concepts` shows it.
        replace: Replace the words of a concept that the atlas already has.
        wait: Seconds to wait for a locked file.

    Raises:
        UsageError: The atlas has a concept with other words, and `replace` was not given.
        AtlasUnavailable: The atlas cannot be opened for writing.
    """
    started = utc_now()
    with open_atlas(db, write=True, wait=wait) as atlas, atlas.transaction():
        stored: dict[str, list[tuple[str, str]]] = {}
        for concept, keyword, origin in atlas.fetch("concepts/words"):
            stored.setdefault(concept, []).append((keyword, origin))
        called = {concept.lower(): concept for concept in stored}
        changes, rows = [], []
        for wanted, words in lexicons.items():
            name, new = called.get(wanted.lower(), wanted), list(words)
            old = stored.get(name, [])
            same = {word.lower() for word, _ in old} == {word.lower() for word in new}
            if old and not same and not replace:
                raise _other_words(name, old, new)
            changes.append(Change(name, len(new), "unchanged" if same else "replaced" if old else "added"))
            if not same:
                atlas.rows("delete from concept_keyword where concept = $concept", concept=name)
                rows += [(name, word, source) for word in new]
        if rows:
            columns = zip(("concept", "keyword", "source"), zip(*rows, strict=True), strict=True)
            atlas.insert("concept_keyword", {column: list(values) for column, values in columns})
            written = {change.concept: [w for c, w, _ in rows if c == change.concept] for change in changes}
            add_run(atlas, {"concepts": {c: w for c, w in written.items() if w}, "source": source}, started)
    return changes


def remove_lexicon(db: Path, wanted: str, *, wait: float = 0) -> Change:
    """Take a concept out of an atlas; scores that were computed with it stay.

    Args:
        db: The atlas.
        wanted: Name of the concept, letter case aside.
        wait: Seconds to wait for a locked file.

    Raises:
        UnknownName: There is no such concept.
        AtlasUnavailable: The atlas cannot be opened for writing.
    """
    started = utc_now()
    with open_atlas(db, write=True, wait=wait) as atlas, atlas.transaction():
        name = concept_named(atlas, wanted)
        gone = atlas.rows("delete from concept_keyword where concept = $concept returning keyword", concept=name)
        add_run(atlas, {"removed_concept": name}, started)
    return Change(name, len(gone), "removed")


def _collected(path: Path, rows: Iterable[tuple[str, Any, Any]]) -> Lexicons:
    """Words by concept from (place, concept, word), checked; names that differ in letter case only are one concept."""
    found: dict[str, dict[str, str]] = {}
    spelt: dict[str, str] = {}
    for place, concept, word in rows:
        for what, value in (("concept", concept), ("keyword", word)):
            if not isinstance(value, str) or not value.strip():
                raise AtlasError(f"{place} of {path} has no {what}", hint=FORMS)
        if not concept.strip().isprintable():
            raise AtlasError(f"{place} of {path} has a concept with characters that cannot be printed: {concept!r}")
        if len(word.split()) > 1:
            why = "keywords are searched between spaces"
            raise AtlasError(f"{place} of {path} is not a single word: {word.strip()!r}", why=why)
        name = spelt.setdefault(concept.strip().lower(), concept.strip())
        found.setdefault(name, {}).setdefault(word.strip().lower(), word.strip())
    return {concept: tuple(words.values()) for concept, words in found.items()}


def _csv_rows(path: Path, text: str) -> Iterable[tuple[str, Any, Any]]:
    """Rows of a CSV file; other columns than the two are ignored."""
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        missing = {"concept", "keyword"} - set(reader.fieldnames or ())
        if missing and reader.fieldnames:
            raise AtlasError(
                f"{path} has no column {' and no column '.join(sorted(missing))}",
                why=f"its first line names: {', '.join(reader.fieldnames)}",
                hint=FORMS,
            )
        for row in reader:
            yield f"line {reader.line_num}", row["concept"], row["keyword"]
    except csv.Error as error:
        raise AtlasError(f"line {reader.line_num} of {path} is not valid CSV", why=str(error)) from error


def _json_rows(path: Path, text: str) -> Iterable[tuple[str, Any, Any]]:
    """Items of a JSON file: an object of lists, by itself or under the key `concepts`, as in the built-in file."""
    try:
        content = json.loads(text, object_pairs_hook=partial(_named_once, path)) if text.strip() else {}
    except json.JSONDecodeError as error:
        raise AtlasError(f"{path} is not valid JSON", why=str(error)) from error
    if isinstance(content, dict) and isinstance(content.get("concepts"), dict):
        content = content["concepts"]
    if not isinstance(content, dict) or not all(isinstance(words, list) for words in content.values()):
        raise AtlasError(f"{path} is not an object of lists", hint=FORMS)
    for concept, words in content.items():
        if not words:
            raise AtlasError(f"concept {concept!r} of {path} has no keyword", hint=FORMS)
        for i, word in enumerate(words, 1):
            yield f"word {i} of {concept!r}", concept, word


def _other_words(name: str, old: list[tuple[str, str]], new: list[str]) -> UsageError:
    there, given = {word.lower() for word, _ in old}, {word.lower() for word in new}
    return UsageError(
        f"the atlas already has a concept {name}, with other words",
        why=f"its {len(there)} words are from {old[0][1]}; the file has {len(given - there)} more and lacks "
        f"{len(there - given)} of them",
        hint="--replace overwrites them, or give the concept another name",
    )


def _named_once(path: Path, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of a JSON file; of a repeated name JSON would keep the last."""
    twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    if twice:
        raise AtlasError(f"{path} names {twice[0]!r} twice", hint="give all of its words in one list")
    return dict(pairs)
