"""Claims about reading texts: what a document is in each format, and what is said about a bad one."""

from __future__ import annotations

import gzip
import json
import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from atlas.errors import AtlasError, UsageError
from ingest.sources.texts.corpora import open_corpus
from ingest.sources.tokens.vocabulary import vocabulary

TOKENIZER = PreTrainedTokenizerFast(
    tokenizer_object=Tokenizer(models.WordLevel({"<s>": 0, "a": 1, "b": 2, "c": 3}, unk_token="a")), bos_token="<s>"
)
WORDS = vocabulary(TOKENIZER)


def read(source, **options):
    return list(open_corpus(source, **options).documents(TOKENIZER, WORDS))


def documents(source, **options) -> list[str]:
    return [document.text for document in read(source, **options)]


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_text_with_end_marks_is_cut_at_them_and_not_at_blank_lines(tmp_path):
    file = write(tmp_path / "a.txt", "one\n\nmore\n<|endoftext|>\ntwo<|endoftext|>three\n<|endoftext|>\n")
    assert list(documents(file)) == ["one\n\nmore", "two", "three"]


def test_a_text_without_end_marks_is_cut_at_blank_lines(tmp_path):
    file = write(tmp_path / "a.txt", "one\nstill one\n \n\ntwo\r\n\r\nthree")
    assert list(documents(file)) == ["one\nstill one", "two", "three"]


def test_a_jsonl_gives_one_document_a_line(tmp_path):
    file = write(tmp_path / "a.jsonl", '{"text": "one"}\n\n{"text": "two\\nlines", "id": 3}\n{"text": " "}\n')
    assert list(documents(file)) == ["one", "two\nlines"]


def test_a_folder_is_read_in_the_order_of_its_paths(tmp_path):
    (tmp_path / "b").mkdir()
    write(tmp_path / "b" / "1.txt", "third")
    write(tmp_path / "a.jsonl", '{"text": "first"}')
    write(tmp_path / "b.txt", "second")
    write(tmp_path / "notes.md", "no")
    write(tmp_path / ".hidden.txt", "no")
    assert sorted(documents(tmp_path)) == ["first", "second", "third"]
    assert list(documents(tmp_path)) == list(documents(tmp_path))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "  \n\n<|endoftext|>\n", "no text in"),
        ("a.jsonl", '{"text": "x"}\n{"txt": "y"}\n', 'a.jsonl:2 has no string under "text"'),
        ("a.jsonl", '{"text": "x"}\nnot json\n', "a.jsonl:2 is not JSON"),
        ("a.jsonl", "[1]\n", "it is not an object"),
        ("a.jsonl", '{"text": "x"}\n{"text": "\\ud800"}\n', "a.jsonl:2 is not text"),
        ("a.jsonl", '{"text": "x", "n": ' + "9" * 5000 + "}\n", "a.jsonl:1 is not JSON"),
        ("a.jsonl", '{"text": ' + "[" * 100_000 + "\n", "a.jsonl:1 is not JSON"),
        ("a.txt", b"caf\xe9 au lait\n", "is not UTF-8 text, near line 1"),
        ("a.csv", "x", "a.csv is not a corpus: it is neither .txt"),
    ],
)
def test_a_bad_text_is_named_with_its_place(tmp_path, name, content, message):
    with pytest.raises(AtlasError) as error:
        list(documents(write(tmp_path / name, content)))
    assert message in str(error.value)


def test_a_missing_path_and_an_empty_folder_are_told_apart(tmp_path):
    with pytest.raises(AtlasError, match="there is no corpus at"):
        list(documents(tmp_path / "none.txt"))
    with pytest.raises(AtlasError, match="holds no corpus"):
        list(documents(tmp_path))


ROWS = [{"text": "one", "id": 1}, {"text": "two\nlines", "id": 2}, {"text": "naïve", "id": 3}]
JSONL = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
TXT = b"one\n<|endoftext|>\ntwo\nlines\n<|endoftext|>\nna\xc3\xafve\n"


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


def parquet(path, rows, **options):
    pq.write_table(pa.Table.from_pylist(rows), path, **options)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", TXT),
        ("a.jsonl", JSONL),
        ("a.txt.gz", gzip.compress(TXT, mtime=0)),
        ("a.JSONL.GZ", gzip.compress(JSONL, mtime=0)),
        ("a.txt.zst", zstd(TXT)),
        ("a.jsonl.zst", zstd(JSONL)),
        ("a.jsonl.zst", zstd(JSONL[:40]) + zstd(JSONL[40:])),
    ],
)
def test_a_text_reads_the_same_however_it_is_packed(tmp_path, name, content):
    corpus = open_corpus(write(tmp_path / name, content))
    assert corpus.name == "a"
    assert [document.text for document in corpus.documents(TOKENIZER, WORDS)] == ["one", "two\nlines", "naïve"]


