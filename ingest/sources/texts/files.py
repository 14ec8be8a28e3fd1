"""Files of a corpus: which there are, and the documents of `.txt`, `.jsonl` (each plain, `.gz` or `.zst`) and Parquet.

In a `.txt` the line (or mark) `<|endoftext|>` ends a document; a file without one is cut at blank lines. In a `.jsonl`
every line is an object with a string, or a list of token ids, under the text field.
"""

from __future__ import annotations

import glob
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from atlas.errors import AtlasError, UsageError
from ingest.sources.texts.documents import Document, Fields, document_of, field_hint, quoted

END_OF_TEXT = "<|endoftext|>"

TEXT_KINDS = (".txt", ".jsonl")
ARRAY_KINDS = (".npy", ".safetensors")
KINDS = (*TEXT_KINDS, *(kind + packed for kind in TEXT_KINDS for packed in (".gz", ".zst")), ".parquet", *ARRAY_KINDS)

_ACCEPTED = ".txt, .jsonl (also .gz, .zst), .parquet, .npy or .safetensors"
_BLOCK = 1 << 20
_ROWS_AT_ONCE = 256


def kind_of(file: Path) -> str:
    """Ending of a file without its compression, such as `.jsonl`; empty if featlas does not read it."""
    name = file.name.lower()
    return next((kind.removesuffix(".gz").removesuffix(".zst") for kind in KINDS if name.endswith(kind)), "")


def corpus_files(source: str) -> list[Path]:
    """Files of a corpus, sorted by path.

    Args:
        source: A file, a folder, or a pattern with `*`, `?`, `[…]` or `**`.

    Raises:
        AtlasError: The path is missing, of another kind, or a folder or pattern without a file that is read.
    """
    path = Path(source).expanduser()
    if path.is_file():
        if not kind_of(path):
            raise AtlasError(
                f"{path.name} is not a corpus: it is neither {_ACCEPTED}",
                hint='a .txt with documents separated by <|endoftext|>, or a .jsonl with {"text": …} lines',
            )
        return [path]
    if path.is_dir():
        if files := _inside(path):
            return files
        raise AtlasError(f"the folder {source} holds no corpus", why=f"there is no {_ACCEPTED} in it", hint=_HINT)
    if not glob.has_magic(source):
        raise AtlasError(f"there is no corpus at {source}", hint=_HINT)
    found = [Path(name) for name in glob.glob(str(path), recursive=True)]
    files = {file for name in found for file in (_inside(name) if name.is_dir() else [name]) if kind_of(file)}
    if not files:
        why = f"{len(found)} files match, and none is {_ACCEPTED}" if found else "no file matches"
        raise AtlasError(f"there is no corpus at {source}", why=why, hint=_HINT)
    return sorted(files)


_HINT = "give a .txt, .jsonl or Parquet file, a folder or pattern of them, or hf:NAME:SPLIT"


def _inside(folder: Path) -> list[Path]:
    inside = (path for path in folder.rglob("*") if kind_of(path) and path.is_file())
    return sorted(path for path in inside if not path.name.startswith("."))


def file_documents(file: Path, fields: Fields) -> Iterator[Document]:
    """Documents of a text or Parquet file with something in them."""
    match kind_of(file):
        case ".jsonl":
            yield from _jsonl(file, fields)
        case ".parquet":
            yield from _parquet(file, fields)
        case _:
            yield from (Document(text=text) for raw in _txt(file) if (text := raw.strip()))


def check_file(file: Path, fields: Fields) -> None:
    """Raise on what a first look at a text or Parquet file tells: damage at its begin, fields that are not there."""
    if kind_of(file) == ".txt":
        next(_lines(file), None)
    else:
        next(file_documents(file, fields), None)


