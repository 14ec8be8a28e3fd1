"""Claims about the built-in models and SAEs as they are shipped."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from atlas.errors import UnknownName
from bench.toy.build import sha256s, text_hash
from bench.toy.profile import FULL
from ingest.toy.artifacts import ARTIFACTS, TOY_MODELS, TOY_SAES, manifest, toy_model, toy_sae

SHIPPED = [*((name, toy_model(name)) for name in TOY_MODELS), *((name, toy_sae(name)) for name in TOY_SAES)]


@pytest.mark.parametrize(("name", "folder"), SHIPPED, ids=[name for name, _ in SHIPPED])
def test_every_file_is_the_one_that_the_manifest_records(name, folder):
    assert sha256s(folder) == manifest()["artifacts"][name]["files"]


def test_nothing_is_shipped_that_the_manifest_does_not_record():
    folders = {path.name for kind in ("models", "saes") for path in (ARTIFACTS / kind).iterdir()}
    assert folders == manifest()["artifacts"].keys() == TOY_MODELS.keys() | TOY_SAES.keys()


def test_the_models_were_trained_on_the_text_that_is_generated_now():
    assert manifest()["text"] == text_hash()


def test_all_of_it_is_small():
    assert sum(path.stat().st_size for path in ARTIFACTS.rglob("*") if path.is_file()) < 6_500_000


def test_only_safetensors_and_json_are_shipped():
    assert {path.suffix for path in ARTIFACTS.rglob("*") if path.is_file()} == {".json", ".safetensors"}


def test_no_file_names_the_machine_it_was_made_on():
    for path in ARTIFACTS.rglob("*.json"):
        if path.name != "tokenizer.json":
            assert not re.search(r'"(/|[A-Z]:\\|~)|_name_or_path|tmp/', path.read_text()), path


@pytest.mark.parametrize("name", TOY_SAES)
def test_a_cfg_names_model_hook_seed_and_style(name):
    cfg = json.loads((toy_sae(name) / "cfg.json").read_text())
    spec = next(spec for spec in FULL.saes if spec.name == name)
    kept = ("model_name", "hook_name", "context_size", "prepend_bos", "seed", "style")
    assert {key: cfg["metadata"][key] for key in kept} == {
        "model_name": TOY_SAES[name],
        "hook_name": spec.hook_name,
        "context_size": 128,
        "prepend_bos": True,
        "seed": spec.seed,
        "style": spec.style,
    }
    assert (cfg["architecture"], cfg["d_sae"]) == (spec.architecture, spec.d_sae)


def test_the_models_share_one_tokenizer():
    assert len({(toy_model(name) / "tokenizer.json").read_bytes() for name in TOY_MODELS}) == 1


def test_most_words_of_the_concepts_are_one_token():
    """A concept query compares words with tokens, so a word in pieces would never be found."""
    vocabulary = json.loads((toy_model("tinyA") / "tokenizer.json").read_text())["model"]["vocab"]
    lexicon = json.loads((Path(__file__).parents[3] / "atlas" / "data" / "concepts.json").read_text())
    words = {word for concept in lexicon["concepts"].values() for word in concept}
    assert sum(f"Ġ{word}" in vocabulary for word in words) > 0.95 * len(words)


def test_training_shows_in_the_recorded_losses():
    loss = {name: manifest()["artifacts"][name]["quality"]["val_loss"] for name in TOY_MODELS}
    assert loss["tinyA"] < 1.0
    assert loss["tinyB"] < 1.0
    assert loss["untrainedA"] > 7.0


@pytest.mark.parametrize(
    "name", [spec.name for spec in FULL.saes if spec.model != "untrainedA" and spec.style == "mixed"]
)
def test_an_sae_keeps_most_of_its_model_with_few_features(name):
    quality = manifest()["artifacts"][name]["quality"]
    assert quality["explained_variance"] > 0.75
    assert quality["ce_recovered"] > 0.93
    assert quality["l0"] < 25
    assert quality["dead"] < 60


def test_an_unknown_name_names_the_known_ones():
    with pytest.raises(UnknownName, match="tinyA"):
        toy_model("tinyC")


@pytest.mark.slow
@pytest.mark.parametrize("name", TOY_MODELS)
def test_a_shipped_model_loads_and_predicts_as_well_as_recorded(name):
    from bench.toy.quality import model_quality

    recorded = manifest()["artifacts"][name]["quality"]
    assert model_quality(toy_model(name), FULL)["val_loss"] == pytest.approx(recorded["val_loss"], abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["tinyA_L1_w1024_s0", "tinyA_L1_topk512_s0", "tinyB_L2_w512_s0", "untrainedA_L1_w1024_s0"]
)
def test_a_shipped_sae_loads_and_reconstructs_as_well_as_recorded(name):
    from bench.toy.dictionary import load_model
    from bench.toy.quality import sae_quality

    spec = next(spec for spec in FULL.saes if spec.name == name)
    recorded = manifest()["artifacts"][name]["quality"]
    measured = sae_quality(toy_sae(name), load_model(toy_model(spec.model)), spec, FULL)
    assert measured["explained_variance"] == pytest.approx(recorded["explained_variance"], abs=1e-3)
    assert measured["l0"] == pytest.approx(recorded["l0"], abs=0.02)
    assert measured["ce_recovered"] == pytest.approx(recorded["ce_recovered"], abs=2e-3)
