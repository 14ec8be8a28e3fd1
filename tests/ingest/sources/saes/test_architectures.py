"""Claims about SAELens' own architectures: sparse codes, decoded, are what the dense forward pass gives."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from ingest.sources.saes.codes import Coder, SparseCodes
from ingest.sources.saes.sae import Sae, load_sae
from tests.support.sae_layouts import D_IN, D_SAE, Coded, K, check_codes, inputs, keep_top, relu

KINDS = ("standard", "gated", "jumprelu", "topk", "topk by norm")
NORMALISATIONS = ("none", "constant_norm_rescale", "layer_norm")


def saved(folder: Path, kind: str, *, seed: int = 0, unit: bool = False, **cfg) -> str:
    """A SAELens folder with random weights, biases and thresholds; decoder rows of unit norm if asked for."""
    from sae_lens import registry

    torch.manual_seed(seed)
    made, config = registry.get_sae_class(kind.split()[0])
    more = {"k": K, "rescale_acts_by_decoder_norm": kind == "topk by norm"} if kind.startswith("topk") else {}
    sae = made(config(d_in=D_IN, d_sae=D_SAE, **more, **cfg))
    with torch.no_grad():
        for name, parameter in sae.named_parameters():
            parameter.normal_()
            if name == "threshold":
                parameter.abs_()
        if unit:
            sae.W_dec /= sae.W_dec.norm(dim=1, keepdim=True)
    sae.save_model(folder)
    return str(folder)


def forward(folder: str, x: np.ndarray) -> tuple[Coded, np.ndarray]:
    """Codes in units of the decoder rows as stored, reconstructions, and norms: the papers' formulas in NumPy."""
    w = {name: array.astype(np.float64) for name, array in load_file(Path(folder) / "sae_weights.safetensors").items()}
    cfg = json.loads((Path(folder) / "cfg.json").read_text())
    scale, shift = np.ones((len(x), 1)), np.zeros((len(x), 1))
    read = x.astype(np.float64)
    if cfg["normalize_activations"] == "constant_norm_rescale":
        scale = np.linalg.norm(read, axis=1, keepdims=True) / np.sqrt(D_IN)
        read = read / scale
    elif cfg["normalize_activations"] == "layer_norm":
        shift, scale = read.mean(axis=1, keepdims=True), read.std(axis=1, ddof=1, keepdims=True)
        read = (read - shift) / (scale + 1e-5)
    read = read - w["b_dec"] * cfg["apply_b_dec_to_input"]
    norms = np.linalg.norm(w["W_dec"], axis=1)
    codes = activations(cfg, w, read, norms)
    return (codes, (codes @ w["W_dec"] + w["b_dec"]) * scale + shift), norms