def field_names(file: Path) -> list[str]:
    """Fields of the first 100 rows of a `.jsonl`, or of a Parquet file; none for a `.txt`."""
    if kind_of(file) == ".parquet":
        with _parquet_errors(file):
            import pyarrow.parquet as pq

            return list(pq.read_schema(file).names)
    if kind_of(file) != ".jsonl":
        return []
    found: dict[str, None] = {}
    for number, (_, row) in enumerate(_rows(file)):
        if number == 100:
            break
        found.update(dict.fromkeys(row if isinstance(row, dict) else ()))
    return list(found)


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, uncompressed; damage is told as an AtlasError."""
    name = file.name.lower()
    try:
        if name.endswith(".gz"):
            with gzip.open(file, "rb") as unzipped:
                yield unzipped  # pyright: ignore[reportReturnType]
        elif name.endswith(".zst"):
            import pyarrow as pa

            with pa.OSFile(str(file), "rb") as raw, pa.CompressedInputStream(raw, "zstd") as unzipped:
                yield io.BufferedReader(unzipped, _BLOCK)  # pyright: ignore[reportArgumentType]
        else:
            with file.open("rb", buffering=_BLOCK) as plain:
                yield plain
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise AtlasError(f"{file} is damaged", why=str(error), hint="copy it again") from error
    except OSError as error:
        if name.endswith(".zst") and not error.strerror:
            raise AtlasError(f"{file} is damaged", why=str(error), hint="copy it again") from error
        raise AtlasError(f"{file} cannot be read", why=error.strerror or str(error)) from error


def _lines(file: Path) -> Iterator[str]:
    """Lines of a file, of which only the current one is held."""
    number = 0
    try:
        with _opened(file) as raw:
            for line in io.TextIOWrapper(raw, encoding="utf-8-sig", newline=None):
                number += 1
                yield line
    except UnicodeDecodeError as error:
        raise AtlasError(
            f"{file} is not UTF-8 text, near line {number + 1}",
            why=f"{error.reason} (byte 0x{error.object[error.start]:02X})",
            hint=f"iconv -f latin1 -t utf-8 {file.name} > utf8{file.suffix}",
        ) from error


def _is_marked(file: Path) -> bool:
    """Whether a text holds the mark that ends documents."""
    mark, tail = END_OF_TEXT.encode(), b""
    with _opened(file) as raw:
        while block := raw.read(_BLOCK):
            if mark in tail + block:
                return True
            tail = block[-len(mark) :]
    return False


def _txt(file: Path) -> Iterator[str]:
    """Documents of a text file."""
    marked = _is_marked(file)
    held: list[str] = []
    for line in _lines(file):
        if marked and END_OF_TEXT in line:
            head, *ends = line.split(END_OF_TEXT)
            for rest in ends:
                yield "".join([*held, head])
                held, head = [], rest
            held = [head]
        elif not marked and not line.strip():
            yield "".join(held)
            held = []
        else:
            held.append(line)
    yield "".join(held)


def _rows(file: Path) -> Iterator[tuple[str, object]]:
    """Place and value of every line of a `.jsonl` that is not empty."""
    for number, line in enumerate(_lines(file), start=1):
        if not line.strip():
            continue
        place = f"{file}:{number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            why = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            raise AtlasError(f"{place} is not JSON", why=why, hint='every line must be {"text": "…"}') from error
        yield place, row


def _jsonl(file: Path, fields: Fields) -> Iterator[Document]:
    """Documents of a file with one JSON object a line; empty lines are passed over."""
    for place, row in _rows(file):
        if document := document_of(row, fields, place):
            yield document


def _parquet(file: Path, fields: Fields) -> Iterator[Document]:
    """Documents of a Parquet file, a few rows at a time."""
    import pyarrow.parquet as pq

    with _parquet_errors(file), pq.ParquetFile(file, buffer_size=_BLOCK, pre_buffer=False) as table:
        schema = table.schema_arrow
        if fields.text not in schema.names:
            texts = (column.name for column in schema if str(column.type) in ("string", "large_string"))
            raise UsageError(
                f"{file} has no column {quoted(fields.text)}",
                why=f"its columns are {', '.join(schema.names) or 'none'}",
                hint=field_hint(texts, "give a file with a column of text"),
            )
        columns = [fields.text]
        if fields.label is not None and fields.label in schema.names:
            columns.append(fields.label)
        number = 0
        for batch in table.iter_batches(batch_size=_ROWS_AT_ONCE, columns=columns):
            for row in batch.to_pylist():
                number += 1
                if document := document_of(row, fields, f"{file}, row {number},"):
                    yield document


@contextmanager
def _parquet_errors(file: Path) -> Iterator[None]:
    """What pyarrow says of a file that it cannot read, as an AtlasError."""
    import pyarrow as pa

    try:
        yield
    except FileNotFoundError as error:
        raise AtlasError(f"{file} cannot be read", why=error.strerror) from error
    except (pa.ArrowException, OSError) as error:
        why = str(error).splitlines()[0]
        raise AtlasError(f"{file} cannot be read as Parquet", why=why, hint="copy it again") from error
