"""Loss recovered: how much of what a hook tells the rest of the model an SAE's reconstruction tells it too.

Cross-entropy of the model as it is, with the reconstruction spliced in at the hook, and with zeros there, on contexts
spread evenly over the corpus. Positions of special tokens (BOS, EOS) keep their own activations in both, and special
tokens are not counted as predictions; SAELens and SAEBench put zeros at these positions too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ingest.running.runner import Measurement
from ingest.sources.models.classes import BRIDGE
from ingest.sources.models.model import Model
from ingest.sources.saes.sae import Sae
from ingest.sources.tokens.contexts import Contexts

LOSS_TOKENS = 16_384
"""Predicted tokens on which the loss is taken, at most."""

_LOGIT_BYTES = 256 << 20

Change = Callable[[torch.Tensor], torch.Tensor]
"""From activations (tokens, width) in float32 to their replacement."""


@dataclass(frozen=True, slots=True)
class LossRecovered:
    """Loss of a model with one SAE spliced in, and the two losses that it is judged by."""

    n_tokens: int
    """Predicted tokens."""
    clean: float
    """Cross-entropy of the model as it is, in nats per predicted token."""
    spliced: float
    """Cross-entropy with the SAE's reconstruction at its hook."""
    ablated: float
    """Cross-entropy with zeros at that hook."""

    @property
    def recovered(self) -> float | None:
        """(ablated - spliced) / (ablated - clean): 1 for a perfect SAE; None if zeros do no harm either."""
        harm = self.ablated - self.clean
        return (self.ablated - self.spliced) / harm if harm > 0 else None


def losses(
    model: Model,
    measurements: Sequence[Measurement],
    contexts: Contexts,
    *,
    batch_size: int,
    n_tokens: int = LOSS_TOKENS,
) -> list[LossRecovered | None]:
    """Loss recovered by each SAE; the clean pass serves all of them, the ablated pass all of one hook.

    Args:
        model: The SAEs'.
        measurements: SAEs with hook and centring.
        contexts: The corpus.
        batch_size: Contexts in one forward pass, fewer where their logits would not fit; changes no more than the last
            float bits.
        n_tokens: Predicted tokens to take, at most; a first context that is longer is taken whole.

    Returns:
        One for each measurement, in their order; None where the hook cannot be replaced, no token is predicted or a
        loss is not finite.
    """
    numbers, n_predicted = sample(contexts, n_tokens)
    able = [n_predicted > 0 and can_replace(model, m.hook) for m in measurements]
    replaced = [m for m, can_be in zip(measurements, able, strict=True) if can_be]
    hooks = list(dict.fromkeys(m.hook for m in replaced))
    passes: list[tuple[str | None, Change]] = [(hook, torch.zeros_like) for hook in (None, *hooks)]
    passes += [(m.hook, _splice(m)) for m in replaced]
    sums = np.zeros((len(passes), len(numbers)))
    batches = list(_batches(model, contexts, numbers, batch_size)) if replaced else []
    with torch.inference_mode():
        for row, (hook, change) in enumerate(passes):
            # A hook is put on once for all batches: TransformerLens takes as long for it as a small model for a batch.
            at = _Replaced(change)
            with model.module.hooks(fwd_hooks=[] if hook is None else [(hook, at)]):
                for places in batches:
                    sums[row, places] = _sums(model, contexts, numbers[places], at)
    means = (sums.sum(axis=1) / max(n_predicted, 1)).tolist()
    clean, ablated = means[0], dict(zip(hooks, means[1:], strict=False))
    spliced = iter(means[1 + len(hooks) :])
    return [
        _finite(LossRecovered(n_predicted, clean, next(spliced), ablated[m.hook])) if can_be else None
        for m, can_be in zip(measurements, able, strict=True)
    ]


def _finite(loss: LossRecovered) -> LossRecovered | None:
    return loss if np.isfinite([loss.clean, loss.spliced, loss.ablated]).all() else None


def can_replace(model: Model, hook: str) -> bool:
    # The bridge's resid_mid is the input of the second norm: the residual stream itself goes by.
    return not (model.model_class == BRIDGE and hook.endswith("hook_resid_mid"))


def reconstruct(sae: Sae, x: torch.Tensor, *, centred: bool) -> torch.Tensor:
    """What an SAE makes of activations (tokens, d_in), the mean that it does not see put back."""
    mean = x.mean(dim=1, keepdim=True) if centred else torch.zeros_like(x[:, :1])
    return sae.decode(sae.encode(x - mean), len(x)) + mean


def sample(contexts: Contexts, n_tokens: int) -> tuple[np.ndarray, int]:
    """Numbers of contexts spread evenly over the corpus, and how many tokens are predicted in them.

    Args:
        contexts: The corpus.
        n_tokens: Predicted tokens to take, at most; one context is taken at least.
    """
    # The first token of a context is predicted from nothing, so it is not counted.
    predicted = np.diff(contexts.first_token) - (contexts.documents[contexts.offsets[:-1]] >= 0)
    n_all = contexts.n_contexts
    n = min(n_all, max(1, n_all * n_tokens // max(1, int(predicted.sum()))))
    while True:
        numbers = (2 * np.arange(n) + 1) * n_all // (2 * n)
        total = int(predicted[numbers].sum())
        if total <= n_tokens or n == 1:
            return numbers, total
        n -= 1 + n // 64


def _batches(model: Model, contexts: Contexts, numbers: np.ndarray, batch_size: int) -> Iterator[np.ndarray]:
    """Places in `numbers` of contexts of one length, few enough that their logits are of bounded size."""
    lengths = np.diff(contexts.offsets)[numbers]
    for length in np.unique(lengths):
        fitting = _LOGIT_BYTES // (4 * int(length) * int(model.module.cfg.d_vocab))
        n = max(1, min(batch_size, fitting))
        places = np.flatnonzero(lengths == length)
        yield from (places[begin : begin + n] for begin in range(0, len(places), n))


def _splice(measurement: Measurement) -> Change:
    return lambda x: reconstruct(measurement.sae, x, centred=measurement.centred)


class _Replaced:
    """A hook function: a change of the activations of the counted tokens."""

    def __init__(self, change: Change) -> None:
        self.change = change
        self.where = torch.empty(0)

    def __call__(self, x: torch.Tensor, hook: Any) -> torch.Tensor:
        flat = x.flatten(2).clone()
        flat[self.where] = self.change(flat[self.where].float()).to(flat.dtype)
        return flat.reshape(x.shape)


def _sums(model: Model, contexts: Contexts, numbers: np.ndarray, at: _Replaced) -> np.ndarray:
    """(contexts,) float64: cross-entropy of the counted tokens of each of these contexts, which are equally long."""
    ids = torch.from_numpy(np.concatenate([contexts.tokens(c, c + 1) for c in numbers])).to(model.device)
    counted = np.stack([contexts.counted(c, c + 1) for c in numbers])
    at.where = where = torch.from_numpy(counted).to(model.device)
    logits = model.module(ids, return_type="logits")
    sums = [
        torch.nn.functional.cross_entropy(row[:-1][kept].float(), target[kept], reduction="none").double().sum()
        for row, target, kept in zip(logits, ids[:, 1:], where[:, 1:], strict=True)
    ]
    return torch.stack(sums).cpu().numpy()
