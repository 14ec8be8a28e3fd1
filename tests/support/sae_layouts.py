"""Small SAEs written to the disk as other projects write them, and what those projects' own code computes, in NumPy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

D_IN, D_SAE, K = 12, 40, 5
Arrays = dict[str, np.ndarray]
Coded = tuple[np.ndarray, np.ndarray]
"""Codes (tokens, d_sae) as the format gives them, and reconstructions (tokens, d_in)."""


def random_arrays(seed: int, **shapes: tuple[int, ...]) -> Arrays:
    """Random float32 arrays by name."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def inputs(n: int = 30, d_in: int = D_IN, seed: int = 9) -> np.ndarray:
    """Activations (tokens, d_in), not centred."""
    return (np.random.default_rng(seed).normal(size=(n, d_in)) * 2 + 0.5).astype(np.float32)


def tensors(arrays: Arrays) -> dict[str, torch.Tensor]:
    """The same as tensors that own their memory."""
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}


def write_sparsify(folder: Path, *, d_in: int = D_IN, d_sae: int = D_SAE, seed: int = 0, **cfg) -> Arrays:
    """A folder as `SparseCoder.save_to_disk` of sparsify writes it; decoder rows are not of unit norm."""
    shapes = {"encoder.weight": (d_sae, d_in), "encoder.bias": (d_sae,), "W_dec": (d_sae, d_in), "b_dec": (d_in,)}
    arrays = random_arrays(seed, **shapes)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors(arrays), folder / "sae.safetensors")
    facts = {
        "activation": "topk",
        "expansion_factor": 32,
        "normalize_decoder": True,
        "num_latents": 0,
        "k": K,
        "multi_topk": False,
        "skip_connection": False,
        "transcode": False,
        "d_in": d_in,
    }
    (folder / "cfg.json").write_text(json.dumps({**facts, **cfg}))
    return arrays


def run_sparsify(w: Arrays, x: np.ndarray, k: int = K) -> Coded:
    """`encode` subtracts b_dec and takes the k largest of relu(linear); `decode` sums rows of W_dec."""
    codes = keep_top(relu((x - w["b_dec"]) @ w["encoder.weight"].T + w["encoder.bias"]), k)
    return codes, codes @ w["W_dec"] + w["b_dec"]


def relu(x: np.ndarray) -> np.ndarray:
    """Values below zero are zero."""
    return np.maximum(x, 0)


def keep_top(x: np.ndarray, k: int) -> np.ndarray:
    """All but the k largest of a row are zero."""
    kept = np.zeros_like(x)
    top = np.argsort(-x, axis=1)[:, :k]
    np.put_along_axis(kept, top, np.take_along_axis(x, top, axis=1), axis=1)
    return kept


_LINEAR = {"encoder.weight": (D_SAE, D_IN), "encoder.bias": (D_SAE,), "decoder.weight": (D_IN, D_SAE)}
_PLAIN = {"W_enc": (D_IN, D_SAE), "b_enc": (D_SAE,), "W_dec": (D_SAE, D_IN), "b_dec": (D_IN,)}
_GATED = {
    "decoder_bias": (D_IN,),
    "r_mag": (D_SAE,),
    "gate_bias": (D_SAE,),
    "mag_bias": (D_SAE,),
    "encoder.weight": (D_SAE, D_IN),
    "decoder.weight": (D_IN, D_SAE),
}
_SHAPES = {
    "AutoEncoder": {"bias": (D_IN,), **_LINEAR},
    "AutoEncoderNew": {**_LINEAR, "decoder.bias": (D_IN,)},
    "GatedAutoEncoder": _GATED,
    "JumpReluAutoEncoder": {**_PLAIN, "threshold": (D_SAE,)},
    "AutoEncoderTopK": {"b_dec": (D_IN,), **_LINEAR},
    "BatchTopKSAE": {"b_dec": (D_IN,), **_LINEAR},
    "MatryoshkaBatchTopKSAE": _PLAIN,
}
DICTIONARIES = tuple(_SHAPES)
"""Classes of dictionary_learning."""


