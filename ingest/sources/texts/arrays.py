"""Corpora that are tokenised already: `.npy` files, and safetensors files with one tensor of token ids.

A one-dimensional array is a stream, in which BOS and EOS stand between documents. A two-dimensional one has a context a
row, taken as it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from atlas.errors import AtlasError, UsageError
from ingest.sources.folders import check_safetensors
from ingest.sources.texts.documents import Document
from ingest.sources.tokens.vocabulary import Vocabulary

_BLOCK = 1 << 20
_DTYPES = {
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TokenArray:
    """Token ids in a file."""

    file: Path
    """Where they are."""
    ids: np.ndarray
    """(tokens,) or (contexts, tokens) integers, read from the file when they are used."""
    tokenizer_sha256: str | None
    """Hash of the tokenizer that made them, as the file says; None if it does not."""


def read_array(file: Path) -> TokenArray:
    """Open a file of token ids without reading them.

    Raises:
        AtlasError: It is damaged, or holds something else than whole numbers in one or two dimensions.
    """
    ids, metadata = _npy(file) if file.suffix.lower() == ".npy" else _safetensors(file)
    if ids.dtype.kind not in "iu":
        raise AtlasError(
            f"{file} holds no token ids", why=f"its numbers are {ids.dtype}", hint="save ids as int32 or uint16"
        )
    if ids.ndim not in (1, 2) or 0 in ids.shape:
        why = f"its shape is {ids.shape}; a stream is (tokens,), and contexts are (contexts, tokens)"
        raise AtlasError(f"{file} holds no token ids", why=why)
    if ids.ndim == 2 and ids.shape[1] < 2:
        raise AtlasError(
            f"{file} has contexts of one token", why=f"its shape is {ids.shape}", hint="save it as (tokens,)"
        )
    return TokenArray(file, ids, metadata.get("tokenizer_sha256"))


def _npy(file: Path) -> tuple[np.ndarray, Mapping[str, str]]:
    """The array of a `.npy`."""
    try:
        return np.load(file, mmap_mode="r", allow_pickle=False), {}
    except (ValueError, EOFError, OSError) as error:
        why = str(error).splitlines()[0]
        raise AtlasError(f"{file} cannot be read as an array", why=why, hint="write it with numpy.save") from error


def _safetensors(file: Path) -> tuple[np.ndarray, Mapping[str, str]]:
    """The one tensor of a safetensors file, and its metadata."""
    try:
        check_safetensors([file])
        with file.open("rb") as handle:
            n_header = int.from_bytes(handle.read(8), "little")
            header: dict[str, Any] = json.loads(handle.read(n_header))
    except OSError as error:
        raise AtlasError(f"{file} cannot be read", why=error.strerror) from error
    metadata = header.pop("__metadata__", None) or {}
    whole = {name: part for name, part in header.items() if part["dtype"] in _DTYPES}
    if len(whole) != 1:
        tensors = ", ".join(f"{name} ({part['dtype']})" for name, part in header.items())
        why = f"its tensors are {tensors or 'none'}"
        raise AtlasError(f"{file} does not hold one tensor of whole numbers", why=why, hint="save the token ids alone")
    ((_, part),) = whole.items()
    if 0 in part["shape"]:
        return np.empty(part["shape"], np.int32), metadata
    begin = 8 + n_header + part["data_offsets"][0]
    return np.memmap(file, _DTYPES[part["dtype"]], "r", begin, tuple(part["shape"])), metadata


def row_length(arrays: list[TokenArray]) -> int | None:
    """Tokens of a row, if the arrays have a context a row; None if they are streams.

    Raises:
        UsageError: They are of different shapes.
    """
    first = arrays[0].ids.shape[1:]
    for array in arrays:
        if array.ids.shape[1:] != first:
            raise UsageError(
                "the token arrays of this corpus have different shapes",
                why=f"{arrays[0].file.name} is {arrays[0].ids.shape} and {array.file.name} is {array.ids.shape}",
                hint="give streams alone, or arrays whose rows are equally long",
            )
    return first[0] if first else None


def check_tokenizer(array: TokenArray, tokenizer: Any, words: Vocabulary) -> None:
    """Raise if the file, or the `tokenizer.json` beside it, says that the ids belong to another vocabulary.

    Raises:
        AtlasError: They do, or that file cannot be read.
    """
    if array.tokenizer_sha256 is not None and array.tokenizer_sha256 != words.sha256:
        raise AtlasError(
            f"{array.file} was tokenised for another model",
            why=f"its tokenizer_sha256 is {array.tokenizer_sha256[:12]}…, the model's is {words.sha256[:12]}…",
            hint="tokenise the text with the tokenizer of the model",
        )
    beside = array.file.parent / "tokenizer.json"
    if not beside.is_file():
        return
    from tokenizers import Tokenizer

    try:
        theirs = Tokenizer.from_file(str(beside)).get_vocab(with_added_tokens=True)
    except Exception as error:  # tokenizers raises nothing narrower
        raise AtlasError(f"{beside} cannot be read", why=str(error), hint="copy it again") from error
    ours = tokenizer.get_vocab()
    differing = sorted((token for token in theirs if ours.get(token) != theirs[token]), key=lambda token: theirs[token])
    if differing:
        token = differing[0]
        known = f"{ours[token]}" if token in ours else "not in it"
        raise AtlasError(
            f"{array.file} was tokenised for another model",
            why=f"{token!r} is {theirs[token]} in {beside.name} beside it, and {known} in the model's tokenizer",
            hint="tokenise the text with the tokenizer of the model",
        )


def array_documents(array: TokenArray, words: Vocabulary) -> Iterator[Document]:
    """Rows of contexts as they stand, or the documents of a stream, a long one in pieces."""
    if array.ids.ndim == 2:
        yield from (Document(token_ids=row) for row in np.asarray(array.ids))
    else:
        yield from split_stream(array.ids, words)


def split_stream(ids: np.ndarray, words: Vocabulary, label: float = np.nan) -> Iterator[Document]:
    """Documents between the BOS and EOS tokens of a stream, without them and without padding."""
    apart = [token for token in (words.bos_id, words.eos_id, words.pad_id) if token is not None]
    begins = True
    for start in range(0, len(ids), _BLOCK):
        block = np.asarray(ids[start : start + _BLOCK])
        marks = np.flatnonzero(np.isin(block, apart))
        previous = 0
        for end in [*marks.tolist(), len(block)]:
            if end > previous:
                yield Document(token_ids=block[previous:end], label=label, begins=begins)
                begins = False
            if end < len(block):
                begins = True
            previous = end + 1
