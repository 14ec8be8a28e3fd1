"""Claims about logit weights: they are what the decoder row does to the logits of the raw model, whatever its norm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ingest.running.logits import LogitWeights, logit_weights
from ingest.sources.models.model import load_model
from tests.support.hub_cache import GPT2, NEOX, lay_cache, run_offline, save_tiny, snapshot

HOOK, N_WORDS = "blocks.1.hook_resid_post", 18
FAMILIES = [
    ("llama", {}),
    ("llama", {"tie_word_embeddings": True}),
    ("gemma", {}),
    ("gpt2", {}),
    ("gpt2", {"tie_word_embeddings": False}),
    ("neox", {}),
    ("neox", {"hidden_size": 15, "num_attention_heads": 3, "rotary_pct": 0.5}),
]


def decoder(d_model: int, d_sae: int = 40) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(d_sae, d_model)).astype(np.float32)


def raw_model(folder: Path) -> Any:
    """The model by transformers alone, in float64."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder).double().eval()


def final_norm(model: Any) -> Any:
    base: Any = model.base_model
    return next(getattr(base, name) for name in ("norm", "final_layer_norm", "ln_f") if hasattr(base, name))


def expected(model, w_dec: np.ndarray, n_words: int) -> np.ndarray:
    """(d_sae, n_words) float64: unembedding of the rows scaled as the family's norm does, from the stored weights."""
    norm, rows = final_norm(model), w_dec.astype(np.float64)
    gamma = norm.weight.detach().numpy()
    if isinstance(norm, torch.nn.LayerNorm):
        rows = rows - rows.mean(axis=1, keepdims=True)
    elif "Gemma" in type(norm).__name__:
        gamma = 1 + gamma
    return (rows * gamma) @ model.get_output_embeddings().weight.detach().numpy()[:n_words].T


