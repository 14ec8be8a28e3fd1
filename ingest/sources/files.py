"""Paths and weight files, told apart and checked before anything heavy is imported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from atlas.errors import AtlasError


def is_written_like_a_path(name: str) -> bool:
    """Whether a name can only mean a place on the disk."""
    return name.startswith((".", "/", "~", "\\")) or name.endswith("/") or not name.strip()


def local_folder(name: str) -> Path | None:
    """The folder that `name` means, or None if it can only be a name on the hub.

    Raises:
        AtlasError: It is written like a path, and there is nothing.
    """
    path = Path(name).expanduser()
    if name.strip() and path.is_dir():
        return path
    if path.is_file():
        raise AtlasError(f"{name} is a file", hint="give the folder that it is in")
    if is_written_like_a_path(name) or path.is_absolute():
        raise AtlasError(f"there is no folder {name}", hint="check the path, or give a name on the Hugging Face hub")
    return None


def read_object(file: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        AtlasError: It cannot be read, or holds something else.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise AtlasError(f"{file} is not JSON", why=str(error)) from error
    except OSError as error:
        raise AtlasError(f"{file} cannot be read", why=error.strerror) from error
    if not isinstance(content, dict):
        raise AtlasError(f"{file} is not valid", why="it is not a JSON object")
    return content


def check_safetensors(files: Iterable[Path]) -> None:
    """Raise if a safetensors file is shorter or longer than its header says."""
    for file in (file for file in files if file.suffix == ".safetensors"):
        size = file.stat().st_size
        with file.open("rb") as handle:
            n_header = int.from_bytes(handle.read(8), "little")
            raw = handle.read(n_header) if n_header <= size - 8 else b""
        try:
            header = json.loads(raw)
            promised = 8 + n_header + max(part["data_offsets"][1] for name, part in header.items() if name[:2] != "__")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise AtlasError(f"{file} is damaged", why="its header cannot be read", hint="copy it again") from error
        if promised != size:
            why = f"it has {size:,} bytes and its header speaks of {promised:,}"
            raise AtlasError(f"{file} is damaged", why=why, hint="copy it again")


def files_sha256(files: Iterable[Path]) -> str:
    """Hash of the contents of files, in this order."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as handle:
            while block := handle.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
