"""Corpora of every kind: files, folders and patterns of text or token ids, and data sets that are streamed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atlas.errors import AtlasError, UsageError
from ingest.sources.texts.arrays import array_documents, check_tokenizer, read_array, row_length, split_stream
from ingest.sources.texts.documents import Document, Fields, quoted
from ingest.sources.texts.files import ARRAY_KINDS, check_file, corpus_files, field_names, file_documents, kind_of
from ingest.sources.texts.hub import PREFIX, HubText, hub_documents, hub_text
from ingest.sources.texts.shuffle import shuffled
from ingest.sources.tokens.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class CorpusText:
    """Where the documents of a corpus come from; nothing of it is read yet."""

    source: str
    """As the user gave it."""
    fields: Fields
    """What is read of a row."""
    shuffle: int | None
    """Seed of the order of the documents; None for the order in which they are stored."""
    files: tuple[Path, ...]
    """Files in the order in which they are read; none for a data set."""
    hub: HubText | None
    """The data set, if it is one."""
    row_length: int | None
    """Tokens of a context, if contexts are given as rows of token ids; such a corpus is cut already. Else None."""

    @property
    def name(self) -> str:
        """What the corpus is called if nobody says otherwise."""
        if self.hub is not None:
            parts = (Path(self.hub.name).name, self.hub.config, self.hub.split)
            return "-".join(part for part in parts if part)
        path = Path(self.source).expanduser()
        if path.is_dir():
            return path.resolve().name
        if len(self.files) == 1:
            return _stem(self.files[0])
        fixed = [part for part in path.parts if not re.search(r"[*?\[]", part)]
        return Path(*fixed).resolve().name or "corpus"

    def documents(self, tokenizer: Any, words: Vocabulary, scratch: Path | None = None) -> Iterator[Document]:
        """Documents with something in them, in the order of the corpus.

        Args:
            tokenizer: Tokenizer of the model, with which token ids that are given are compared.
            words: Its vocabulary.
            scratch: Folder for temporary files; None for the system's.

        Raises:
            AtlasError: There is no text, or some of it cannot be read.
        """
        if self.hub is not None:
            documents = _split(hub_documents(self.hub, self.fields, self.shuffle), words)
        else:
            documents = self._in_files(tokenizer, words)
            if self.shuffle is not None:
                documents = shuffled(documents, self.shuffle, scratch)
        found = False
        for document in documents:
            found = True
            yield document
        if not found:
            raise AtlasError(f"no text in {self.source}", why="every document is empty", hint="give another --corpus")

    def _in_files(self, tokenizer: Any, words: Vocabulary) -> Iterator[Document]:
        """Documents of the files, one file after another."""
        arrays = {file: read_array(file) for file in self.files if kind_of(file) in ARRAY_KINDS}
        for array in arrays.values():
            check_tokenizer(array, tokenizer, words)
        for file in self.files:
            if array := arrays.get(file):
                yield from array_documents(array, words)
            else:
                yield from _split(file_documents(file, self.fields), words)


def open_corpus(
    source: str | Path, *, text_field: str | None = None, label_field: str | None = None, shuffle: int | None = None
) -> CorpusText:
    """Find what a corpus consists of, and look at the begin of it; torch is not imported.

    Args:
        source: A file, a folder, a pattern, or `hf:NAME[:CONFIG]:SPLIT`.
        text_field: Field with the text in `.jsonl`, Parquet and data sets; None for `text`.
        label_field: Field with a number or boolean for each document; None to read none.
        shuffle: Seed of a random order of the documents; None to keep theirs.

    Raises:
        AtlasError: There is no such corpus, it is damaged, or a field is not there.
    """
    source, fields = str(source), Fields(text_field or "text", label_field)
    if shuffle is not None and shuffle < 0:
        raise UsageError(f"--shuffle {shuffle} is below zero", hint="--shuffle 0")
    if source.startswith(PREFIX):
        return CorpusText(source, fields, shuffle, (), hub_text(source), None)
    files = corpus_files(source)
    arrays = [read_array(file) for file in files if kind_of(file) in ARRAY_KINDS]
    length = row_length(arrays) if arrays else None
    if length is not None and len(arrays) < len(files):
        text = next(file.name for file in files if kind_of(file) not in ARRAY_KINDS)
        why = f"{arrays[0].file.name} has a context a row, and {text} has text"
        raise UsageError("contexts that are cut already and text are not one corpus", why=why, hint="ingest them apart")
    texts = [file for file in files if kind_of(file) not in ARRAY_KINDS]
    _check_label(texts, source, label_field)
    for file in texts[:1] + [file for file in texts[1:] if kind_of(file) == ".parquet"]:
        check_file(file, fields)
    return CorpusText(source, fields, shuffle, tuple(files), None, length)


def _split(documents: Iterable[Document], words: Vocabulary) -> Iterator[Document]:
    """The same documents; a row of token ids may hold several."""
    for document in documents:
        if document.token_ids is None:
            yield document
        else:
            yield from split_stream(document.token_ids, words, document.label)


def _check_label(files: list[Path], source: str, field: str | None) -> None:
    """Raise if no file begins with rows that have the label field."""
    if field is None:
        return
    known: dict[str, None] = {}
    for file in files:
        known.update(dict.fromkeys(field_names(file)))
        if field in known:
            return
    if not known:
        why = "plain text and token arrays have no fields"
        raise UsageError(f"{source} has no labels", why=why, hint="give a .jsonl or Parquet file, or no --label-field")
    raise UsageError(
        f"{source} has no field {quoted(field)}", why=f"its fields are {', '.join(known)}", hint="--label-field FIELD"
    )


def _stem(file: Path) -> str:
    """Name of a file without its endings."""
    stem = Path(file.name).stem
    return Path(stem).stem if file.suffix.lower() in (".gz", ".zst") else stem
