"""Claims about an ingest as a whole, on a tiny random model: what is written, what is left behind, what is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file, save_file

from atlas.activations import read_scan
from atlas.db import open_atlas, store_of
from atlas.errors import AtlasError, UnknownName, UsageError
from ingest.job import ingest
from ingest.shards import ShardStore
from ingest.spec import IngestRequest

HOOK = "blocks.1.hook_resid_post"
STATISTICS = ("feature_stat", "histogram", "feature_context")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """A folder with a tiny model, three SAEs and a text of 40 documents."""
    import torch
    from sae_lens import StandardSAE, StandardSAEConfig
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny")
    letters = {"<s>": 0, "<unk>": 1, **{letter: i for i, letter in enumerate("abcdefghijklmnop", start=2)}}
    backend = Tokenizer(models.WordLevel(letters, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token="<s>", unk_token="<unk>"
    ).save_pretrained(folder / "model")
    size = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
    cfg = GPTNeoXConfig(vocab_size=18, max_position_embeddings=32, bos_token_id=0, eos_token_id=0, **size)
    GPTNeoXForCausalLM(cfg).save_pretrained(folder / "model")
    for name, d_in in (("one", 16), ("two", 16), ("wide", 24)):
        sae = StandardSAE(StandardSAEConfig(d_in=d_in, d_sae=20, apply_b_dec_to_input=False))
        with torch.no_grad():
            sae.W_enc.normal_()
            sae.b_enc.fill_(-0.2)
        sae.save_model(folder / name)
    texts = [" ".join("abcdefghijklmnop"[(i * k + k * k) % 16] for k in range(5 + i % 30)) for i in range(40)]
    (folder / "text.txt").write_text("\n<|endoftext|>\n".join(texts))
    return folder


@pytest.fixture
def request_(tiny) -> IngestRequest:
    """Both SAEs on the whole text, in several shards."""
    return IngestRequest(
        model=str(tiny / "model"),
        saes=(str(tiny / "one"), str(tiny / "two")),
        corpus=tiny / "text.txt",
        hook=HOOK,
        context_length=12,
        batch_size=4,
        shard_tokens=150,
    )


def rows(db: Path, sae: str) -> dict[str, list]:
    """Every statistic of a scan, without its number."""
    with open_atlas(db) as atlas:
        of_scan = "from {} t join scan c using (scan_id) join sae s using (sae_id) where s.name = $sae order by all"
        return {
            table: [row[1:] for row in atlas.rows(f"select t.* {of_scan.format(table)}", sae=sae)]
            for table in STATISTICS
        }


def left_behind(folder: Path) -> list[str]:
    """Names of everything in a folder."""
    return sorted(path.name for path in folder.rglob("*"))


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


def test_an_interrupted_ingest_goes_on_and_ends_the_same(request_, tmp_path, monkeypatch):
    ingest(request_, db=tmp_path / "whole.duckdb")
    put, made = ShardStore.put, []

    def stop_at_the_fourth(store, shard, codes, partial):
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append((store.folder.name, shard.number))
        put(store, shard, codes, partial)

    with monkeypatch.context() as patch:
        patch.setattr(ShardStore, "put", stop_at_the_fourth)
        with pytest.raises(KeyboardInterrupt):
            ingest(request_, db=tmp_path / "cut.duckdb")
    assert not (tmp_path / "cut.duckdb").exists()
    remade: list = []
    monkeypatch.setattr(ShardStore, "put", lambda *a: (remade.append((a[0].folder.name, a[1].number)), put(*a)))
    ingest(request_, db=tmp_path / "cut.duckdb")
    assert set(remade).isdisjoint(made)
    for name in ("one", "two"):
        assert rows(tmp_path / "cut.duckdb", name) == rows(tmp_path / "whole.duckdb", name)
    stores = [sorted(store_of(tmp_path / f"{name}.duckdb").rglob("*.parquet")) for name in ("cut", "whole")]
    assert [path.read_bytes() for path in stores[0]] == [path.read_bytes() for path in stores[1]]


KILLED = """
import sys, time
from pathlib import Path
from ingest.job import ingest
from ingest.shards import ShardStore
from ingest.spec import IngestRequest
put = ShardStore.put
ShardStore.put = lambda *a: (put(*a), time.sleep(0.3))
model, sae, corpus, db = sys.argv[1:]
ingest(IngestRequest(model=model, saes=(sae,), corpus=Path(corpus), hook="{hook}", context_length=12, shard_tokens=100), db=db)
"""


@pytest.mark.slow
def test_kill_9_loses_at_most_the_shard_in_work(tiny, request_, tmp_path):
    arguments = [str(tiny / "model"), str(tiny / "one"), str(tiny / "text.txt"), str(tmp_path / "a.duckdb")]
    process = subprocess.Popen([sys.executable, "-c", KILLED.format(hook=HOOK), *arguments])
    deadline = time.monotonic() + 120
    while len(list(tmp_path.rglob("shard-*.json"))) < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("shard-*.json")}
    assert len(kept) >= 2
    assert not (tmp_path / "a.duckdb").exists()
    same = replace(request_, saes=request_.saes[:1], shard_tokens=100, batch_size=32)
    ingest(same, db=tmp_path / "a.duckdb")
    now = {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("shard-*.json")}
    assert len(now) > len(kept)
    assert {name: now[name] for name in kept} == kept
    ingest(same, db=tmp_path / "whole.duckdb")
    assert rows(tmp_path / "a.duckdb", "one") == rows(tmp_path / "whole.duckdb", "one")


def test_a_scan_being_measured_is_not_measured_by_another_program(request_, tmp_path, monkeypatch):
    second: list = []

    def try_another(store, shard, codes, partial):
        if not second:
            second.append(1)
            with pytest.raises(AtlasError, match="another featlas ingest is measuring"):
                ingest(request_, db=tmp_path / "a.duckdb")
        put(store, shard, codes, partial)

    put = ShardStore.put
    monkeypatch.setattr(ShardStore, "put", try_another)
    assert len(ingest(request_, db=tmp_path / "a.duckdb")) == 2


def test_without_a_store_no_activation_is_left_and_quartiles_are_near(request_, tmp_path):
    ingest(replace(request_, store=False), db=tmp_path / "bare.duckdb")
    ingest(request_, db=tmp_path / "full.duckdb")
    assert left_behind(tmp_path / "bare.duckdb.store") == []
    with open_atlas(tmp_path / "bare.duckdb") as bare, open_atlas(tmp_path / "full.duckdb") as full:
        query = "select median_active, n_fired, max from features order by sae, feature_id"
        for near, exact in zip(bare.rows(query), full.rows(query), strict=True):
            assert near[0] == (exact[0] and pytest.approx(exact[0], rel=0.032))
            assert near[1:] == exact[1:]
        assert bare.rows("select distinct exact_quantiles, store from scan").rows == [(False, None)]


def test_the_store_keeps_activations_and_receipts_only(request_, tmp_path):
    ingest(request_, db=tmp_path / "a.duckdb")
    kinds = {path.name.split(".", 1)[1] for path in store_of(tmp_path / "a.duckdb").rglob("*") if path.is_file()}
    assert kinds == {"parquet", "json"}
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
    import shutil

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
    found = ingest(replace(request_, tokens=100), db=tmp_path / "a.duckdb", on_note=notes.append)
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


def bad_requests(tiny: Path, scratch: Path) -> dict[str, tuple[dict, str]]:
    """What is wrong -> (changes to a good request, what the message must hold)."""
    empty = scratch / "empty"
    empty.mkdir()
    bare = scratch / "bare"
    bare.mkdir()
    (bare / "config.json").write_text("{}")
    damaged = scratch / "damaged"
    damaged.mkdir()
    (damaged / "cfg.json").write_text((tiny / "one" / "cfg.json").read_text())
    (damaged / "sae_weights.safetensors").write_bytes((tiny / "one" / "sae_weights.safetensors").read_bytes()[:-64])
    nan = scratch / "nan"
    nan.mkdir()
    (nan / "cfg.json").write_text((tiny / "one" / "cfg.json").read_text())
    weights = load_file(tiny / "one" / "sae_weights.safetensors")
    weights["W_dec"][7, 3] = float("nan")
    save_file(weights, nan / "sae_weights.safetensors")
    silence = scratch / "silence.txt"
    silence.write_text("\n\n")
    return {
        "no model folder": ({"model": str(scratch / "no")}, "there is no folder"),
        "model without config": ({"model": str(empty)}, "no config.json"),
        "model without weights": ({"model": str(bare)}, "has no weights"),
        "no such model on the hub": ({"model": "nobody/nothing"}, "there is no model 'nobody/nothing'"),
        "no SAE folder": ({"saes": (str(scratch / "no"),)}, "there is no folder"),
        "SAE without weights": ({"saes": (str(empty),)}, "no cfg.json"),
        "damaged SAE": ({"saes": (str(damaged),)}, "is damaged"),
        "SAE with a NaN": ({"saes": (str(nan),)}, "the first feature with one is 7"),
        "SAE of another width": ({"saes": (str(tiny / "wide"),)}, "it reads 24 numbers and the hook gives 16"),
        "unknown release": ({"saes": ("pythia-70m-deduped-res/x",)}, "did you mean 'pythia-70m-deduped"),
        "SAE twice": ({"saes": (str(tiny / "one"),) * 2}, "are the same SAE"),
        "too few names": ({"names": ("x",)}, "1 --name for 2 --sae"),
        "unknown hook": ({"hook": "blocks.1.hook_resid_pots"}, "did you mean 'blocks.1.hook_resid_post'?"),
        "hook without activations": ({"hook": "blocks.1.attn.hook_result"}, "gives no activations"),
        "no hook": ({"hook": None}, "--hook blocks.1.hook_resid_post"),
        "no corpus": ({"corpus": scratch / "no.txt"}, "there is no corpus at"),
        "corpus without text": ({"corpus": silence}, "no text in"),
        "long context": ({"context_length": 33}, "its longest context has 32 tokens"),
        "short context": ({"context_length": 1}, "--context-length 1 is too small"),
        "no such device": ({"device": "abacus"}, "cannot use the device 'abacus'"),
    }


def test_bad_input_gets_one_message_and_leaves_nothing(request_, tiny, tmp_path, subtests, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    work = tmp_path / "work"
    work.mkdir()
    for what, (changes, message) in bad_requests(tiny, tmp_path).items():
        with subtests.test(what):
            with pytest.raises(AtlasError) as error:
                ingest(replace(request_, **changes), db=work / "a.duckdb")
            assert message in str(error.value)
            assert left_behind(work) == []


def test_an_unknown_hook_lists_the_residual_ones_first(request_, tmp_path):
    with pytest.raises(UnknownName, match=r"known: blocks\.0\.hook_resid_post, blocks\.1\.hook_resid_post"):
        ingest(replace(request_, hook="resid"), db=tmp_path / "a.duckdb")


def test_an_activation_that_is_no_number_names_its_place_and_leaves_nothing(request_, tmp_path, monkeypatch):
    from ingest.sources.saes import Sae

    encode = Sae.encode

    def broken(sae, x):
        codes = encode(sae, x)
        codes[-1, 5] = float("nan")
        return codes

    monkeypatch.setattr(Sae, "encode", broken)
    with pytest.raises(AtlasError, match=r"the SAE one gives nan for feature 5 in context 3"):
        ingest(request_, db=tmp_path / "a.duckdb")
    assert left_behind(tmp_path) == []


def test_a_full_disk_says_so_and_the_same_command_goes_on(request_, tmp_path, monkeypatch):
    import ingest.shards as shards

    written: list = []

    def full(to, codes, first_token):
        written.append(first_token)
        if len(written) > 3:
            raise OSError(28, "No space left on device")
        write(to, codes, first_token)

    write = shards._write_parquet
    with monkeypatch.context() as patch:
        patch.setattr(shards, "_write_parquet", full)
        with pytest.raises(AtlasError, match="No space left on device"):
            ingest(request_, db=tmp_path / "a.duckdb")
    assert not list(tmp_path.rglob("*.tmp"))
    assert all(scan.measured for scan in ingest(request_, db=tmp_path / "a.duckdb"))


def command(tiny: Path, db: Path, *options: str, quiet: bool = False):
    """Run the command as the group would."""
    from ingest.cli import ingest as ingest_command

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
    code = "import sys, ingest.cli, ingest.job; assert not {'torch', 'sae_lens', 'transformer_lens', 'numpy'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
