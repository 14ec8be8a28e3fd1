"""Claims about an ingest of other corpora than a text file: what is noticed, and what is asked for."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from transformers import AutoTokenizer

from atlas.cli import run
from atlas.db import open_atlas
from atlas.errors import AtlasError, UsageError
from ingest.job import ingest
from ingest.spec import IngestRequest
from tests.support.ingest_tiny import HOOK, build_tiny, tiny_request


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """A folder with a tiny model, three SAEs and a text of 40 documents."""
    return build_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def request_(tiny) -> IngestRequest:
    """One SAE on the whole text."""
    return replace(tiny_request(tiny), saes=(str(tiny / "one"),))


def texts(tiny: Path) -> list[str]:
    return [text.strip() for text in (tiny / "text.txt").read_text().split("<|endoftext|>")]


def test_the_same_text_in_another_form_is_noticed(request_, tiny, tmp_path):
    db, notes = tmp_path / "a.duckdb", []
    (first,) = ingest(request_, db=db)
    packed = tmp_path / "other.jsonl.gz"
    packed.write_bytes(gzip.compress("\n".join(json.dumps({"text": text}) for text in texts(tiny)).encode()))
    tokenizer = AutoTokenizer.from_pretrained(tiny / "model")
    ids = [
        i for text in texts(tiny) for i in (*tokenizer.encode(text, add_special_tokens=False), tokenizer.eos_token_id)
    ]
    np.save(tmp_path / "ids.npy", np.array(ids, np.uint16))
    for other in (packed, tmp_path / "ids.npy"):
        (again,) = ingest(replace(request_, corpus=str(other)), db=db, on_note=notes.append)
        assert (again.scan_id, again.measured, again.corpus) == (first.scan_id, False, "text")
        assert "note: this text, tokenized like this, is in this atlas already, as text" in notes.pop()
        notes.clear()


def test_contexts_that_are_cut_already_decide_their_length(request_, tmp_path):
    np.save(tmp_path / "rows.npy", np.arange(60).reshape(6, 10) % 16 + 2)
    rows = replace(request_, corpus=str(tmp_path / "rows.npy"), context_length=None)
    (scan,) = ingest(rows, db=tmp_path / "a.duckdb")
    assert (scan.n_tokens, scan.corpus) == (60, "rows")
    with open_atlas(tmp_path / "a.duckdb") as atlas:
        assert atlas.rows("select context_length, n_contexts, n_documents from corpus").rows == [(10, 6, 6)]
    with pytest.raises(UsageError, match="its contexts are cut already, at 10 tokens"):
        ingest(replace(rows, context_length=12), db=tmp_path / "b.duckdb")
    np.save(tmp_path / "rows.npy", np.full((2, 33), 5))
    with pytest.raises(UsageError, match="the longest context of model has 32"):
        ingest(rows, db=tmp_path / "b.duckdb")


def test_the_options_of_a_corpus_reach_it(tiny, tmp_path):
    rows = [{"body": text, "score": i} for i, text in enumerate(texts(tiny))]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    db = tmp_path / "a.duckdb"
    model = ["--model", str(tiny / "model"), "--sae", str(tiny / "one"), "--hook", HOOK, "--context-length", "12"]
    corpus = ["--corpus", f"{tmp_path}/*.jsonl", "--text-field", "body", "--label-field", "score"]
    order = ["--packing", "document", "--shuffle", "3"]
    assert run(["-q", "--db", str(db), "ingest", *model, *corpus, *order]) == 0
    with open_atlas(db) as atlas:
        assert atlas.rows("select name, n_documents from corpus").rows == [("a", 40)]
        found = [row[0] for row in atlas.rows("select documents from context order by context_id").rows]
    assert all(len({document for document in row if document >= 0}) == 1 for row in found)
    lengths = np.bincount([document for row in found for document in row if document >= 0]).tolist()
    assert sorted(lengths) == sorted(len(text.split()) for text in texts(tiny))
    assert lengths != [len(text.split()) for text in texts(tiny)]


def test_a_field_that_is_not_there_is_told_before_the_model_is_loaded(tiny, tmp_path, request_):
    (tmp_path / "a.jsonl").write_text('{"body": "a b"}')
    with pytest.raises(AtlasError, match="--text-field body"):
        ingest(replace(request_, model=str(tmp_path), corpus=str(tmp_path / "a.jsonl")), db=tmp_path / "a.duckdb")


def test_other_labels_for_the_same_documents_need_replace(tiny, tmp_path):
    rows = [{"text": text, "y": i % 2, "z": i % 3} for i, text in enumerate(texts(tiny))]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    db = tmp_path / "a.duckdb"
    common = [
        "--model",
        str(tiny / "model"),
        "--hook",
        HOOK,
        "--context-length",
        "12",
        "--corpus",
        f"{tmp_path}/a.jsonl",
    ]
    ingest_one = ["-q", "--db", str(db), "ingest", *common]
    assert run([*ingest_one, "--sae", str(tiny / "one"), "--label-field", "y"]) == 0
    made = set(tmp_path.rglob("*"))
    assert run([*ingest_one, "--sae", str(tiny / "two"), "--label-field", "z"]) == 2
    assert set(tmp_path.rglob("*")) == made  # told before anything is measured
    assert run([*ingest_one, "--sae", str(tiny / "two"), "--label-field", "y"]) == 0
    with open_atlas(db) as atlas:
        assert [row[0] for row in atlas.rows("select label from documents order by document")] == [
            i % 2 for i in range(40)
        ]
