"""Claims about reading a store: whole it equals what was written, damaged it says so and what to do."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse as sp

from atlas.activations import Scan
from atlas.errors import AtlasError
from tests.support.planted import write_store

N_TOKENS, D_SAE = 60, 7


@pytest.fixture
def codes() -> sp.csr_array:
    rng = np.random.default_rng(0)
    return sp.csr_array(((rng.random((N_TOKENS, D_SAE)) < 0.3) * rng.random((N_TOKENS, D_SAE))).astype(np.float32))


@pytest.fixture
def scan(tmp_path: Path, codes: sp.csr_array) -> Scan:
    """A store of three shards whose receipts state no file."""
    write_store(tmp_path / "store", codes, shards=3)
    return Scan("left", "words", N_TOKENS, D_SAE, tmp_path / "store")


def rewrite(scan: Scan, **columns: object) -> None:
    """Put other columns into the second shard."""
    path = scan.folder / "shard-00001.parquet"
    table = pq.read_table(path)
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    pq.write_table(table, path)


def column(scan: Scan, name: str) -> np.ndarray:
    return pq.read_table(scan.folder / "shard-00001.parquet")[name].to_numpy().copy()


def state_file(scan: Scan) -> None:
    """State size and hash of the second shard in its receipt, as ingest does."""
    receipt, content = scan.folder / "shard-00001.json", (scan.folder / "shard-00001.parquet").read_bytes()
    facts = json.loads(receipt.read_text())
    stated = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    receipt.write_text(json.dumps({**facts, "files": {"shard-00001.parquet": stated}}))


def complaint(scan: Scan) -> str:
    """What whole and blockwise reading say; both must refuse alike."""
    with pytest.raises(AtlasError) as whole:
        scan.csr()
    with pytest.raises(AtlasError) as blockwise:
        list(scan.blocks())
    assert str(whole.value) == str(blockwise.value)
    return str(whole.value)


def test_a_scan_read_whole_equals_its_blocks_and_what_was_written(scan, codes):
    np.testing.assert_array_equal(scan.csr().toarray(), codes.toarray())
    np.testing.assert_array_equal(sp.vstack(list(scan.blocks())).toarray(), codes.toarray())
    assert scan.csr().has_canonical_format


def test_a_file_that_a_receipt_states_is_read_when_it_is_that_file(scan, codes):
    state_file(scan)
    np.testing.assert_array_equal(scan.csr().toarray(), codes.toarray())


def test_a_flipped_byte_is_noticed_by_the_hash_of_the_receipt(scan):
    state_file(scan)
    path = scan.folder / "shard-00001.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    said = complaint(scan)
    assert "shard-00001.parquet is damaged" in said
    assert "run its featlas ingest again with --replace" in said


def test_a_file_of_another_size_is_noticed(scan):
    state_file(scan)
    path = scan.folder / "shard-00001.parquet"
    path.write_bytes(path.read_bytes() + b"x")
    assert "bytes and its receipt states" in complaint(scan)


def test_columns_that_make_no_sense_are_refused(scan, subtests):
    feature, token, activation = (column(scan, name) for name in ("feature_id", "token_index", "activation"))
    wild = {
        "does not have": {"feature_id": np.where(np.arange(len(feature)) == len(feature) - 1, D_SAE, feature)},
        "does not have:": {"feature_id": np.where(np.arange(len(feature)) == 0, -1, feature)},
        "outside its own 20": {"token_index": np.where(np.arange(len(token)) == 3, 10**12, token)},
        "outside its own": {"token_index": np.where(np.arange(len(token)) == 3, 19, token)},
        "not in the order": {"feature_id": feature[::-1].copy()},
        "not in the order of features": {"token_index": np.where(np.arange(len(token)) == 1, token[0], token)},
        "not finite": {"activation": np.where(np.arange(len(token)) == 2, np.nan, activation)},
        "below zero": {"activation": np.where(np.arange(len(token)) == 2, -1, activation)},
        "values are missing": {"activation": [None, *activation[1:].tolist()]},
        "cannot be read": {"activation": ["x"] * len(activation)},
    }
    before = (scan.folder / "shard-00001.parquet").read_bytes()
    for words, columns in wild.items():
        with subtests.test(words):
            rewrite(scan, **columns)
            assert words in complaint(scan)
            (scan.folder / "shard-00001.parquet").write_bytes(before)


def test_rows_that_were_lost_are_counted(scan):
    path = scan.folder / "shard-00001.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    assert "its receipt states" in complaint(scan)


@pytest.mark.parametrize(
    "receipt",
    [
        "",
        "{",
        "[]",
        "7",
        "{}",
        '{"first_token": "0", "n_tokens": 20, "n_nonzero": 3}',
        '{"first_token": 20, "n_tokens": -20, "n_nonzero": 3}',
        '{"first_token": 20, "n_tokens": 20, "n_nonzero": 3, "files": []}',
        '{"first_token": 20, "n_tokens": 20, "n_nonzero": 3, "files": {"shard-00001.parquet": 3}}',
        "[" * 100_000,
    ],
)
def test_a_receipt_that_makes_no_sense_is_named(scan, receipt):
    (scan.folder / "shard-00001.json").write_text(receipt)
    assert "shard-00001.json is damaged" in complaint(scan)


def test_a_receipt_of_more_tokens_than_the_scan_has_is_not_followed(scan):
    (scan.folder / "shard-00002.json").write_text('{"first_token": 40, "n_tokens": 1000000000000, "n_nonzero": 3}')
    assert "incomplete: 40 of 60 tokens" in complaint(scan)


def test_a_missing_file_is_said_to_be_missing(scan):
    state_file(scan)
    (scan.folder / "shard-00001.parquet").unlink()
    assert "shard-00001.parquet cannot be read" in complaint(scan)
