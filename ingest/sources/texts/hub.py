"""Corpora that `datasets` streams: `hf:NAME:SPLIT` and `hf:NAME:CONFIG:SPLIT`, from the hub or a folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atlas.errors import AtlasError, UsageError
from ingest.sources.failures import library_errors, reason
from ingest.sources.quiet import quietly
from ingest.sources.texts.documents import Document, Fields, document_of, field_hint, quoted

PREFIX = "hf:"

BUFFER = 10_000
"""Documents among which a shuffled stream draws the next one."""


@dataclass(frozen=True, slots=True)
class HubText:
    """A split of a data set."""

    name: str
    """Name on the hub, or a folder that `datasets` can load."""
    config: str | None
    """Configuration; None for the only one."""
    split: str
    """Such as `train`."""

    @property
    def source(self) -> str:
        return PREFIX + ":".join(part for part in (self.name, self.config, self.split) if part)


def hub_text(source: str) -> HubText:
    """Read `hf:NAME[:CONFIG]:SPLIT`.

    Raises:
        UsageError: It has another form.
    """
    parts = source.removeprefix(PREFIX).split(":")
    if len(parts) not in (2, 3) or not all(part.strip() for part in parts):
        raise UsageError(
            f"{source} does not name a split of a data set",
            why="it is hf:NAME:SPLIT or hf:NAME:CONFIG:SPLIT",
            hint=f"--corpus {PREFIX}{parts[0] or 'roneneldan/TinyStories'}:train",
        )
    return HubText(parts[0], parts[1] if len(parts) == 3 else None, parts[-1])


def hub_documents(text: HubText, fields: Fields, shuffle: int | None) -> Iterator[Document]:
    """Documents of a split, streamed; with a seed in the order of a shuffled buffer of `BUFFER` documents.

    Raises:
        AtlasError: There is no such data set or split, it cannot be reached, or a row has no text.
    """
    data = _opened(text, fields)
    if shuffle is not None:
        data = data.shuffle(seed=shuffle, buffer_size=BUFFER)
    rows = iter(data)
    number = 0
    while (row := _next(rows, text)) is not None:
        number += 1
        if document := document_of(row, fields, f"{text.source}, row {number},"):
            yield document


def _next(rows: Iterator[Any], text: HubText) -> Any:
    """The next row; None at the end."""
    try:
        with quietly():
            return next(rows, None)
    except (OSError, *library_errors()) as error:
        raise AtlasError(
            f"{text.source} cannot be read on", why=reason(error), hint="run the same command again"
        ) from error


def _opened(text: HubText, fields: Fields) -> Any:
    """The split, with the fields that are read."""
    try:
        import datasets
    except ImportError as error:
        raise AtlasError("the package datasets is not installed", hint="pip install datasets") from error
    try:
        with quietly():
            name = str(Path(text.name).expanduser()) if text.name.startswith("~") else text.name
            data = datasets.load_dataset(name, text.config, split=text.split, streaming=True)
    except (ConnectionError, FileNotFoundError) as error:
        raise AtlasError(
            f"there is no data set {text.name!r}",
            why="it is not a folder here, and the Hugging Face hub does not have it: " + reason(error),
            hint="check the name, give a local file, or unset HF_HUB_OFFLINE",
        ) from error
    except (OSError, *library_errors()) as error:
        raise AtlasError(f"{text.source} cannot be opened", why=reason(error), hint="check its split") from error
    features = data.features
    if not features:
        return data
    known = list(features)
    for option, field in (("--text-field", fields.text), ("--label-field", fields.label)):
        if field is not None and field not in known:
            texts = (key for key in known if getattr(features[key], "dtype", None) == "string")
            hint = field_hint(texts, "check its features") if option == "--text-field" else None
            why = f"its fields are {', '.join(known)}"
            raise UsageError(f"{text.source} has no field {quoted(field)}", why=why, hint=hint)
    return data.select_columns([field for field in (fields.text, fields.label) if field is not None])
