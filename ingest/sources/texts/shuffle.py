"""The documents of a corpus in a seeded random order, every order equally likely, without holding them in memory."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import numpy as np

from atlas.errors import AtlasError
from ingest.sources.texts.documents import Document


def shuffled(documents: Iterable[Document], seed: int, scratch: Path | None = None) -> Iterator[Document]:
    """All documents, in the order of a seeded permutation.

    They are written to a temporary file first, which needs as much room as the text uncompressed; 17 bytes of memory a
    document are used.

    Args:
        documents: Documents; all are read before the first one comes out.
        seed: Equal seeds give equal orders.
        scratch: Folder of the temporary file; None for the system's.
    """
    ends, labels, is_text = array("q", [0]), array("d"), bytearray()
    try:
        with tempfile.TemporaryFile(dir=scratch) as file:
            for document in documents:
                n_bytes = file.write(_packed(document))
                if document.begins or not labels:
                    ends.append(ends[-1] + n_bytes)
                    labels.append(document.label)
                    is_text.append(document.token_ids is None)
                else:
                    ends[-1] += n_bytes
            for number in np.random.default_rng(seed).permutation(len(labels)).tolist():
                raw = _read(file, ends[number], ends[number + 1])
                if is_text[number]:
                    yield Document(text=raw.decode(), label=labels[number])
                else:
                    yield Document(token_ids=np.frombuffer(raw, np.int64), label=labels[number])
    except OSError as error:
        raise AtlasError(
            "the corpus cannot be shuffled",
            why=f"it is written to a temporary file first: {error.strerror}",
            hint="make room on the disk, set TMPDIR to another one, or give no --shuffle",
        ) from error


def _packed(document: Document) -> bytes:
    """The content of a document as bytes."""
    if document.token_ids is None:
        return document.text.encode()
    return np.ascontiguousarray(document.token_ids, dtype=np.int64).tobytes()


def _read(file: IO[bytes], begin: int, end: int) -> bytes:
    """Bytes of a file from `begin` to `end`."""
    file.seek(begin)
    return file.read(end - begin)
