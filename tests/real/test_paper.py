"""Claims of docs/paper.md about real SAEs: what one layer too early and codes before the top-k selection do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

pytestmark = pytest.mark.real

SIDES = ("stories260k", "llama2xs")
LAYER = 2
CONTEXTS, LENGTH = 96, 128


class Codes(NamedTuple):
    """What one SAE makes of one layer."""

    before: np.ndarray
    """(tokens, d_sae) activations before the top-k selection."""

    after: np.ndarray
    """(tokens, d_sae) activations after it."""

    fvu: float
    """Unexplained share of the variance."""


@pytest.fixture(scope="module")
def tokens(shared_data):
    """(contexts, length) token ids of TinyStories."""
    import torch
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(shared_data / "models" / SIDES[0])
    stories = (shared_data / "text" / "tinystories.txt").read_text(encoding="utf-8").split("<|endoftext|>")[:200]
    ids = [i for story in stories for i in tokenizer(story, add_special_tokens=False)["input_ids"]]
    return torch.tensor(ids[: CONTEXTS * LENGTH]).reshape(CONTEXTS, LENGTH)


@pytest.fixture(scope="module")
def codes(shared_data: Path, tokens) -> dict[tuple[str, int], Codes]:
    """(model, index of hidden_states) -> codes of its SAE on the output of block 2."""
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    found = {}
    for side in SIDES:
        folder = shared_data / "saes" / f"{side}_L{LAYER}_topk256k8_s0"
        w, cfg = load_file(folder / "sae_weights.safetensors"), json.loads((folder / "cfg.json").read_text())
        model = AutoModelForCausalLM.from_pretrained(shared_data / "models" / side)
        with torch.inference_mode():
            states = model(tokens, output_hidden_states=True).hidden_states
        for index in (LAYER, LAYER + 1):
            x = states[index][:, 1:].reshape(-1, states[index].shape[-1])
            before = torch.relu((x - w["b_dec"] * cfg["apply_b_dec_to_input"]) @ w["W_enc"] + w["b_enc"])
            values, chosen = before.topk(cfg["k"], dim=-1)
            after = torch.zeros_like(before).scatter_(1, chosen, values)
            missed = x - (after @ w["W_dec"] + w["b_dec"])
            fvu = float((missed**2).sum() / ((x - x.mean(dim=0)) ** 2).sum())
            found[side, index] = Codes(before.double().numpy(), after.double().numpy(), fvu)
    return found


def best(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Best partner and its correlation, of every feature of A."""
    with np.errstate(invalid="ignore"):
        r = np.nan_to_num(np.corrcoef(a.T, b.T)[: a.shape[1], a.shape[1] :], nan=-1.0)
    return r.argmax(axis=1), r.max(axis=1)


@pytest.mark.parametrize(("side", "least"), [("stories260k", 1.7), ("llama2xs", 5.0)])
def test_a_real_sae_explains_much_less_one_layer_too_early(codes, side, least):
    assert codes[side, LAYER].fvu > least * codes[side, LAYER + 1].fvu


def test_codes_before_the_top_k_selection_are_denser_and_find_other_partners(codes):
    a, b = (codes[side, LAYER + 1] for side in SIDES)
    assert np.mean(a.before > 0) > 3 * np.mean(a.after > 0)
    (partner_before, r_before), (partner_after, r_after) = best(a.before, b.before), best(a.after, b.after)
    alive = a.after.any(axis=0)
    changed = np.mean((partner_before != partner_after)[alive])
    assert 0.02 < changed < 0.4
    assert np.median(np.abs(r_before - r_after)[alive]) > 0.005
