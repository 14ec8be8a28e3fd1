"""Logit weights: how much each feature, read off the residual stream, raises every token of the vocabulary.

The decoder row goes through the final norm's scale and the unembedding, as if nothing else stood in the residual
stream: W_U' (gamma * d), for LayerNorm with the mean over d taken out first. What this leaves out: later blocks, the
size that the norm divides by, biases, and caps or factors that some models put on their logits.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ingest.shards.files import write_whole
from ingest.sources.models.model import Model, is_written

TOP_LOGITS = 20
"""Tokens kept at either end of a feature's logit weights."""

_BLOCK_BYTES = 128 << 20
_BYTES_PER_ENTRY = 3 * 4
# The moments read each entry many times: rows that fit into the cache are eight times as fast as a whole block.
_CACHE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class LogitWeights:
    """Logit weights of the features of one SAE, over the tokens that tokenizer and unembedding both have."""

    mean: np.ndarray
    """(d_sae,) float64: mean over the vocabulary, in logits per unit of the decoder row."""
    std: np.ndarray
    """(d_sae,) float64: standard deviation over the vocabulary (population)."""
    skew: np.ndarray
    """(d_sae,) float64: skewness over the vocabulary; NaN where std is 0."""
    kurtosis: np.ndarray
    """(d_sae,) float64: kurtosis over the vocabulary, 3 for a normal distribution; NaN where std is 0."""
    top_ids: np.ndarray
    """(d_sae, k) int32: token ids with the largest weights, largest first, ties by id."""
    top_logits: np.ndarray
    """(d_sae, k) float32: their weights."""
    bottom_ids: np.ndarray
    """(d_sae, k) int32: token ids with the smallest weights, smallest first, ties by id."""
    bottom_logits: np.ndarray
    """(d_sae, k) float32: their weights."""