def assert_describes(got: LogitWeights, logits: np.ndarray, k: int) -> None:
    away = logits - logits.mean(axis=1, keepdims=True)
    std = np.sqrt((away**2).mean(axis=1))
    np.testing.assert_allclose(got.mean, logits.mean(axis=1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(got.std, std, rtol=1e-5)
    np.testing.assert_allclose(got.skew, (away**3).mean(axis=1) / std**3, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(got.kurtosis, (away**4).mean(axis=1) / std**4, rtol=1e-5)
    ordered = np.sort(logits, axis=1)
    for ids, values, want in (
        (got.top_ids, got.top_logits, ordered[:, ::-1][:, :k]),
        (got.bottom_ids, got.bottom_logits, ordered[:, :k]),
    ):
        np.testing.assert_allclose(values, want, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(np.take_along_axis(logits, ids.astype(np.int64), 1), want, rtol=1e-4, atol=1e-5)
        assert all(len(set(row)) == k for row in ids.tolist())


@pytest.mark.parametrize(("kind", "changes"), FAMILIES)
def test_they_are_the_rows_through_norm_and_unembedding_of_the_raw_model(tmp_path, kind, changes):
    folder = save_tiny(tmp_path / "model", kind, **changes)
    model = load_model(str(folder), "cpu")
    w_dec = decoder(model.d_model)
    got = logit_weights(model, w_dec, HOOK, k=5)
    assert got is not None
    assert_describes(got, expected(raw_model(folder), w_dec, N_WORDS), 5)


@pytest.mark.parametrize(("kind", "changes"), FAMILIES)
def test_they_are_the_linear_response_of_the_logits(tmp_path, kind, changes):
    """Added to the last residual across its own direction, a row moves the logits by its weights over the norm's size."""
    folder = save_tiny(tmp_path / "model", kind, **changes)
    raw, model = raw_model(folder), load_model(str(folder), "cpu")
    ids = torch.tensor([[0, 3, 4, 5, 6]])
    seen = []
    handle = final_norm(raw).register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    with torch.inference_mode():
        before = raw(ids).logits[0, -1]
        handle.remove()
        x = seen[0][0, -1]
        row = torch.from_numpy(decoder(model.d_model, 1)[0]).double()
        is_layer_norm = isinstance(final_norm(raw), torch.nn.LayerNorm)
        if is_layer_norm:
            x, row = x - x.mean(), row - row.mean()
        row = row - x * (row @ x) / (x @ x)
        final_norm(raw).register_forward_pre_hook(lambda _, args: (args[0] + 1e-4 * row,))
        moved = (raw(ids).logits[0, -1] - before) / 1e-4 * x.square().mean().sqrt()
    got = logit_weights(model, row.numpy()[None].astype(np.float32), HOOK, k=N_WORDS)
    assert got is not None
    want = np.take_along_axis(moved.numpy()[None], got.top_ids.astype(np.int64), 1)
    np.testing.assert_allclose(got.top_logits, want, atol=2e-3 * float(np.abs(want).max()))


CODE = """
import json, sys
import numpy as np
from ingest.running.logits import logit_weights
from ingest.sources.models.model import load_model
w_dec, out = np.load(sys.argv[1]), {}
for name in sys.argv[3:]:
    for kind in ("TransformerBridge", "HookedTransformer"):
        for options in ({}, {"fold_ln": True}):
            model = load_model(name, "cpu", model_class=kind, model_kwargs=options)
            got = logit_weights(model, w_dec, "blocks.1.hook_resid_post", k=18)
            for field in ("mean", "std", "skew", "kurtosis", "top_ids", "top_logits", "bottom_ids", "bottom_logits"):
                out[f"{name} {kind} {json.dumps(options)} {field}"] = getattr(got, field)
np.savez(sys.argv[2], **out)
"""


@pytest.fixture(scope="module")
def by_class(tmp_path_factory) -> tuple[Path, dict[str, np.ndarray]]:
    home = lay_cache(tmp_path_factory.mktemp("home"))
    np.save(home / "rows.npy", decoder(16))
    done = run_offline(home, CODE, str(home / "rows.npy"), str(home / "out.npz"), NEOX, GPT2)
    assert done.returncode == 0, done.stderr
    return home, dict(np.load(home / "out.npz"))


@pytest.mark.parametrize("name", [NEOX, GPT2])
@pytest.mark.parametrize("kind", ["TransformerBridge", "HookedTransformer"])
@pytest.mark.parametrize("options", [{}, {"fold_ln": True}], ids=["raw", "folded"])
def test_neither_the_class_nor_a_folded_norm_changes_them(by_class, name, kind, options):
    home, arrays = by_class
    prefix = f"{name} {kind} {json.dumps(options)} "
    got = LogitWeights(**{key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)})
    logits = expected(raw_model(snapshot(home, name)), decoder(16), N_WORDS)
    if options:  # folding takes the mean over the width out of the unembedding, which a centred row does not see
        np.testing.assert_allclose(got.mean, logits.mean(axis=1), atol=1e-5)
    assert_describes(got, logits, N_WORDS)


@pytest.mark.real
def test_they_are_those_of_a_real_model(shared_data):
    folder = shared_data / "models" / "stories260k"
    w_dec = decoder(64, 300)
    got = logit_weights(load_model(str(folder), "cpu"), w_dec, HOOK)
    assert got is not None
    assert_describes(got, expected(raw_model(folder), w_dec, 512), 20)


@pytest.mark.parametrize("hook", ["blocks.1.mlp.hook_post", "blocks.1.attn.hook_z", "blocks.1.ln2.hook_normalized"])
def test_what_is_not_in_the_residual_stream_has_none(tmp_path, hook):
    model = load_model(str(save_tiny(tmp_path / "model", "neox")), "cpu")
    assert logit_weights(model, decoder(16), hook) is None


def test_without_a_final_norm_they_are_the_rows_through_the_unembedding(tmp_path):
    folder = save_tiny(tmp_path / "model", "opt", do_layer_norm_before=False)
    got = logit_weights(load_model(str(folder), "cpu"), decoder(16), HOOK, k=4)
    assert got is not None
    unembedding = raw_model(folder).get_output_embeddings().weight.detach().numpy()[:N_WORDS]
    assert_describes(got, decoder(16).astype(np.float64) @ unembedding.T, 4)


def test_a_model_that_projects_before_it_unembeds_has_none(tmp_path):
    model = load_model(str(save_tiny(tmp_path / "model", "opt", word_embed_proj_dim=8)), "cpu")
    assert logit_weights(model, decoder(16), HOOK) is None


def test_the_block_size_changes_nothing(tmp_path, monkeypatch):
    model = load_model(str(save_tiny(tmp_path / "model", "gpt2")), "cpu")
    whole = logit_weights(model, decoder(16), HOOK)
    monkeypatch.setattr("ingest.running.logits._BLOCK_BYTES", 1)
    by_row = logit_weights(model, decoder(16), HOOK)
    assert whole is not None
    assert by_row is not None
    np.testing.assert_array_equal(whole.top_ids, by_row.top_ids)
    np.testing.assert_allclose(whole.kurtosis, by_row.kurtosis, rtol=1e-5)


def test_a_row_of_zeros_has_no_shape_and_its_ends_are_the_first_tokens(tmp_path):
    model = load_model(str(save_tiny(tmp_path / "model", "llama")), "cpu")
    got = logit_weights(model, np.zeros((1, 16), np.float32), HOOK, k=3)
    assert got is not None
    assert (got.mean[0], got.std[0]) == (0, 0)
    assert np.isnan([got.skew[0], got.kurtosis[0]]).all()
    assert got.top_ids.tolist() == got.bottom_ids.tolist() == [[0, 1, 2]]


def test_tokens_that_share_the_last_place_are_taken_by_id(tmp_path):
    folder = save_tiny(tmp_path / "model", "llama")
    model = load_model(str(folder), "cpu")
    with torch.no_grad():
        model.module.W_U[:, 4:12] = model.module.W_U[:, 4:5]
    w_dec = decoder(16, 400)
    got = logit_weights(model, w_dec, HOOK, k=3)
    assert got is not None
    has_twins = np.isin(got.top_ids, np.arange(4, 12))
    assert has_twins.any()
    for ids, twins in zip(got.top_ids, has_twins, strict=True):
        assert ids[twins].tolist() == [4, 5, 6][: twins.sum()]
