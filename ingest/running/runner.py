"""Runs a model once over a corpus and every SAE over what the model computes, shard by shard."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from atlas.errors import AtlasError
from ingest.accumulate.codes import Codes
from ingest.accumulate.residuals import Inputs, Residuals
from ingest.shards.pieces import Shard
from ingest.shards.store import ShardStore
from ingest.sources.models.model import Model
from ingest.sources.saes.codes import SparseCodes
from ingest.sources.saes.sae import Sae
from ingest.sources.tokens.contexts import Contexts

Progress = Callable[[int, int], None]


class NotFinite(AtlasError):
    """An activation that is not finite, or below zero: the scan stops, and nothing of it is kept."""

    sae: str | None = None
    """SAE that gave it; None if the model did."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One SAE that is to be measured, and where its shards go."""

    sae: Sae
    """The SAE."""
    hook: str
    """Point of the model that it reads."""
    centred: bool
    """Whether the mean over the width is taken out of the activations, as centring the model's weights would."""
    store: ShardStore
    """Where its shards go."""


@dataclass(slots=True)
class Gathered:
    """Codes of one SAE over the batches of one shard so far."""

    residuals: Residuals
    """Sums for the fraction of variance unexplained."""
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    """Feature, token and activation of each batch, by token."""


def measure(
    model: Model,
    missing: Sequence[tuple[Measurement, Collection[Shard]]],
    contexts: Contexts,
    *,
    batch_size: int,
    on_progress: Progress,
    on_shard: Callable[[], None],
) -> None:
    """Make every shard that is missing; one forward pass feeds all SAEs.

    Args:
        model: Runs on the contexts.
        missing: SAEs of this model, each with the shards that it lacks.
        contexts: The corpus.
        batch_size: Contexts in one forward pass.
        on_progress: Called as `on_progress(tokens_done, tokens_in_all)`, counting missing shards only.
        on_shard: Called when a shard is on the disk.

    Raises:
        NotFinite: The model or an SAE gave something that is not a number.
    """
    shards = sorted({shard for _, lacking in missing for shard in lacking}, key=lambda shard: shard.number)
    to_do, done = sum(shard.n_tokens for shard in shards), 0
    if to_do:
        on_progress(0, to_do)
    for shard in shards:
        here = [measurement for measurement, lacking in missing if shard in lacking]
        gathered = [Gathered(Residuals.none(m.sae.d_in)) for m in here]
        for begin, end in batches(contexts, shard.begin, shard.end, batch_size):
            read_batch(model, here, contexts, begin, end, shard.first_token, gathered)
            on_progress(done + int(contexts.first_token[end] - shard.first_token), to_do)
        tokens = contexts.token_map(shard.begin, shard.end)
        for measurement, got in zip(here, gathered, strict=True):
            feature, token, activation = (np.concatenate(part) for part in zip(*got.parts, strict=True))
            got.parts.clear()
            codes = Codes.of(measurement.sae.d_sae, feature, token, activation)
            measurement.store.put(shard, codes, tokens, got.residuals)
        done += shard.n_tokens
        on_shard()


def batches(contexts: Contexts, first: int, last: int, batch_size: int) -> Iterator[tuple[int, int]]:
    """Runs of at most `batch_size` of the contexts [first, last), of equal length, so that nothing is padded."""
    lengths = np.diff(contexts.offsets[first : last + 1])
    begin = first
    while begin < last:
        end = begin + 1
        while end < min(last, begin + batch_size) and lengths[end - first] == lengths[begin - first]:
            end += 1
        yield begin, end
        begin = end


def read_batch(
    model: Model,
    measurements: Sequence[Measurement],
    contexts: Contexts,
    begin: int,
    end: int,
    first_token: int,
    gathered: Sequence[Gathered],
) -> None:
    """Run the model over contexts [begin, end) and add every SAE's codes of the counted tokens to `gathered`."""
    hooks = sorted({m.hook for m in measurements})
    counted = torch.from_numpy(np.flatnonzero(contexts.counted(begin, end))).to(model.device)
    activations = model.run(contexts.tokens(begin, end), hooks)
    offset = int(contexts.first_token[begin]) - first_token
    with torch.inference_mode():
        for hook, centred in sorted({(m.hook, m.centred) for m in measurements}):
            x = activations[hook].flatten(0, 1)[counted].float()
            _require_finite(x, f"model's activations at {hook}", contexts, begin)
            x = x - x.mean(dim=1, keepdim=True) if centred else x
            read = x.cpu().numpy()
            inputs = Inputs.of(read)
            for measurement, into in zip(measurements, gathered, strict=True):
                if (measurement.hook, measurement.centred) == (hook, centred):
                    codes = measurement.sae.encode(x)
                    into.parts.append(_sparse(codes, offset, measurement.sae.name, contexts, begin))
                    decoded = measurement.sae.decode(codes, len(x))
                    _require_finite(
                        decoded, f"reconstructions of {measurement.sae.name}", contexts, begin, measurement.sae.name
                    )
                    into.residuals = into.residuals.merge(Residuals.of(read, decoded.cpu().numpy(), inputs))


def _sparse(
    codes: SparseCodes, offset: int, name: str, contexts: Contexts, begin: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Feature, token and activation of what is not zero, by token; `offset` is the number of the first token."""
    token, feature, activation = codes.token, codes.feature, codes.activation
    bad = ~torch.isfinite(activation) | (activation < 0)
    if bool(bad.any()):
        wrong = int(bad.nonzero()[0, 0])
        value, context = float(activation[wrong]), _context_of(contexts, begin, int(token[wrong]))
        raise _not_finite(
            name,
            f"the SAE {name} gives {value:g} for feature {int(feature[wrong])} in context {context}",
            why="featlas measures activations that are finite and not below zero",
        )
    return (
        feature.to(torch.int32).cpu().numpy(),
        (token + offset).to(torch.int32).cpu().numpy(),
        activation.float().cpu().numpy(),
    )


def _not_finite(sae: str | None, what: str, why: str | None = None) -> NotFinite:
    error = NotFinite(what, why=why)
    error.sae = sae
    return error


def _require_finite(x: torch.Tensor, what: str, contexts: Contexts, begin: int, sae: str | None = None) -> None:
    """Raise if a model or an SAE gave something that is not a number."""
    if not bool(torch.isfinite(x).all()):
        row = int((~torch.isfinite(x)).any(dim=1).nonzero()[0, 0])
        context = _context_of(contexts, begin, row)
        raise _not_finite(sae, f"the {what} are not finite in context {context}")


def _context_of(contexts: Contexts, begin: int, row: int) -> int:
    """Context of the counted token `row`, counted from the first of context `begin`."""
    return int(np.searchsorted(contexts.first_token, contexts.first_token[begin] + row, side="right")) - 1
