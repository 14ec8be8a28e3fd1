"""Claims about loss recovered: it is what transformers gives when a forward hook puts the reconstruction in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ingest.running.loss import losses, sample
from ingest.running.runner import Measurement
from ingest.shards.store import ShardStore
from ingest.sources.models.model import load_model
from ingest.sources.saes.sae import load_sae
from ingest.sources.tokens.contexts import Contexts, cut
from tests.support.hub_cache import save_tiny

HOOK = "blocks.1.hook_resid_post"
LETTERS = "abcdefghijklmnop"


def save_sae(folder: Path, seed: int = 0, d_in: int = 16) -> Path:
    """A random SAE that reconstructs something, but badly."""
    from sae_lens import StandardSAE, StandardSAEConfig

    torch.manual_seed(seed)
    sae = StandardSAE(StandardSAEConfig(d_in=d_in, d_sae=40, apply_b_dec_to_input=False))
    with torch.no_grad():
        sae.W_enc.normal_()
        sae.W_dec.normal_(std=0.2)
        sae.b_enc.fill_(-0.2)
    sae.save_model(folder)
    return folder


def measurement(folder: Path, hook: str = HOOK, *, centred: bool = False) -> Measurement:
    return Measurement(load_sae(str(folder), "cpu", hook=hook), hook, centred, ShardStore(folder / "store", False))


def contexts_of(model, n_texts: int = 30, *, length: int = 8, bos: bool = True) -> Contexts:
    texts = [" ".join(LETTERS[(i * k + k * k) % 16] for k in range(3 + i % 13)) for i in range(n_texts)]
    return cut(texts, model.tokenizer, model.words, context_length=length, prepend_bos=bos)


def codes_by_hand(folder: Path, x: torch.Tensor) -> torch.Tensor:
    """Reconstruction of a standard SAE from the numbers in its file."""
    from safetensors.torch import load_file

    w = load_file(folder / "sae_weights.safetensors")
    return torch.relu(x @ w["W_enc"] + w["b_enc"]) @ w["W_dec"] + w["b_dec"]


def by_transformers(
    model_folder: Path, contexts: Contexts, numbers, change=None, layer: int = 1, *, before=False
) -> float:
    """Mean loss of the counted tokens, context by context, with `change` on the output (or input) of a block."""
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32, attn_implementation="eager")
    block = list(getattr(model.base_model, "layers", None) or model.base_model.h)[layer]
    total, n, kept = 0.0, 0, torch.zeros(0, dtype=torch.bool)

    def put(x: torch.Tensor) -> torch.Tensor:
        assert change is not None
        return torch.where(kept[None, :, None], change(x), x)

    def after(_, __, out):
        return put(out) if isinstance(out, torch.Tensor) else (put(out[0]), *out[1:])

    if change is not None and before:
        block.register_forward_pre_hook(lambda _, args: (put(args[0]), *args[1:]))
    elif change is not None:
        block.register_forward_hook(after)
    for number in numbers:
        ids = torch.from_numpy(contexts.tokens(number, number + 1))
        kept = torch.from_numpy(contexts.counted(number, number + 1))
        with torch.inference_mode():
            logs = model(ids, use_cache=False).logits[0].double().log_softmax(-1)
        for position in range(1, ids.shape[1]):
            if kept[position]:
                total, n = total - float(logs[position - 1, ids[0, position]]), n + 1
    return total / n


@pytest.fixture(scope="module", params=["gpt2", "llama"])
def tiny(request, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    save_tiny(folder / "model", request.param)
    save_sae(folder / "one", 1)
    save_sae(folder / "two", 2)
    return folder


def test_the_three_losses_are_those_of_forward_hooks(tiny):
    model = load_model(str(tiny / "model"), "cpu")
    contexts = contexts_of(model)
    found = losses(model, [measurement(tiny / "one"), measurement(tiny / "two")], contexts, batch_size=4)
    every = range(contexts.n_contexts)
    for got, name in zip(found, ("one", "two"), strict=True):
        assert got is not None
        folder = tiny / name
        assert got.n_tokens == contexts.n_tokens
        assert got.clean == pytest.approx(by_transformers(tiny / "model", contexts, every), abs=1e-5)
        spliced = by_transformers(tiny / "model", contexts, every, lambda x, folder=folder: codes_by_hand(folder, x))
        assert got.spliced == pytest.approx(spliced, abs=1e-5)
        assert got.ablated == pytest.approx(
            by_transformers(tiny / "model", contexts, every, torch.zeros_like), abs=1e-5
        )
        assert abs(got.spliced - got.clean) > 1e-3


def test_the_input_of_a_block_is_replaced_too(tiny):
    model = load_model(str(tiny / "model"), "cpu")
    contexts = contexts_of(model)
    [got] = losses(model, [measurement(tiny / "one", "blocks.2.hook_resid_pre")], contexts, batch_size=4)
    assert got is not None
    want = by_transformers(
        tiny / "model",
        contexts,
        range(contexts.n_contexts),
        lambda x: codes_by_hand(tiny / "one", x),
        layer=2,
        before=True,
    )
    assert got.spliced == pytest.approx(want, abs=1e-5)


def test_a_centred_sae_gets_its_mean_back(tiny):
    model = load_model(str(tiny / "model"), "cpu")
    contexts = contexts_of(model)

    def change(x: torch.Tensor) -> torch.Tensor:
        mean = x.mean(dim=-1, keepdim=True)
        return codes_by_hand(tiny / "one", x - mean) + mean

    [got] = losses(model, [measurement(tiny / "one", centred=True)], contexts, batch_size=4)
    assert got is not None
    assert got.spliced == pytest.approx(
        by_transformers(tiny / "model", contexts, range(contexts.n_contexts), change), abs=1e-5
    )


def test_special_tokens_inside_a_context_are_neither_predicted_nor_replaced(tiny):
    model = load_model(str(tiny / "model"), "cpu")
    contexts = contexts_of(model, bos=False)
    inside = np.delete(contexts.token_ids, contexts.offsets[:-1])
    assert (inside == 0).any()
    [got] = losses(model, [measurement(tiny / "one")], contexts, batch_size=4)
    assert got is not None
    starts = contexts.documents[contexts.offsets[:-1]] >= 0
    assert got.n_tokens == contexts.n_tokens - starts.sum()
    change, every = (lambda x: codes_by_hand(tiny / "one", x)), range(contexts.n_contexts)
    assert got.spliced == pytest.approx(by_transformers(tiny / "model", contexts, every, change), abs=1e-5)


def test_the_batch_size_changes_nothing(tiny):
    model = load_model(str(tiny / "model"), "cpu")
    contexts = contexts_of(model)
    [one], [many] = (losses(model, [measurement(tiny / "one")], contexts, batch_size=n, n_tokens=60) for n in (1, 7))
    assert one is not None
    assert many is not None
    assert one.n_tokens == many.n_tokens <= 60
    np.testing.assert_allclose(
        [one.clean, one.spliced, one.ablated], [many.clean, many.spliced, many.ablated], rtol=1e-6
    )


def test_many_saes_at_many_hooks_are_each_as_if_alone(tiny):
    model, hooks = load_model(str(tiny / "model"), "cpu"), ("blocks.0.hook_resid_post", HOOK)
    contexts = contexts_of(model)
    together = [measurement(tiny / name, hook) for hook in hooks for name in ("one", "two")]
    alone = [losses(model, [each], contexts, batch_size=8)[0] for each in together]
    assert losses(model, together, contexts, batch_size=8) == alone
    assert len({found.spliced for found in alone if found}) == 4


def test_a_hook_that_the_residual_stream_goes_by_has_none(tiny):
    model = load_model(str(tiny / "model"), "cpu")
    found = losses(
        model,
        [measurement(tiny / "one", "blocks.1.hook_resid_mid"), measurement(tiny / "one")],
        contexts_of(model),
        batch_size=8,
    )
    assert found[0] is None
    assert found[1] is not None


def test_a_text_of_one_token_predicts_nothing(tiny):
    model = load_model(str(tiny / "model"), "cpu")
    contexts = cut(["a"], model.tokenizer, model.words, context_length=8, prepend_bos=False)
    assert losses(model, [measurement(tiny / "one")], contexts, batch_size=8) == [None]


def test_the_sample_is_spread_evenly_and_never_too_large(tiny):
    model = load_model(str(tiny / "model"), "cpu")
    contexts = contexts_of(model, 200)
    for n_tokens in (1, 7, 50, 500, 10**9):
        numbers, total = sample(contexts, n_tokens)
        counts = np.diff(contexts.first_token)[numbers]
        assert total == counts.sum()
        assert total <= max(n_tokens, counts[0])
        assert np.all(np.diff(numbers) > 0)
        gaps = np.diff(numbers)
        assert len(gaps) == 0 or gaps.max() - gaps.min() <= 1
    assert len(numbers) == contexts.n_contexts


@pytest.mark.real
def test_a_real_sae_recovers_nearly_all_of_the_loss(shared_data):
    folder, name = shared_data / "models" / "stories260k", "stories260k_L2_topk1024_s0"
    hook = "blocks.2.hook_resid_post"
    model = load_model(str(folder), "cpu")
    text = (shared_data / "text" / "tinystories.txt").read_text()[:60_000].split("<|endoftext|>")
    contexts = cut(text, model.tokenizer, model.words, context_length=128, prepend_bos=True)
    sae = load_sae(str(shared_data / "saes" / name), "cpu", hook=hook)
    [got] = losses(
        model, [Measurement(sae, hook, False, ShardStore(folder, False))], contexts, batch_size=16, n_tokens=4000
    )
    assert got is not None
    assert 1.2 < got.clean < 2.2
    assert got.recovered is not None
    assert 0.9 < got.recovered < 1
    from sae_lens import SAE

    module = SAE.load_from_disk(shared_data / "saes" / name, device="cpu")
    numbers, total = sample(contexts, 4000)
    assert got.n_tokens == total
    spliced = by_transformers(folder, contexts, numbers, lambda x: module.decode(module.encode(x)), layer=2)
    assert got.spliced == pytest.approx(spliced, abs=2e-5)
    assert got.clean == pytest.approx(by_transformers(folder, contexts, numbers), abs=2e-5)
    assert got.ablated == pytest.approx(by_transformers(folder, contexts, numbers, torch.zeros_like, layer=2), abs=2e-5)
