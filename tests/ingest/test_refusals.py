"""Claims about what an ingest refuses: one message that names the fault, and nothing left behind."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from atlas.db import open_atlas
from atlas.errors import AtlasError, UnknownName, UsageError
from ingest.job import ingest
from ingest.sources.tokens.contexts import cut
from ingest.spec import IngestRequest
from tests.support.ingest_tiny import build_tiny, left_behind, tiny_request


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """A folder with a tiny model, three SAEs and a text of 40 documents."""
    return build_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def request_(tiny) -> IngestRequest:
    """Two SAEs on the whole text, in several shards."""
    return tiny_request(tiny)


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
        "SAE without weights": ({"saes": (str(empty),)}, "is not an SAE folder"),
        "damaged SAE": ({"saes": (str(damaged),)}, "is damaged"),
        "SAE with a NaN": ({"saes": (str(nan),)}, "the first feature with one is 7"),
        "SAE of another width": ({"saes": (str(tiny / "wide"),)}, "its input has 24 dimensions and the hook gives 16"),
        "unknown release": ({"saes": ("pythia-70m-deduped-res/x",)}, "did you mean 'pythia-70m-deduped"),
        "SAE twice": ({"saes": (str(tiny / "one"),) * 2}, "are the same SAE"),
        "too few names": ({"names": ("mine",)}, "1 --name for 2 SAEs"),
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
    from ingest.sources.saes.sae import Sae

    encode = Sae.encode

    def broken(sae, x):
        codes = encode(sae, x)
        codes.feature[-1], codes.activation[-1] = 5, float("nan")
        return codes

    monkeypatch.setattr(Sae, "encode", broken)
    with pytest.raises(AtlasError, match=r"the SAE one gives nan for feature 5 in context 3"):
        ingest(request_, db=tmp_path / "a.duckdb")
    assert left_behind(tmp_path) == []


def changed_sae(tiny: Path, folder: Path, *, metadata: object = None, **cfg: object) -> str:
    """The SAE `one` with other words in its cfg."""
    shutil.copytree(tiny / "one", folder)
    facts = json.loads((folder / "cfg.json").read_text())
    facts["metadata"] = (
        {**facts["metadata"], **metadata} if isinstance(metadata, dict) else metadata or facts["metadata"]
    )
    (folder / "cfg.json").write_text(json.dumps({**facts, **cfg}))
    return str(folder)


TOPK = {"architecture": "topk", "rescale_acts_by_decoder_norm": True}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metadata": {"context_size": 1}}, "contexts of 1 tokens"),
        ({"metadata": {"context_size": 0}}, "contexts of 0 tokens"),
        ({"metadata": {"context_size": "many"}}, "contexts of 'many' tokens"),
        ({"metadata": [1]}, "its metadata is not a JSON object"),
        ({"metadata": {"hook_name": 7}}, "hook_name is 7"),
        ({"metadata": {"model_from_pretrained_kwargs": "x"}}, "model_from_pretrained_kwargs is 'x'"),
        ({**TOPK, "k": 0}, "k is 0"),
        ({**TOPK, "k": -1}, "k is -1"),
        ({**TOPK, "k": 2.5}, "k is 2.5"),
        ({**TOPK, "k": 21}, "k is 21, and it has 20 features"),
        ({"d_sae": "20"}, "d_sae is '20'"),
        ({"d_sae": 19}, "size mismatch for"),
        ({"architecture": "nope"}, "cannot be loaded"),
        ({"architecture": [1]}, "cannot be loaded"),
    ],
)
def test_a_cfg_that_makes_no_sense_is_one_message_before_the_model_runs(request_, tiny, tmp_path, change, message):
    sae = changed_sae(tiny, tmp_path / "changed", **change)
    with pytest.raises(AtlasError) as error:
        ingest(replace(request_, saes=(sae,), context_length=None), db=tmp_path / "a.duckdb")
    assert message in str(error.value)
    assert not list(tmp_path.glob("a.duckdb*"))


def test_a_cfg_that_is_no_object_is_refused(request_, tiny, tmp_path, subtests):
    shutil.copytree(tiny / "one", tmp_path / "odd")
    for text in ("[]", "7", "[" * 100_000):
        with subtests.test(text[:3]):
            (tmp_path / "odd" / "cfg.json").write_text(text)
            with pytest.raises(AtlasError, match=r"cfg\.json"):
                ingest(replace(request_, saes=(str(tmp_path / "odd"),)), db=tmp_path / "a.duckdb")


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_size": "x"},
        {"hidden_size": 63},
        {"num_attention_heads": 0},
        {"num_hidden_layers": -1},
        {"max_position_embeddings": 1},
        {"hidden_act": "zzz"},
        {"model_type": "nope"},
    ],
)
def test_a_model_whose_config_makes_no_sense_is_one_message(request_, tiny, tmp_path, change):
    shutil.copytree(tiny / "model", tmp_path / "model")
    config = tmp_path / "model" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), **change}))
    with pytest.raises(AtlasError, match=r"the model .* cannot be"):
        ingest(replace(request_, model=str(tmp_path / "model")), db=tmp_path / "a.duckdb")


@pytest.mark.parametrize("sae", ["some/path", "some/missing/path"])
def test_a_missing_folder_is_said_to_be_missing_and_gets_no_far_fetched_advice(request_, tmp_path, monkeypatch, sae):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(AtlasError, match=f"there is no folder {sae}, and .*release") as error:
        ingest(replace(request_, saes=(sae,)), db=tmp_path / "a.duckdb")
    assert "did you mean" not in str(error.value)


def test_contexts_of_one_token_are_refused_and_not_cut_for_ever(tiny):
    with pytest.raises(UsageError, match="too short"):
        cut(["a b"], None, None, context_length=1, prepend_bos=True)  # type: ignore[arg-type]


def topk(folder: Path, *, zero: int | None) -> str:
    """A TopK SAE that rescales by its decoder norms, with one decoder row of zeros."""
    import torch
    from sae_lens import TopKSAE, TopKSAEConfig

    torch.manual_seed(1)
    sae = TopKSAE(TopKSAEConfig(d_in=16, d_sae=20, k=5, rescale_acts_by_decoder_norm=True))
    with torch.no_grad():
        sae.W_enc.normal_()
        sae.W_dec.normal_()
        if zero is not None:
            sae.W_dec[zero] = 0
    sae.save_model(folder)
    return str(folder)


def test_a_decoder_row_of_zeros_is_a_dead_feature_and_the_rest_is_measured(request_, tmp_path):
    notes: list[str] = []
    sae = topk(tmp_path / "pruned", zero=7)
    found = ingest(replace(request_, saes=(sae,)), db=tmp_path / "a.duckdb", on_note=notes.append)
    assert "note: 1 decoder rows of pruned are zero; these features reconstruct nothing" in notes
    assert found[0].fvu is not None
    assert math.isfinite(found[0].fvu)
    with open_atlas(tmp_path / "a.duckdb") as atlas:
        assert atlas.rows("select n_fired from features where feature_id = 7").rows == [(0,)]


def test_decoding_past_a_row_of_zeros_equals_the_sum_over_the_other_rows(tmp_path):
    import torch

    from ingest.sources.saes.sae import load_sae

    sae = load_sae(topk(tmp_path / "pruned", zero=7), "cpu")
    with torch.inference_mode():
        codes = sae.encode(torch.randn(6, 16))
        dense = torch.zeros(6, 20).index_put((codes.token, codes.feature), codes.activation)
        weights = load_file(tmp_path / "pruned" / "sae_weights.safetensors")
        rows = torch.nn.functional.normalize(torch.from_numpy(weights["W_dec"]), dim=1)
        torch.testing.assert_close(sae.decode(codes, 6), dense @ rows + torch.from_numpy(weights["b_dec"]))


def test_a_reconstruction_that_is_no_number_stops_the_scan(request_, tmp_path, monkeypatch):
    from ingest.sources.saes.sae import Sae

    decode = Sae.decode
    monkeypatch.setattr(Sae, "try_out", lambda sae: None)
    monkeypatch.setattr(Sae, "decode", lambda sae, codes, n: decode(sae, codes, n) * float("nan"))
    with pytest.raises(AtlasError, match="the reconstructions of one are not finite in context 0"):
        ingest(request_, db=tmp_path / "a.duckdb")
    assert left_behind(tmp_path) == []


def test_an_sae_that_cannot_encode_is_told_before_the_model_runs(tiny, request_, tmp_path, monkeypatch):
    from ingest.sources.models.model import Model
    from ingest.sources.saes.sae import Sae, load_sae

    sae = load_sae(str(tiny / "one"), "cpu")
    sae.try_out()
    with pytest.raises(AtlasError, match=r"the SAE one does not encode\n  why: RuntimeError"):
        replace(sae, d_in=17).try_out()
    with pytest.raises(AtlasError, match="does not decode what it encodes"):
        replace(sae, d_sae=19).try_out()
    read: list = []
    run = Model.run
    monkeypatch.setattr(
        Model, "run", lambda model, tokens, hooks: (read.append(tokens.size), run(model, tokens, hooks))[1]
    )
    monkeypatch.setattr(Sae, "encode", lambda sae, x: x[:, :-1] @ sae.module.W_enc)
    with pytest.raises(AtlasError, match="does not encode"):
        ingest(request_, db=tmp_path / "a.duckdb")
    assert max(read) <= 3
