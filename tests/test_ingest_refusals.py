"""Claims about what an ingest refuses: one message that names the fault, and nothing left behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from atlas.errors import AtlasError, UnknownName
from ingest.job import ingest
from ingest.spec import IngestRequest
from tests.ingest_tiny import build_tiny, left_behind, tiny_request


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
