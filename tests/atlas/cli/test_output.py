"""What leaves the program: the same data in every format and place, with true types, and nothing unsafe in tables."""

from __future__ import annotations

import csv
import datetime
import io
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from atlas.cli import run

ALIAS_AND_SIZE = [("A", "little/one", 5), ("B", "little/two", 5)]


def featlas(db: Path, *arguments: str) -> int:
    return run(["--db", str(db), *arguments])


def read_back(path: Path) -> list[dict]:
    text = path.read_text(encoding="utf-8") if path.suffix != ".parquet" else ""
    match path.suffix:
        case ".csv":
            return [row | {"d_sae": int(row["d_sae"])} for row in csv.DictReader(io.StringIO(text))]
        case ".jsonl":
            return [json.loads(line) for line in text.splitlines()]
        case ".json":
            return json.loads(text)["rows"]
        case _:
            return pl.read_parquet(path).to_dicts()


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "json", "parquet"])
def test_the_suffix_of_the_file_names_the_format(tiny, tmp_path, suffix):
    path = tmp_path / f"saes.{suffix}"
    assert featlas(tiny, "ls", "saes", "-o", str(path)) == 0
    assert [(row["alias"], row["sae"], row["d_sae"]) for row in read_back(path)] == ALIAS_AND_SIZE


def test_parquet_keeps_the_types_of_the_database(tiny, tmp_path):
    query = (
        "select {'x': 1, 'y': 's'} as struct, 170141183460469231731687303715884105727::hugeint as huge, "
        "uuid '6ccd780c-baba-1026-9564-5b8c656024db' as uuid, date '2020-01-02' as day, [1.5::float] as list"
    )
    assert featlas(tiny, "sql", query, "-o", str(tmp_path / "r.parquet")) == 0
    table = pq.read_table(tmp_path / "r.parquet")
    assert table.schema.field("list").type.value_type == pa.float32()
    row = table.to_pylist()[0]
    assert row["struct"] == {"x": 1, "y": "s"}
    assert int(row["huge"]) == 2**127 - 1
    assert str(row["uuid"]) == "6ccd780c-baba-1026-9564-5b8c656024db"
    assert row["day"] == datetime.date(2020, 1, 2)


def test_an_empty_result_keeps_its_types_in_parquet(tiny, tmp_path):
    assert featlas(tiny, "ls", "features", "--where", "density > 2", "-o", str(tmp_path / "none.parquet")) == 0
    table = pq.read_table(tmp_path / "none.parquet")
    assert len(table) == 0
    assert table.schema.field("density").type == pa.float64()


def test_what_parquet_cannot_hold_gets_one_message(tiny, tmp_path, capsys):
    assert featlas(tiny, "sql", "select interval 1 month as i", "-o", str(tmp_path / "r.parquet")) == 1
    err = capsys.readouterr().err
    assert "Parquet has no place for one of these columns" in err
    assert "my_column::varchar" in err


@pytest.mark.parametrize("suffix", ["json", "csv", "parquet"])
def test_columns_of_one_name_are_told_apart(tiny, tmp_path, suffix):
    path = tmp_path / f"r.{suffix}"
    assert featlas(tiny, "sql", "select 1 as d_sae, 2 as d_sae", "-o", str(path)) == 0
    assert [[int(value) for value in row.values()] for row in read_back(path)] == [[1, 2]]


def test_a_folder_that_is_missing_is_said_before_anything_is_done(tiny, tmp_path, capsys):
    assert featlas(tiny, "sql", "--write", "delete from pair", "-o", str(tmp_path / "no" / "r.csv")) == 1
    assert "there is no folder" in capsys.readouterr().err
    assert featlas(tiny, "sql", "select count(*) as n from pairs", "--format", "csv") == 0
    assert capsys.readouterr().out == "n\n8\n"


@pytest.mark.parametrize("name", ["full.csv", "full.parquet"])
def test_a_file_that_cannot_be_written_gets_one_message(tiny, tmp_path, capsys, name):
    (tmp_path / name).symlink_to("/dev/full")
    assert featlas(tiny, "ls", "saes", "-o", str(tmp_path / name)) == 1
    err = capsys.readouterr().err
    assert f"{name} cannot be written" in err
    assert "Traceback" not in err


def test_the_atlas_itself_is_not_written_over(tiny, capsys):
    assert featlas(tiny, "ls", "saes", "--format", "csv", "-o", str(tiny)) == 2
    assert featlas(tiny, "ls", "saes") == 0


def test_a_pipe_gets_the_same_bytes_as_a_file(tiny, tmp_path):
    query = "select e'\\x1b[31mred' as text, true as flag"
    command = [sys.executable, "-c", "from atlas.cli import main; main()", "--db", str(tiny), "sql", query]
    piped = subprocess.run([*command, "--format", "csv"], capture_output=True, check=True).stdout
    subprocess.run([*command, "-q", "-o", str(tmp_path / "r.csv")], check=True)
    assert piped == (tmp_path / "r.csv").read_bytes() == b"text,flag\n\x1b[31mred,true\n"


def test_the_name_of_a_column_cannot_reach_the_terminal_as_an_escape(tiny, capsys):
    assert featlas(tiny, "sql", 'select 1 as "a\x1b[31m"') == 0
    assert capsys.readouterr().out.splitlines()[0] == "a·[31m"


def test_a_decimal_is_a_number_in_json(tiny, capsys):
    assert featlas(tiny, "sql", "select 0.5 as x", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["rows"] == [{"x": 0.5}]


def test_an_empty_result_is_an_empty_jsonl_file(tiny, tmp_path):
    assert featlas(tiny, "ls", "scores", "-o", str(tmp_path / "r.jsonl")) == 0
    assert (tmp_path / "r.jsonl").read_bytes() == b""
