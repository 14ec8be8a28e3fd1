"""How good a built model or SAE is, measured on text that none of them saw, from the files as they are shipped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from sae_lens import SAE
from transformer_lens.model_bridge import TransformerBridge

from bench.toy.dictionary import FORWARD_CONTEXTS, load_model, residual
from bench.toy.language import contexts
from bench.toy.profile import CONTEXT_LENGTH, QUALITY_TEXT_SEED, Profile, SaeSpec

Replace = Callable[[torch.Tensor], torch.Tensor]
Quality = dict[str, float | int | None]


def held_out(model: TransformerBridge, profile: Profile) -> torch.Tensor:
    """The contexts that quality is measured on: mixed text, whatever the SAE was trained on."""
    rows = contexts(model.tokenizer, "mixed", QUALITY_TEXT_SEED, profile.quality_contexts * CONTEXT_LENGTH // 30)
    return rows[: profile.quality_contexts]


def model_quality(folder: Path, profile: Profile) -> Quality:
    """`val_loss`: mean loss of the next token on held-out text, in nats."""
    model = load_model(folder)
    return {"val_loss": round(_loss(model, held_out(model, profile)), 4)}


@torch.no_grad()
def sae_quality(folder: Path, model: TransformerBridge, spec: SaeSpec, profile: Profile) -> Quality:
    """What the SAE keeps of the residual stream, and how sparsely.

    `explained_variance`: of the residual stream, in (-inf, 1]. `l0`: features that fire, mean over tokens. `dead`:
    features that fire on none of the held-out tokens. `ce_recovered`: 1 when the model's loss is as low with the
    reconstruction in place of the residual stream, 0 when as high as with zeros; None where zeros cost less than a nat.
    """
    sae = SAE.load_from_disk(folder, device="cpu", dtype="float32")
    rows = held_out(model, profile)
    x = residual(model, rows, spec.hook_name, spec.layer)
    features = sae.encode(x)
    error = (x - sae.decode(features)).pow(2).sum() / (x - x.mean(0)).pow(2).sum()
    fired = features > 0
    clean, zero = _loss(model, rows), _loss(model, rows, spec.hook_name, torch.zeros_like)
    spliced = _loss(model, rows, spec.hook_name, lambda found: sae.decode(sae.encode(found)))
    return {
        "explained_variance": round(1 - error.item(), 4),
        "l0": round(fired.sum(1).float().mean().item(), 3),
        "dead": int((~fired.any(0)).sum()),
        "ce_recovered": round((zero - spliced) / (zero - clean), 4) if zero - clean > 1 else None,
    }


@torch.no_grad()
def _loss(model: TransformerBridge, rows: torch.Tensor, hook_name: str = "", replace: Replace | None = None) -> float:
    """Mean loss over `rows`, with the residual stream replaced at every token but the first when `replace` is given."""

    def splice(value: torch.Tensor, hook: object) -> torch.Tensor:
        assert replace is not None
        return torch.cat([value[:, :1], replace(value[:, 1:])], dim=1)

    losses = [
        model.run_with_hooks(batch, return_type="loss", fwd_hooks=[(hook_name, splice)] if replace else []).item()
        * len(batch)
        for batch in rows.split(FORWARD_CONTEXTS)
    ]
    return sum(losses) / len(rows)
