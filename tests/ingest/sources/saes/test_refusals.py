"""Claims about SAEs that cannot be read: one message that says what was found and what is read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from atlas.errors import AtlasError
from ingest.sources.folders import check_sae
from ingest.sources.saes.sae import load_sae
from tests.support.sae_layouts import D_IN, D_SAE, random_arrays, tensors, write_dictionary, write_sparsify


def message(source: object) -> str:
    """What loading says."""
    with pytest.raises(AtlasError) as error:
        load_sae(str(source), "cpu")
    return str(error.value)


def early_message(source: object) -> str:
    """What is said without torch."""
    with pytest.raises(AtlasError) as error:
        check_sae(str(source))
    return str(error.value)


def change(file: Path, **facts: object) -> None:
    """Write other facts into a JSON file."""
    file.write_text(json.dumps({**json.loads(file.read_text()), **facts}))


def test_a_folder_that_is_no_sae_is_told_what_it_holds_and_what_is_read(tmp_path):
    for name in ("a.bin", "b.txt"):
        (tmp_path / name).write_text("x")
    said = early_message(tmp_path)
    assert "it holds a.bin, b.txt" in said
    for file in ("sae_weights.safetensors", "sae.safetensors", "ae.pt", "featlas_sae.json"):
        assert file in said
    (tmp_path / "cfg.json").write_text("{}")
    assert "no sae_weights.safetensors (SAELens) and no sae.safetensors (sparsify)" in early_message(tmp_path)


@pytest.mark.parametrize(
    ("cfg", "said"),
    [
        ({"transcode": True}, "transcode is set: it is a transcoder"),
        ({"skip_connection": True}, "skip_connection is set"),
        ({"embed_skip": True}, "embed_skip is set"),
        ({"gram_lookup": True}, "gram_lookup is set"),
        ({"signed": True}, "signed is set: its activations have signs"),
        ({"activation": "groupmax"}, "its activation is 'groupmax', and featlas reads 'topk'"),
        ({"k": 0}, "k is 0"),
        ({"k": None}, "it does not say k"),
        ({"num_latents": 3}, "k is 5, and it has 3 features"),
    ],
)
def test_what_sparsify_can_train_and_featlas_cannot_read_is_said_early(tmp_path, cfg, said):
    write_sparsify(tmp_path, **cfg)
    assert said in early_message(tmp_path)


@pytest.mark.parametrize(
    ("trainer", "said"),
    [
        ({"dict_class": "CrossCoder"}, "its dict_class is 'CrossCoder', and featlas reads AutoEncoder, "),
        ({"dict_class": ["x"]}, "its dict_class is ['x']"),
        ({"activation_dim": -1}, "activation_dim is -1"),
        ({"k": 99}, "k is 99, and it has 40 features"),
    ],
)
def test_what_dictionary_learning_can_train_and_featlas_cannot_read_is_said(tmp_path, trainer, said):
    write_dictionary(tmp_path, "AutoEncoderTopK", **trainer)
    assert said in early_message(tmp_path)


def test_a_dictionary_without_its_config_or_with_an_odd_one_is_refused(tmp_path):
    write_dictionary(tmp_path / "a", "AutoEncoder")
    (tmp_path / "a" / "config.json").write_text('{"trainer": 7}')
    assert "it has no trainer" in early_message(tmp_path / "a")
    (tmp_path / "a" / "config.json").unlink()
    assert "has no config.json beside it" in early_message(tmp_path / "a")


def test_a_checkpoint_that_runs_code_when_opened_is_not_opened(tmp_path):
    write_dictionary(tmp_path, "AutoEncoder")
    mark = tmp_path / "ran"

    class Bomb:
        def __reduce__(self):
            return (Path.touch, (mark,))

    for new_zip in (True, False):
        torch.save({"bias": Bomb()}, tmp_path / "ae.pt", _use_new_zipfile_serialization=new_zip)
        said = message(tmp_path)
        assert "ae.pt is not opened" in said
        assert "something else than tensors" in said
    assert not mark.exists()


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04 cut"])
def test_a_checkpoint_that_is_damaged_is_one_message(tmp_path, content):
    write_dictionary(tmp_path, "AutoEncoder")
    (tmp_path / "ae.pt").write_bytes(content)
    assert f"{tmp_path / 'ae.pt'} " in message(tmp_path)


def test_a_checkpoint_cut_in_half_or_without_a_state_dict_is_one_message(tmp_path):
    write_dictionary(tmp_path, "AutoEncoder")
    whole = (tmp_path / "ae.pt").read_bytes()
    (tmp_path / "ae.pt").write_bytes(whole[: len(whole) // 2])
    assert "cannot be read" in message(tmp_path)
    for content in (torch.zeros(3), {"bias": [1, 2]}):
        torch.save(content, tmp_path / "ae.pt")
        assert "it is not a state dict" in message(tmp_path)


def test_tensors_that_lack_or_do_not_fit_are_named_with_what_is_there(tmp_path):
    write_sparsify(tmp_path / "a")
    weights = load_file(tmp_path / "a" / "sae.safetensors")
    save_file({k: v for k, v in weights.items() if k != "W_dec"}, tmp_path / "a" / "sae.safetensors")
    said = message(tmp_path / "a")
    assert "lacks the tensor W_dec" in said
    assert "its tensors are: b_dec, encoder.bias, encoder.weight" in said
    save_file({**weights, "W_dec": weights["W_dec"].T.contiguous()}, tmp_path / "a" / "sae.safetensors")
    assert "it has the shape (12, 40), and should have (40, 12): d_sae x d_in" in message(tmp_path / "a")
    save_file({**weights, "encoder.weight": torch.zeros(3)}, tmp_path / "a" / "sae.safetensors")
    assert "it has the shape (3,), and should have two axes" in message(tmp_path / "a")
    save_file(weights, tmp_path / "a" / "sae.safetensors")
    change(tmp_path / "a" / "cfg.json", num_latents=41)
    assert "its settings speak of d_sae 41" in message(tmp_path / "a")


def test_a_batch_topk_dictionary_from_before_thresholds_is_refused(tmp_path):
    write_dictionary(tmp_path, "BatchTopKSAE")
    state = torch.load(tmp_path / "ae.pt", weights_only=True)
    torch.save({k: v for k, v in state.items() if k != "threshold"}, tmp_path / "ae.pt")
    assert "lacks the tensor threshold" in message(tmp_path)


def test_weights_that_are_cut_short_are_damaged(tmp_path):
    write_sparsify(tmp_path)
    whole = (tmp_path / "sae.safetensors").read_bytes()
    (tmp_path / "sae.safetensors").write_bytes(whole[:-40])
    assert "is damaged" in early_message(tmp_path)


GOOD = {
    "architecture": "jumprelu",
    "apply_b_dec_to_input": True,
    "threshold": 0.1,
    "tensors": {
        "W_enc": {"name": "enc", "axes": ["d_in", "d_sae"]},
        "W_dec": {"name": "dec", "axes": ["d_sae", "d_in"]},
    },
}


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"architecture": "relu"}, "its architecture is 'relu', and should be one of standard, topk, jumprelu, gated"),
        ({"colour": 1}, "'colour' means nothing in it; it can hold "),
        ({"apply_b_dec_to_input": None}, "it does not say apply_b_dec_to_input"),
        ({"apply_b_dec_to_input": "yes"}, "apply_b_dec_to_input is 'yes', and should be true or false"),
        ({"threshold": None}, "it does not name the tensor threshold"),
        ({"threshold": "high"}, "threshold is 'high'"),
        ({"input_scale": 0}, "input_scale is 0"),
        ({"k": 4}, "k is 4"),
        ({"architecture": "topk", "k": None}, "k is None"),
        ({"normalize_activations": "expected_average_only_in"}, "normalize_activations is 'expected_average_only_in'"),
        ({"tensors": []}, "its tensors are not a JSON object"),
        ({"tensors": {"W_enc": "enc"}}, "it does not name the tensor W_dec"),
        ({"tensors": {**GOOD["tensors"], "W_enc": "enc"}}, "W_enc needs its axes"),
        ({"tensors": {**GOOD["tensors"], "b_gate": "x"}}, "jumprelu has no tensor 'b_gate'"),
        ({"tensors": {**GOOD["tensors"], "b_enc": 7}}, "the name of b_enc is 7"),
        ({"hook": 3}, "hook is 3"),
        ({"weights": "no.safetensors"}, "names weights that are not there"),
    ],
)
def test_a_description_that_makes_no_sense_says_what_can_stand_in_it(tmp_path, facts, said):
    save_file(tensors(random_arrays(0, enc=(D_IN, D_SAE), dec=(D_SAE, D_IN))), tmp_path / "my.safetensors")
    (tmp_path / "featlas_sae.json").write_text(json.dumps(GOOD))
    check_sae(str(tmp_path))
    (tmp_path / "featlas_sae.json").write_text(json.dumps({**GOOD, **facts}))
    assert said in early_message(tmp_path)


def test_a_description_beside_two_weight_files_must_say_which(tmp_path):
    save_file(tensors(random_arrays(0, enc=(D_IN, D_SAE), dec=(D_SAE, D_IN))), tmp_path / "a.safetensors")
    shutil.copy(tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    (tmp_path / "featlas_sae.json").write_text(json.dumps(GOOD))
    assert "there are: a.safetensors, b.safetensors" in early_message(tmp_path)


@pytest.mark.parametrize("method", ["expected_average_only_in", "covariance_whitening"])
def test_an_sae_whose_normalisation_lacks_its_factor_is_refused(tmp_path, method):
    from sae_lens import StandardSAE, StandardSAEConfig

    StandardSAE(StandardSAEConfig(d_in=D_IN, d_sae=D_SAE, normalize_activations=method)).save_model(tmp_path)
    assert method in message(tmp_path)


@pytest.mark.parametrize("kind", ["transcoder", "abstopk", "matching_pursuit"])
def test_what_is_no_sae_or_has_signs_is_refused_by_its_kind(tmp_path, kind):
    from sae_lens import registry

    made, config = registry.get_sae_class(kind)
    more = (
        {"d_out": D_IN, "apply_b_dec_to_input": False}
        if kind == "transcoder"
        else {"k": 3}
        if kind == "abstopk"
        else {}
    )
    made(config(d_in=D_IN, d_sae=D_SAE, **more)).save_model(tmp_path)
    assert f"is of the kind {kind}" in message(tmp_path)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("gpt2-small-res-jb/blocks.8.hook_resid_prr", "did you mean 'blocks.8.hook_resid_pre'"),
        ("gpt2-small-res-jc/blocks.8.hook_resid_pre", "did you mean 'gpt2-small-res-jb'"),
        ("gpt2-small-res-jb", "gpt2-small-res-jb/*"),
        ("nowhere", "there is no SAE folder nowhere"),
        ("./nowhere", "there is no folder ./nowhere"),
        ("", "there is no folder"),
    ],
)
def test_a_mistyped_name_is_told_before_anything_is_loaded(source, said):
    assert said in early_message(source)


def test_a_file_is_no_sae_unless_it_is_a_checkpoint_or_a_description(tmp_path):
    write_sparsify(tmp_path)
    assert "give the folder that it is in" in early_message(tmp_path / "sae.safetensors")
    assert "give the folder that it is in" in early_message(tmp_path / "cfg.json")


def test_a_vector_of_zeros_in_a_normalised_sae_is_kept_as_no_number(tmp_path):
    from sae_lens import StandardSAE, StandardSAEConfig

    cfg = StandardSAEConfig(d_in=D_IN, d_sae=D_SAE, normalize_activations="constant_norm_rescale")
    StandardSAE(cfg).save_model(tmp_path)
    with torch.inference_mode():
        codes = load_sae(str(tmp_path), "cpu").encode(torch.zeros(1, D_IN))
    assert np.isnan(codes.activation.numpy()).any()
