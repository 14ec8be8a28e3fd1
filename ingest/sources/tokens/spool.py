"""An array that grows: in memory while it is small, beyond that in a temporary file that is mapped."""

from __future__ import annotations

import mmap
import tempfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from atlas.errors import AtlasError


class Spool:
    """Values of one type that arrive piece by piece."""

    def __init__(self, dtype: np.dtype[Any] | type, *, in_memory: int, scratch: Path | None) -> None:
        """Begin with nothing.

        Args:
            dtype: Type of the values.
            in_memory: Values up to which no file is used.
            scratch: Folder of the file; None for the system's. The file has no name and vanishes with the array.
        """
        self._dtype, self._in_memory, self._scratch = np.dtype(dtype), in_memory, scratch
        self._parts: list[np.ndarray] = []
        self._file: IO[bytes] | None = None
        self._size = 0

    def append(self, part: np.ndarray) -> None:
        """Add values.

        Raises:
            AtlasError: The file cannot be written.
        """
        if not len(part):
            return
        part = np.ascontiguousarray(part, dtype=self._dtype)
        self._size += len(part)
        try:
            if self._file is not None:
                self._file.write(part.data)
                return
            self._parts.append(part)
            if self._size > self._in_memory:
                self._file = tempfile.TemporaryFile(dir=self._scratch)  # noqa: SIM115 - lives as long as the array
                for held in self._parts:
                    self._file.write(held.data)
                self._parts = []
        except OSError as error:
            raise _full(error) from error

    def array(self) -> np.ndarray:
        """Everything that was added; nothing can be added afterwards.

        Raises:
            AtlasError: The file cannot be written.
        """
        if self._file is None:
            return np.concatenate(self._parts) if self._parts else np.empty(0, self._dtype)
        try:
            self._file.flush()
            mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise _full(error) from error
        self._file.close()
        return np.frombuffer(mapped, self._dtype)


def _full(error: OSError) -> AtlasError:
    """The message for a temporary file that cannot be written."""
    return AtlasError(
        "the tokens of the corpus cannot be written to a temporary file",
        why=error.strerror,
        hint="make room on the disk, or take less of the corpus with --tokens",
    )