def write_dictionary(folder: Path, kind: str, *, seed: int = 1, file: str = "ae.pt", **trainer) -> Arrays:
    """A folder as `trainSAE` of dictionary_learning leaves it: config.json and the state dict in ae.pt."""
    arrays = random_arrays(seed, **_SHAPES[kind])
    if kind == "JumpReluAutoEncoder":
        arrays["threshold"] = np.abs(arrays["threshold"]) * 2
    if "TopK" in kind:
        arrays["k"] = np.array(K, np.int32)
        arrays["threshold"] = np.array(-1.0 if kind == "AutoEncoderTopK" else 2.5, np.float32)
    if kind.startswith("Matryoshka"):
        arrays["group_sizes"] = np.array([8, 12, 20])
    state = tensors(arrays)
    for key in ("k", "threshold"):
        if key in arrays and arrays[key].ndim == 0:
            state[key] = state[key].reshape(())
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, folder / file)
    facts = {
        "dict_class": kind,
        "trainer_class": "Trainer",
        "activation_dim": D_IN,
        "dict_size": D_SAE,
        "layer": 3,
        "lm_name": "EleutherAI/pythia-70m-deduped",
        "submodule_name": "resid_post_layer_3",
        **({"k": K} if "TopK" in kind else {}),
    }
    buffer = {"d_submodule": D_IN, "io": "out", "ctx_len": 128, "device": "cuda:0"}
    (folder / "config.json").write_text(json.dumps({"trainer": {**facts, **trainer}, "buffer": buffer}))
    return arrays


def run_dictionary(kind: str, w: Arrays, x: np.ndarray) -> Coded:
    """`encode` and `decode` of each class; where `encode` multiplies by decoder norms, codes are taken before that."""
    if kind == "AutoEncoder":
        codes = relu((x - w["bias"]) @ w["encoder.weight"].T + w["encoder.bias"])
        return codes, codes @ w["decoder.weight"].T + w["bias"]
    if kind == "AutoEncoderNew":
        codes = relu(x @ w["encoder.weight"].T + w["encoder.bias"])
        return codes, codes @ w["decoder.weight"].T + w["decoder.bias"]
    if kind == "GatedAutoEncoder":
        encoded = (x - w["decoder_bias"]) @ w["encoder.weight"].T
        open_ = encoded + w["gate_bias"] > 0
        codes = open_ * relu(np.exp(w["r_mag"]) * encoded + w["mag_bias"])
        return codes, codes @ w["decoder.weight"].T + w["decoder_bias"]
    if kind == "JumpReluAutoEncoder":
        pre = x @ w["W_enc"] + w["b_enc"]
        codes = relu(pre * (pre > w["threshold"]))
        return codes, codes @ w["W_dec"] + w["b_dec"]
    if kind == "MatryoshkaBatchTopKSAE":
        post = relu((x - w["b_dec"]) @ w["W_enc"] + w["b_enc"])
        codes = post * (post > w["threshold"])
        return codes, codes @ w["W_dec"] + w["b_dec"]
    post = relu((x - w["b_dec"]) @ w["encoder.weight"].T + w["encoder.bias"])
    codes = keep_top(post, int(w["k"])) if kind == "AutoEncoderTopK" else post * (post > w["threshold"])
    return codes, codes @ w["decoder.weight"].T + w["b_dec"]


def decoder_norms(w: Arrays) -> np.ndarray:
    """Norms of the decoder rows, wherever the format keeps them."""
    rows = w["W_dec"] if "W_dec" in w else w["decoder.weight"].T
    return np.linalg.norm(rows.astype(np.float64), axis=1)


def check_codes(sae, coded: Coded, norms: np.ndarray, x: np.ndarray) -> None:
    """The SAE's codes are the format's, times the norms of the decoder rows; its reconstructions are the format's."""
    with torch.inference_mode():
        codes = sae.encode(torch.from_numpy(x))
        decoded = sae.decode(codes, len(x)).numpy()
    assert np.all(codes.activation.numpy() > 0)
    place = codes.token.numpy() * sae.d_sae + codes.feature.numpy()
    assert np.all(np.diff(place) > 0)
    dense = np.zeros((len(x), sae.d_sae))
    dense[codes.token.numpy(), codes.feature.numpy()] = codes.activation.numpy()
    expected = coded[0] * norms
    assert 0 < np.count_nonzero(expected) < expected.size
    np.testing.assert_array_equal(dense > 0, expected > 0)
    np.testing.assert_allclose(dense, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(decoded, coded[1], rtol=1e-5, atol=1e-5 * max(1.0, np.abs(coded[1]).max()))