def test_a_parquet_file_gives_one_document_a_row_whatever_its_row_groups(tmp_path):
    file = parquet(tmp_path / "a.parquet", [*ROWS, {"text": None, "id": 4}, {"text": " ", "id": 5}], row_group_size=2)
    assert documents(file) == ["one", "two\nlines", "naïve"]


def test_the_text_field_may_have_another_name(tmp_path):
    rows = [{"content": "x", "text": "no"}, {"content": "y", "text": "no"}]
    jsonl = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert documents(jsonl, text_field="content") == documents(
        parquet(tmp_path / "b.parquet", rows), text_field="content"
    )
    assert documents(jsonl, text_field="content") == ["x", "y"]


def test_a_pattern_takes_what_it_matches_of_every_kind(tmp_path):
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep" / "part-2.txt.gz", gzip.compress(b"second"))
    write(tmp_path / "part-1.jsonl", '{"text": "first"}')
    write(tmp_path / "part-3.md", "no")
    parquet(tmp_path / "other.parquet", [{"text": "no"}])
    corpus = open_corpus(f"{tmp_path}/**/part-*")
    assert [file.name for file in corpus.files] == ["part-2.txt.gz", "part-1.jsonl"]
    assert corpus.name == tmp_path.name
    assert open_corpus(f"{tmp_path}/part-*").name == "part-1"


def test_labels_are_numbers_and_booleans_and_nan_where_there_is_none(tmp_path):
    rows = [{"text": "a", "y": 2}, {"text": "b", "y": True}, {"text": "c", "y": None}, {"text": "d", "y": -0.5}]
    expected = [2.0, 1.0, math.nan, -0.5]
    jsonl = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, [*rows[:2], {"text": "c"}, rows[3]])))
    table = parquet(
        tmp_path / "b.parquet", [{**row, "y": None if row["y"] is None else float(row["y"])} for row in rows]
    )
    for file in (jsonl, table):
        assert [document.label for document in read(file, label_field="y")] == pytest.approx(expected, nan_ok=True)
    assert all(math.isnan(document.label) for document in read(jsonl))


def test_a_field_that_is_not_there_names_those_that_are(tmp_path):
    table = parquet(tmp_path / "a.parquet", [{"id": 1, "body": "x"}])
    with pytest.raises(UsageError) as error:
        open_corpus(table)
    assert "its columns are id, body" in str(error.value)
    assert "--text-field body" in str(error.value)
    jsonl = write(tmp_path / "a.jsonl", '{"id": 1, "body": "x"}')
    with pytest.raises(AtlasError, match="its keys are 'id', 'body'") as error:
        open_corpus(jsonl)
    assert "--text-field body" in str(error.value)
    for file in (table, jsonl):
        with pytest.raises(UsageError, match=r'has no field "y"\n.*its fields are id, body'):
            open_corpus(file, text_field="body", label_field="y")
    with pytest.raises(UsageError, match="has no labels"):
        open_corpus(write(tmp_path / "a.txt", "x"), label_field="y")
    with pytest.raises(AtlasError, match=r'a.jsonl:1 has no number under "body"'):
        read(jsonl, text_field="body", label_field="body")


LONG = "".join(f"a line that has the number {i * i}\n" for i in range(9_999)).encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt.gz", gzip.compress(LONG)[:-4000]),
        ("a.txt.gz", b"no gzip"),
        ("a.txt.gz", gzip.compress(LONG)[:100] + b"\0" * 50 + gzip.compress(LONG)[150:]),
        ("a.txt.zst", zstd(LONG)[:-4000]),
        ("a.jsonl.zst", b"this is no zstd archive"),
        ("a.parquet", b"PAR1 and nothing more"),
        ("a.parquet", b""),
    ],
)
def test_a_damaged_archive_is_named(tmp_path, name, content):
    file = write(tmp_path / name, content)
    with pytest.raises(AtlasError, match=r"is damaged|cannot be read as Parquet"):
        read(file)


def test_a_shuffled_corpus_has_the_same_documents_in_an_order_that_the_seed_decides(tmp_path):
    texts = [f"document {i}" for i in range(200)]
    rows = [{"text": text, "y": i} for i, text in enumerate(texts)]
    write(tmp_path / "1.jsonl.gz", gzip.compress("\n".join(map(json.dumps, rows[:120])).encode()))
    parquet(tmp_path / "2.parquet", rows[120:])
    orders = [read(tmp_path, shuffle=seed, label_field="y") for seed in (3, 3, 4)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(document.text for document in orders[0]) == sorted(texts)
    assert all(document.text == f"document {document.label:.0f}" for document in orders[0])
    assert sum(a.text == b for a, b in zip(orders[0], texts, strict=True)) < 10


def test_every_order_of_a_shuffle_is_equally_likely(tmp_path):
    file = write(tmp_path / "a.txt", "a\n\nb\n\nc")
    counts: dict[str, int] = {}
    for seed in range(600):
        order = "".join(documents(file, shuffle=seed))
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 6
    assert sum((n - 100) ** 2 / 100 for n in counts.values()) < 20.5  # chi-square, 5 degrees of freedom, p = 0.001
