"""Claims about reading texts: what a document is in each format, and what is said about a bad one."""

from __future__ import annotations

import pytest

from atlas.errors import AtlasError
from ingest.sources.texts import documents


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
        ("a.jsonl", "[1]\n", "it is no object"),
        ("a.jsonl", '{"text": "x"}\n{"text": "\\ud800"}\n', "a.jsonl:2 is not text"),
        ("a.jsonl", '{"text": "x", "n": ' + "9" * 5000 + "}\n", "a.jsonl:1 is not JSON"),
        ("a.jsonl", '{"text": ' + "[" * 100_000 + "\n", "a.jsonl:1 is not JSON"),
        ("a.txt", b"caf\xe9 au lait\n", "is not UTF-8 text, near line 1"),
        ("a.csv", "x", "a.csv is neither .txt nor .jsonl"),
    ],
)
def test_a_bad_text_is_named_with_its_place(tmp_path, name, content, message):
    with pytest.raises(AtlasError) as error:
        list(documents(write(tmp_path / name, content)))
    assert message in str(error.value)


def test_a_missing_path_and_an_empty_folder_are_told_apart(tmp_path):
    with pytest.raises(AtlasError, match="there is no corpus at"):
        list(documents(tmp_path / "none.txt"))
    with pytest.raises(AtlasError, match=r"holds no \.txt and no \.jsonl file"):
        list(documents(tmp_path))