def activations(cfg: dict, w: dict[str, np.ndarray], read: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """Codes of each architecture."""
    pre = read @ w["W_enc"]
    if cfg["architecture"] == "gated":
        return (pre + w["b_gate"] > 0) * relu(pre * np.exp(w["r_mag"]) + w["b_mag"])
    pre = pre + w["b_enc"]
    if cfg["architecture"] == "jumprelu":
        return relu(pre) * (pre > w["threshold"])
    if cfg["architecture"] == "topk":
        by = norms if cfg["rescale_acts_by_decoder_norm"] else 1.0
        return relu(keep_top(pre * by, K)) / by
    return relu(pre)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
@pytest.mark.parametrize("subtract", [True, False])
def test_codes_and_reconstructions_are_those_of_the_formulas(tmp_path, kind, normalisation, subtract):
    folder = saved(tmp_path, kind, normalize_activations=normalisation, apply_b_dec_to_input=subtract)
    coded, norms = forward(folder, inputs())
    sae = load_sae(folder, "cpu")
    check_codes(sae, coded, norms, inputs())
    np.testing.assert_allclose(sae.norms, norms, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(sae.vectors()[0], axis=1), 1, atol=1e-6)
    assert sae.decoder_norm == "folded"


@pytest.mark.parametrize("kind", KINDS)
def test_codes_are_the_modules_own_to_the_last_bit_where_rows_have_unit_norm(tmp_path, kind):
    from sae_lens import SAE

    folder, x = saved(tmp_path, kind, unit=True), torch.from_numpy(inputs())
    sae, module = load_sae(folder, "cpu"), SAE.load_from_disk(folder)
    with torch.inference_mode():
        dense, codes = module.encode(x), sae.encode(x)
        assert torch.equal(dense[codes.token, codes.feature], codes.activation)
        assert int((dense != 0).sum()) == len(codes.token)
        torch.testing.assert_close(sae.decode(codes, len(x)), module.decode(dense), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["batchtopk", "matryoshka_batchtopk"])
def test_what_the_trainer_saves_as_jumprelu_fires_above_its_learnt_threshold(tmp_path, kind):
    from sae_lens import registry

    torch.manual_seed(0)
    made, config = registry.get_sae_training_class(kind)
    more = {"matryoshka_widths": [8, 20, D_SAE]} if kind.startswith("matryoshka") else {}
    sae = made(config(d_in=D_IN, d_sae=D_SAE, k=K, **more))
    with torch.no_grad():
        for parameter in sae.parameters():
            parameter.normal_()
        sae.topk_threshold.fill_(3.0)
    sae.save_inference_model(tmp_path)
    coded, norms = forward(str(tmp_path), inputs())
    loaded = load_sae(str(tmp_path), "cpu")
    check_codes(loaded, coded, norms, inputs())
    assert loaded.architecture == "jumprelu"
    assert json.loads(loaded.cfg)["metadata"]["training_architecture"] == kind


def test_the_factor_of_an_unfinished_training_is_read_from_beside_the_weights(tmp_path):
    folder = saved(tmp_path, "standard", normalize_activations="expected_average_only_in")
    (tmp_path / "activation_scaler.json").write_text('{"scaling_factor": 0.5}')
    (codes, decoded), norms = forward(folder, inputs() * np.float32(0.5))
    check_codes(load_sae(folder, "cpu"), (codes, decoded * 2), norms * 2, inputs())


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    normalisation=st.sampled_from(NORMALISATIONS),
    tile=st.integers(1, 40),
    n=st.integers(1, 40),
)
def test_tiles_of_any_size_give_the_same_codes_and_reconstructions(tmp_path_factory, kind, normalisation, tile, n):
    sae = load_sae(saved(tmp_path_factory.mktemp("sae"), kind, normalize_activations=normalisation), "cpu")
    tiled = replace(sae, coder=replace(sae.coder, tile_bytes=tile * 4 * D_SAE))
    assert tiled.coder.tile_tokens == tile
    x = torch.from_numpy(inputs(n))
    with torch.inference_mode():
        whole, cut = sae.encode(x), tiled.encode(x)
        assert torch.equal(whole.token, cut.token)
        assert torch.equal(whole.feature, cut.feature)
        torch.testing.assert_close(whole.activation, cut.activation, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(sae.decode(whole, n), tiled.decode(cut, n), rtol=1e-4, atol=1e-5)


def test_no_tile_is_larger_than_its_bound(tmp_path, monkeypatch):
    sae = load_sae(saved(tmp_path, "jumprelu"), "cpu")
    small = replace(sae, coder=replace(sae.coder, tile_bytes=1000))
    rows: list[int] = []
    encode = type(sae.module).encode
    monkeypatch.setattr(type(sae.module), "encode", lambda module, x: (rows.append(len(x)), encode(module, x))[1])
    with torch.inference_mode():
        small.encode(torch.from_numpy(inputs(25)))
    assert rows == [6, 6, 6, 6, 1]
    assert Coder(sae.module).tile_tokens * 4 * D_SAE <= 64 << 20


def test_topk_never_makes_a_dense_matrix_of_codes(tmp_path, monkeypatch):
    sae = load_sae(saved(tmp_path, "topk"), "cpu")
    monkeypatch.setattr(type(sae.module), "encode", None)
    with torch.inference_mode():
        assert len(sae.encode(torch.from_numpy(inputs())).token) > 0


def test_few_codes_and_many_codes_decode_alike(tmp_path):
    sae = load_sae(saved(tmp_path, "standard"), "cpu")
    rng = np.random.default_rng(0)
    for share in (0.0, 0.01, 0.05, 0.2, 1.0):
        dense = np.where(rng.random((20, D_SAE)) < share, rng.random((20, D_SAE)), 0).astype(np.float32)
        token, feature = dense.nonzero()
        codes = SparseCodes(*map(torch.from_numpy, (token, feature, dense[token, feature])))
        expected = dense @ sae.vectors()[0] + sae.module.b_dec.detach().numpy()
        np.testing.assert_allclose(sae.decode(codes, 20).detach().numpy(), expected, atol=1e-5)


def test_a_batch_without_tokens_has_no_codes(tmp_path, subtests):
    for kind in KINDS:
        with subtests.test(kind), torch.inference_mode():
            sae = load_sae(saved(tmp_path / kind, kind), "cpu")
            codes = sae.encode(torch.zeros(0, D_IN))
            assert len(codes.token) == 0
            assert sae.decode(codes, 0).shape == (0, D_IN)


@pytest.mark.parametrize("kind", KINDS)
def test_a_decoder_row_of_zeros_never_fires_and_harms_no_other(tmp_path, kind):
    from safetensors.numpy import save_file

    folder, file = saved(tmp_path, kind), tmp_path / "sae_weights.safetensors"
    weights = load_file(file)
    weights["W_dec"][3] = 0
    save_file(weights, file)
    x = inputs()
    sae = load_sae(folder, "cpu")
    with torch.inference_mode():
        codes = sae.encode(torch.from_numpy(x))
        decoded = sae.decode(codes, len(x)).numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        (expected, _), norms = forward(folder, x)
    expected = np.nan_to_num(expected)
    assert 3 not in codes.feature
    dense = np.zeros_like(expected)
    dense[codes.token, codes.feature] = codes.activation
    np.testing.assert_allclose(dense, expected * norms, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(decoded, expected @ weights["W_dec"] + weights["b_dec"], atol=1e-4)


def test_what_the_cfg_says_of_the_model_is_at_hand(tmp_path):
    from sae_lens.saes.sae import SAEMetadata

    said = {
        "model_name": "gpt2-small",
        "model_class_name": "HookedTransformer",
        "model_from_pretrained_kwargs": {"center_writing_weights": True},
        "dataset_path": "openwebtext",
    }
    sae: Sae = load_sae(saved(tmp_path / "a", "standard", metadata=SAEMetadata(**said)), "cpu")
    assert (sae.model_name, sae.model_class, sae.dataset_path) == ("gpt2-small", "HookedTransformer", "openwebtext")
    assert (sae.model_kwargs, sae.centred) == ({"center_writing_weights": True}, True)
    bare = load_sae(saved(tmp_path / "b", "standard"), "cpu")
    assert (bare.model_name, bare.model_class, bare.dataset_path, bare.model_kwargs) == (None, None, None, {})


@pytest.mark.real
def test_the_real_saes_give_the_codes_of_saelens(shared_data, subtests):
    from sae_lens import SAE

    for folder in sorted((shared_data / "saes").iterdir()):
        with subtests.test(folder.name), torch.inference_mode():
            sae, module = load_sae(str(folder), "cpu"), SAE.load_from_disk(folder)
            x = torch.from_numpy(inputs(500, sae.d_in))
            codes, dense = sae.encode(x), module.encode(x)
            mine = torch.zeros_like(dense).index_put((codes.token, codes.feature), codes.activation)
            torch.testing.assert_close(mine, dense, rtol=1e-5, atol=1e-5)
            torch.testing.assert_close(sae.decode(codes, 500), module.decode(dense), rtol=1e-5, atol=1e-5)
