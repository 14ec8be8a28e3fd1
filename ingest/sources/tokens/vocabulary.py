"""What each token id reads as, what kind of token it is, and which tokenizers are the same one."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

_BYTE_PIECE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_VOLATILE = ("truncation", "padding", "post_processor", "decoder", "version")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The vocabulary of one tokenizer. Grain of tables `tokenizer` and `vocab`."""

    sha256: str
    """Of vocabulary, merges, normalisation and added tokens; equal for two models that share a tokenizer."""
    texts: tuple[str, ...]
    """Decoded text of each token id, leading space kept; a byte that is not ASCII reads `<0xNN>`."""
    classes: tuple[str, ...]
    """special, space, punctuation, digit or word, for each token id."""
    special_ids: frozenset[int]
    """Ids that never enter a statistic."""
    bos_id: int | None
    """Id of the token that begins a text; None if the tokenizer has none."""
    eos_id: int | None
    """Id of the token that ends a text; None if the tokenizer has none."""
    pad_id: int | None = None
    """Id of the token that fills up short contexts; None if the tokenizer has none, or uses its unknown token."""


def vocabulary(tokenizer: Any) -> Vocabulary:
    """Read the vocabulary of a Hugging Face tokenizer."""
    # Ids may have gaps, and then the largest is beyond their number.
    n_vocab = 1 + max(tokenizer.get_vocab().values(), default=-1)
    pieces = [piece or "" for piece in tokenizer.convert_ids_to_tokens(list(range(n_vocab)))]
    added = set(tokenizer.get_added_vocab().values())
    special = frozenset(int(token_id) for token_id in tokenizer.all_special_ids)
    read = _byte_level_text if _is_byte_level(tokenizer, pieces) else _sentencepiece_text
    texts = tuple(piece if i in added or i in special else read(piece) for i, piece in enumerate(pieces))
    return Vocabulary(
        sha256=tokenizer_sha256(tokenizer),
        texts=texts,
        classes=tuple("special" if i in special else token_class(text) for i, text in enumerate(texts)),
        special_ids=special,
        bos_id=tokenizer.bos_token_id,
        eos_id=tokenizer.eos_token_id,
        pad_id=None if tokenizer.pad_token_id == tokenizer.unk_token_id else tokenizer.pad_token_id,
    )


def token_class(text: str) -> str:
    """space, punctuation, digit or word: what a token's text consists of, white space at its ends aside."""
    bare = text.strip()
    if not bare:
        return "space"
    if _BYTE_PIECE.fullmatch(bare) or not any(char.isalnum() for char in bare):
        return "punctuation"
    return "word" if any(char.isalpha() for char in bare) else "digit"


def tokenizer_sha256(tokenizer: Any) -> str:
    """Hash of what decides the token ids of a text: the model part, normalisation and added tokens."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        content: Any = sorted(tokenizer.get_vocab().items())
    else:
        content = {key: part for key, part in json.loads(backend.to_str()).items() if key not in _VOLATILE}
        merges = content["model"].get("merges") or []
        content["model"]["merges"] = [pair if isinstance(pair, str) else " ".join(pair) for pair in merges]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _is_byte_level(tokenizer: Any, pieces: list[str]) -> bool:
    """Whether pieces spell bytes in GPT-2's alphabet (`Ġ` for a space)."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return any(piece.startswith("Ġ") for piece in pieces)
    parts = json.loads(backend.to_str())
    return "ByteLevel" in json.dumps([parts.get("pre_tokenizer"), parts.get("decoder")])


def _sentencepiece_text(piece: str) -> str:
    """Text of a piece in which `▁` is a space and `<0xNN>` a byte."""
    byte = _BYTE_PIECE.fullmatch(piece)
    if byte:
        value = int(byte[1], 16)
        return chr(value) if value < 0x80 else f"<0x{value:02X}>"
    return piece.replace("▁", " ")


def _byte_alphabet() -> dict[str, int]:
    """GPT-2's printable character for each byte, the other way round."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}


_BYTES = _byte_alphabet()


def _byte_level_text(piece: str) -> str:
    """Text of a piece in GPT-2's byte alphabet; bytes that are not a whole character read `<0xNN>`."""
    if any(char not in _BYTES for char in piece):
        return piece
    raw, text = bytes(_BYTES[char] for char in piece), ""
    while raw:
        try:
            return text + raw.decode("utf-8")
        except UnicodeDecodeError as error:
            broken = "".join(f"<0x{byte:02X}>" for byte in raw[error.start : error.end])
            text += raw[: error.start].decode("utf-8") + broken
            raw = raw[error.end :]
    return text