def logit_weights(model: Model, w_dec: np.ndarray, hook: str, *, k: int = TOP_LOGITS) -> LogitWeights | None:
    """Logit weights of every feature, computed in blocks of features on the model's device.

    Args:
        model: The SAE's.
        w_dec: (d_sae, d_in) decoder rows as they are used.
        hook: Point of the model whose activations are the input of the SAE.
        k: Tokens to keep at either end; fewer if the vocabulary is smaller.

    Returns:
        None if what is at the hook is not in the residual stream, or the model does not unembed the residual stream
        through a norm and a matrix.
    """
    read_off = _read_off(model)
    if not is_written(hook) or read_off is None or read_off[0].shape[0] != w_dec.shape[1]:
        return None
    unembedding, scale, centres = read_off
    n_vocab = unembedding.shape[1]
    n_rows = max(1, _BLOCK_BYTES // (_BYTES_PER_ENTRY * n_vocab))
    parts = []
    with torch.inference_mode():
        for begin in range(0, len(w_dec), n_rows):
            rows = torch.from_numpy(w_dec[begin : begin + n_rows]).to(scale.device).double()
            if centres:
                rows = rows - rows.mean(dim=1, keepdim=True)
            parts.append(_block((rows * scale).float() @ unembedding, min(k, n_vocab)))
    return LogitWeights(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def folded_unembedding(model: Model) -> np.ndarray | None:
    """What turns a decoder row into its logit weights: (vocabulary, d_model) float32, one token a row.

    Returns:
        None if the model does not unembed the residual stream through a norm and a matrix.
    """
    read_off = _read_off(model)
    if read_off is None:
        return None
    unembedding, scale, centres = read_off
    with torch.inference_mode():
        rows = unembedding.T * scale.float()
        if centres:
            rows = rows - rows.mean(dim=1, keepdim=True)
        return np.ascontiguousarray(rows.cpu().numpy())


def keep_unembedding(model: Model, store: Path) -> None:
    """Write what `folded_unembedding` gives into the store, once a model: measures between features need it.

    Raises:
        AtlasError: There is no room.
    """
    path = store / f"unembedding-{model.sha256[:12]}.npy"
    if not path.is_file() and (rows := folded_unembedding(model)) is not None:
        write_whole(path, lambda to: np.save(to, rows, allow_pickle=False))


def _read_off(model: Model) -> tuple[torch.Tensor, torch.Tensor, bool] | None:
    """Unembedding (d_model, vocabulary), scale of the final norm, and whether that takes the mean out."""
    unembedding = getattr(model.module, "W_U", None)
    if unembedding is None:
        return None
    with torch.inference_mode():
        norm = _final_norm(getattr(model.module, "ln_final", None), unembedding)
        n_vocab = min(len(model.words.texts), unembedding.shape[1])
        return None if norm is None else (unembedding[:, :n_vocab].float(), *norm)


def _final_norm(norm: Any, like: torch.Tensor) -> tuple[torch.Tensor, bool] | None:
    """Scale of the final norm, (d_model,) float64, and whether it takes the mean out; None for other norms.

    Both are read off what it does, so that it does not matter how a library stores them: as gamma, as gamma - 1, or
    folded into the unembedding.
    """
    d_model = like.shape[0]
    if getattr(norm, "original_component", norm) is None or isinstance(norm, torch.nn.Identity):
        return torch.ones(d_model, dtype=torch.float64, device=like.device), False
    # No mean, no entry at zero, and a mean square far above any epsilon.
    x = 64.0 * (1 - 2 * (torch.arange(d_model, device=like.device) % 2)).double()
    x = x - x.mean()
    raised, lowered, doubled, shifted = norm(torch.stack([x, -x, 2 * x, x + 64])[None].to(like.dtype))[0].double()
    if not _close(raised, doubled):
        return None
    return (raised - lowered) / 2 / (x / x.square().mean().sqrt()), _close(raised, shifted)


def _close(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.allclose(a, b, rtol=1e-2, atol=1e-2)


def _block(logits: torch.Tensor, k: int) -> tuple[np.ndarray, ...]:
    """Moments and both ends of each row of logits (features, vocabulary), in the order of `LogitWeights`."""
    n_rows = max(1, _CACHE_BYTES // (8 * logits.shape[1]))
    moments = torch.cat([_moments(rows) for rows in logits.split(n_rows)], dim=1)
    return *moments.cpu().numpy(), *_end(logits, k, largest=True), *_end(logits, k, largest=False)


def _moments(logits: torch.Tensor) -> torch.Tensor:
    """(4, features) float64: mean, standard deviation, skewness and kurtosis of each row."""
    away = logits.double()
    mean = away.mean(dim=1)
    away -= mean[:, None]
    squares = away * away
    variance = squares.mean(dim=1)
    third = torch.linalg.vecdot(squares, away) / away.shape[1]
    fourth = torch.linalg.vecdot(squares, squares) / away.shape[1]
    return torch.stack([mean, variance.sqrt(), third / variance**1.5, fourth / variance**2])


def _end(logits: torch.Tensor, k: int, *, largest: bool) -> tuple[np.ndarray, np.ndarray]:
    """Ids and values of the k largest or smallest of each row, outermost first, ties by id."""
    values, ids = logits.topk(min(k + 1, logits.shape[1]), dim=1, largest=largest)
    if values.shape[1] > k:
        tied = values[:, k - 1] == values[:, k]
        values, ids = values[:, :k], ids[:, :k]
        if bool(tied.any()):  # topk takes any of those that share the last place
            ordered, order = logits[tied].sort(dim=1, descending=largest, stable=True)
            values[tied], ids[tied] = ordered[:, :k], order[:, :k]
    by_id = ids.argsort(dim=1)
    order = by_id.gather(1, values.gather(1, by_id).argsort(dim=1, descending=largest, stable=True))
    return ids.gather(1, order).to(torch.int32).cpu().numpy(), values.gather(1, order).cpu().numpy()
