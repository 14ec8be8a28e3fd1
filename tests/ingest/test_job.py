"""Claims about an ingest as a whole, on a tiny random model: what is written, under which names, and what is said."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file

from atlas.activations import read_scan
from atlas.db import open_atlas, store_of
from atlas.errors import AtlasError, UsageError
from ingest.job import ingest
from ingest.spec import IngestRequest
from tests.support.ingest_tiny import HOOK, build_tiny, left_behind, rows, tiny_request


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """A folder with a tiny model, three SAEs and a text of 40 documents."""
    return build_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def request_(tiny) -> IngestRequest:
    """Two SAEs on the whole text, in several shards."""
    return tiny_request(tiny)


def test_two_saes_in_one_pass_equal_two_passes(request_, tmp_path):
    both = ingest(request_, db=tmp_path / "both.duckdb")
    for sae in request_.saes:
        ingest(replace(request_, saes=(sae,)), db=tmp_path / "single.duckdb")
    assert [(scan.sae, scan.alias) for scan in both] == [("one", "A"), ("two", "B")]
    for name in ("one", "two"):
        assert rows(tmp_path / "both.duckdb", name) == rows(tmp_path / "single.duckdb", name)


def test_batch_size_changes_nothing_but_the_last_float_bits(request_, tmp_path):
    import numpy as np

    found = []
    for size in (1, 7, 64):
        ingest(replace(request_, batch_size=size), db=tmp_path / f"{size}.duckdb")
        found.append(read_scan(tmp_path / f"{size}.duckdb", "one").toarray())
    np.testing.assert_allclose(found[1], found[0], atol=1e-5)
    np.testing.assert_allclose(found[2], found[0], atol=1e-5)


def test_an_equal_ingest_finds_nothing_to_do(request_, tmp_path):
    first = ingest(request_, db=tmp_path / "a.duckdb")
    before = (tmp_path / "a.duckdb").read_bytes()
    again = ingest(replace(request_, batch_size=9), db=tmp_path / "a.duckdb")
    assert [scan.measured for scan in first + again] == [True, True, False, False]
    assert [replace(scan, measured=True) for scan in again] == first
    assert (tmp_path / "a.duckdb").read_bytes() == before


def test_without_a_store_no_activation_is_left_and_quartiles_of_long_scans_are_near(request_, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("ingest.shards.store.SAMPLED_NONZEROS", 1)
        ingest(replace(request_, store=False), db=tmp_path / "bare.duckdb")
    ingest(request_, db=tmp_path / "full.duckdb")
    assert left_behind(tmp_path / "bare.duckdb.store") == []
    with open_atlas(tmp_path / "bare.duckdb") as bare, open_atlas(tmp_path / "full.duckdb") as full:
        query = "select median_active, n_fired, max from features order by sae, feature_id"
        for near, exact in zip(bare.rows(query), full.rows(query), strict=True):
            assert near[0] == (exact[0] and pytest.approx(exact[0], rel=0.032))
            assert near[1:] == exact[1:]
        assert bare.rows("select distinct exact_quantiles, store from scan").rows == [(False, None)]


def test_the_store_keeps_activations_receipts_and_what_more_tokens_resume_from(request_, tmp_path):
    ingest(request_, db=tmp_path / "a.duckdb")
    kept = {path.name for path in store_of(tmp_path / "a.duckdb").glob("*/*")}
    shards = {f"shard-{number:05d}.{kind}" for number in range(5) for kind in ("parquet", "json")}
    assert kept == shards | {"base.json", "base-000.npz", "inputs.npz"}
    with open_atlas(tmp_path / "a.duckdb") as atlas:
        fired = atlas.rows("select n_fired from features where sae = 'one' order by feature_id").rows
    assert (read_scan(tmp_path / "a.duckdb", "one") > 0).sum(axis=0).tolist() == [row[0] for row in fired]


def test_other_settings_for_the_same_scan_need_replace(request_, tmp_path):
    db = tmp_path / "a.duckdb"
    first = ingest(request_, db=db)
    with pytest.raises(UsageError, match="--replace"):
        ingest(replace(request_, store=False), db=db)
    second = ingest(replace(request_, store=False, replace=True), db=db)
    assert [scan.scan_id for scan in first] != [scan.scan_id for scan in second]
    with open_atlas(db) as atlas:
        assert atlas.rows("select count(*), count(distinct scan_id) from feature_stat").rows == [(40, 2)]
        assert atlas.rows("select count(*) from scan").rows == [(2,)]
    assert not store_of(db).exists()


def test_the_same_weights_under_another_folder_are_noticed(tiny, request_, tmp_path):
    db, notes = tmp_path / "a.duckdb", []
    ingest(request_, db=db)
    shutil.copytree(tiny / "one", tmp_path / "copy")
    again = ingest(replace(request_, saes=(str(tmp_path / "copy"),)), db=db, on_note=notes.append)
    assert (again[0].sae, again[0].measured) == ("one", False)
    assert any("in this atlas already, as one" in note for note in notes)
    with pytest.raises(UsageError, match="already, as one"):
        ingest(replace(request_, saes=(str(tmp_path / "copy"),), names=("mine",)), db=db)


def test_a_name_of_other_weights_is_refused_with_a_free_one(tiny, request_, tmp_path):
    db = tmp_path / "a.duckdb"
    ingest(replace(request_, saes=request_.saes[:1]), db=db)
    with pytest.raises(AtlasError, match="--name one-2"):
        ingest(replace(request_, saes=request_.saes[1:], names=("one",)), db=db)


def test_another_cut_of_a_text_gets_a_name_of_its_own(request_, tmp_path):
    notes: list[str] = []
    ingest(request_, db=tmp_path / "a.duckdb")
    found = ingest(replace(request_, context_length=10), db=tmp_path / "a.duckdb", on_note=notes.append)
    assert found[0].corpus == "text-2"
    assert [note for note in notes if "text-2" in note and "--corpus-name" in note]


def test_special_tokens_are_in_contexts_but_never_counted(request_, tmp_path):
    ingest(request_, db=tmp_path / "a.duckdb")
    with open_atlas(tmp_path / "a.duckdb") as atlas:
        counted = "select sum(len(list_filter(documents, lambda d: d >= 0))), sum(len(token_ids)) from context"
        n_counted, n_all = atlas.rows(counted).rows[0]
        assert atlas.rows("select n_tokens from corpus").rows == [(n_counted,)]
        assert n_all > n_counted
        assert atlas.rows("select count(*) from features where list_contains(top_tokens, '<s>')").rows == [(0,)]
        assert atlas.rows("select count(*) from contexts where token = '<s>'").rows == [(0,)]
        assert atlas.rows("select count(*) from contexts where len(tokens) <> len(activations)").rows == [(0,)]
        assert atlas.rows("select count(*) from contexts where activations[peak + 1] <> activation").rows == [(0,)]


def test_folded_decoder_rows_are_unit_and_keep_their_norm(request_, tiny, tmp_path):
    import numpy as np

    ingest(request_, db=tmp_path / "a.duckdb")
    norms = np.linalg.norm(load_file(tiny / "one" / "sae_weights.safetensors")["W_dec"], axis=1)
    with open_atlas(tmp_path / "a.duckdb") as atlas:
        stored = atlas.rows(
            "select v.w_dec, v.decoder_norm from feature_vector v join sae using (sae_id) where name = 'one'"
        )
        assert atlas.rows("select distinct decoder_norm from sae").rows == [("folded",)]
    np.testing.assert_allclose([row[1] for row in stored], norms, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm([row[0] for row in stored], axis=1), 1, rtol=1e-6)


def test_codes_of_an_sae_trained_on_centred_weights_are_those_of_the_centred_model(tiny, request_, tmp_path):
    """The weights that write into the residual stream, centred by hand, are the slow version."""
    import numpy as np
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(tiny / "model")
    for name, weight in model.named_parameters():
        if name.endswith(("dense.weight", "dense.bias", "dense_4h_to_h.weight", "dense_4h_to_h.bias")):
            weight.data -= weight.data.mean(dim=0, keepdim=True)
        elif name.endswith("embed_in.weight"):
            weight.data -= weight.data.mean(dim=1, keepdim=True)
    model.save_pretrained(tmp_path / "centred")
    AutoTokenizer.from_pretrained(tiny / "model").save_pretrained(tmp_path / "centred")
    shutil.copytree(tiny / "one", tmp_path / "one")
    cfg = json.loads((tmp_path / "one" / "cfg.json").read_text())
    cfg["metadata"]["model_from_pretrained_kwargs"] = {"center_writing_weights": True}
    (tmp_path / "one" / "cfg.json").write_text(json.dumps(cfg))
    ingest(replace(request_, saes=(str(tmp_path / "one"),)), db=tmp_path / "a.duckdb")
    ingest(replace(request_, saes=request_.saes[:1], model=str(tmp_path / "centred")), db=tmp_path / "b.duckdb")
    ingest(replace(request_, saes=request_.saes[:1]), db=tmp_path / "raw.duckdb")
    codes, centred, raw = (read_scan(tmp_path / f"{name}.duckdb", "one").toarray() for name in ("a", "b", "raw"))
    np.testing.assert_allclose(codes, centred, atol=1e-5)
    assert np.abs(codes - raw).max() > 0.01


def command(tiny: Path, db: Path, *options: str, quiet: bool = False):
    """Run the command as the group would."""
    from ingest.cli.ingest import ingest as ingest_command

    arguments = ["--model", str(tiny / "model"), "--corpus", str(tiny / "text.txt"), "--hook", HOOK]
    session = SimpleNamespace(db=db, wait=0, quiet=quiet)
    return CliRunner().invoke(ingest_command, [*arguments, *options], obj=session)


def test_the_command_prints_each_sae_and_what_to_type_next(tiny, tmp_path):
    result = command(tiny, tmp_path / "a.duckdb", "--sae", str(tiny / "one"), "--sae", str(tiny / "two"))
    assert result.exit_code == 0, result.output
    assert "A  one  on text" in result.stdout
    assert "correlate A B" in result.stderr
    with open_atlas(tmp_path / "a.duckdb") as atlas:
        spec, software = atlas.rows("select spec, software from run limit 1").rows[0]
    assert json.loads(spec)["context_length"] is None
    assert {"torch", "transformer-lens", "sae-lens", "transformers", "duckdb", "numpy"} <= set(json.loads(software))


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(tiny, tmp_path):
    result = command(tiny, tmp_path / "a.duckdb", "--sae", str(tiny / "one"), "--dry-run")
    assert result.exit_code == 0, result.output
    assert "tokens/s" in result.stderr
    assert result.stdout == ""
    assert left_behind(tmp_path) == []


def test_quiet_leaves_stderr_empty(tiny, tmp_path):
    result = command(tiny, tmp_path / "a.duckdb", "--sae", str(tiny / "one"), quiet=True)
    assert (result.exit_code, result.stderr) == (0, "")


def test_asking_for_help_imports_no_torch():
    code = "import sys, ingest.cli.ingest, ingest.job; assert not {'torch', 'sae_lens', 'transformer_lens', 'numpy'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
