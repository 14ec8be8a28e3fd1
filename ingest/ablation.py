"""What a feature does to the model's next tokens: their log probability with the feature taken out, less that with it.

Source: Bricken et al. 2023, "Towards Monosemanticity", feature ablations: run to the hook, x <- x - f_i(x) d_i on every
token, finish. Special tokens (BOS, EOS) are left as they are, as in a scan. The chance level takes a random direction
of norm 1 in the place of the decoder row. The rest of the input of the SAE stays as it is, its error included.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from atlas.catalog.corpora import corpus_named
from atlas.catalog.saes import sae_named
from atlas.db import Atlas, open_atlas
from atlas.db.runs import add_run, command_line, utc_now
from atlas.errors import AtlasError, UsageError
from atlas.references import FeatureRef
from ingest.running.loss import can_replace
from ingest.sources.models.classes import agreed_model
from ingest.sources.models.model import Model, default_device, load_model
from ingest.sources.saes.sae import Sae, load_sae

_LOGIT_BYTES = 256 << 20

Progress = Callable[[int, int], object]
Facts = dict[str, Any]


def ablate(
    db: Path,
    features: Sequence[FeatureRef],
    *,
    corpus: str | None = None,
    contexts: int = 10,
    seed: int = 0,
    wait: float = 0,
    on_progress: Progress = lambda done, total: None,
) -> int:
    """Measure what removing features does in their strongest contexts, and store it; what is there is not done again.

    Args:
        db: The atlas.
        features: With full names of SAEs, or aliases.
        corpus: Name of a corpus; None takes the newest scan of each SAE.
        contexts: Strongest contexts of each feature, at most.
        seed: Of the random directions.
        wait: Seconds to wait for a locked atlas.
        on_progress: Called as `on_progress(done, total)` over features.

    Returns:
        Features that were measured now.

    Raises:
        AtlasError: The model or an SAE is not where it was, or is another one; or the hook cannot be replaced.
        UnknownName: There is no such SAE.
        UsageError: An SAE has no such feature.
    """
    started_at = utc_now()
    with open_atlas(db, wait=wait) as atlas:
        wanted = [(_facts(atlas, ref, corpus), ref.feature_id) for ref in dict.fromkeys(features)]
        open_ = [(facts, feature, _contexts(atlas, facts, feature, contexts)) for facts, feature in wanted]
    to_do = [(facts, feature, rows) for facts, feature, rows in open_ if not all(row["done"] for row in rows)]
    loaded: dict[str, tuple[Model, Sae]] = {}
    found = []
    for i, (facts, feature, rows) in enumerate(to_do):
        if facts["name"] not in loaded:
            loaded = {facts["name"]: _load(facts)}
        effects = _measured(*loaded[facts["name"]], facts, feature, rows, seed)
        found.append((facts, feature, rows, effects))
        on_progress(i + 1, len(to_do))
    if found:
        with open_atlas(db, write=True, wait=wait) as atlas, atlas.transaction():
            asked = [f"{facts['name']}:{feature}" for facts, feature, _, _ in found]
            spec = {"ablation": asked, "contexts": contexts, "seed": seed}
            run_id = add_run(atlas, spec, started_at, command=command_line(), packages=("torch",))
            for each in found:
                _write(atlas, run_id, *each)
    return len(found)


def _facts(atlas: Atlas, ref: FeatureRef, corpus: str | None) -> Facts:
    """The scan of a feature."""
    if corpus is not None:
        corpus_named(atlas, corpus)
    rows = atlas.fetch("studies/ablation_source", sae=sae_named(atlas, ref.sae), corpus=corpus).dicts()
    if not rows:
        raise AtlasError(f"{ref.sae} was not measured{f' on {corpus}' if corpus else ''}", hint="featlas ls scans")
    if ref.feature_id >= rows[0]["d_sae"]:
        raise UsageError(f"{ref.sae} has no feature {ref.feature_id}", why=f"it has {rows[0]['d_sae']:,}, from 0")
    return {**rows[0], "spec": json.loads(rows[0]["spec"])}


def _contexts(atlas: Atlas, facts: Facts, feature: int, most: int) -> list[Facts]:
    return atlas.fetch("studies/ablation_contexts", scan_id=facts["scan_id"], feature_id=feature, most=most).dicts()


def _load(facts: Facts) -> tuple[Model, Sae]:
    """The model and the SAE of a scan, the same ones."""
    device, hook = default_device(), facts["hook_name"]
    sae = load_sae(facts["source"], device, name=facts["name"], hook=hook)
    model_class, options = agreed_model([sae], facts["model"])
    dtype = facts["spec"].get("dtype", "float32")
    model = load_model(facts["model"], device, model_class=model_class, dtype=dtype, model_kwargs=options)
    for what, now, then in (
        ("the SAE", sae.sha256, facts["sha256"]),
        ("the model", model.sha256, facts["model_sha256"]),
    ):
        if now != then:
            raise AtlasError(f"{what} of {facts['name']} is not the one that was measured", hint="ingest it again")
    if not can_replace(model, hook):
        raise AtlasError(f"nothing can be taken out at {hook}", why="the rest of the model does not read it there")
    return model, sae


def _measured(
    model: Model, sae: Sae, facts: Facts, feature: int, rows: Sequence[Facts], seed: int
) -> list[tuple[list[float | None], list[float | None]]]:
    """For each context, the effects on the tokens of its window: of the feature, and of a random direction."""
    rng = np.random.Generator(np.random.PCG64([seed, feature]))
    drawn = rng.normal(size=sae.d_in)
    row = sae.module.W_dec[feature].detach()
    random = torch.from_numpy(drawn / np.linalg.norm(drawn)).to(row)
    n = max(1, _LOGIT_BYTES // (4 * max(len(r["token_ids"]) for r in rows) * int(model.module.cfg.d_vocab)))
    found: dict[int, tuple[np.ndarray, ...]] = {}
    lengths = sorted({len(r["token_ids"]) for r in rows})
    for same in ([r for r in rows if len(r["token_ids"]) == length] for length in lengths):
        for begin in range(0, len(same), n):
            batch = same[begin : begin + n]
            for r, pair in zip(batch, effects_of(model, sae, facts, batch, feature, (row, random)), strict=True):
                found[r["rank"]] = pair
    return [(_window(r, found[r["rank"]][0]), _window(r, found[r["rank"]][1])) for r in rows]


def effects_of(
    model: Model, sae: Sae, facts: Facts, batch: Sequence[Facts], feature: int, directions: Sequence[torch.Tensor]
) -> list[tuple[np.ndarray, ...]]:
    """Change of the log probability of every token when a feature is taken out, for contexts of one length.

    Args:
        model: The SAE's.
        sae: Of the feature.
        facts: The hook and how it is centred, of the scan.
        batch: Contexts, with `token_ids` and `documents` (below 0 for special tokens).
        feature: Index in the SAE.
        directions: (d_in,) each: what is taken out, times the activation; the decoder row for the feature itself.

    Returns:
        For each context one (length,) float64 a direction, NaN for the first token.
    """
    ids = torch.tensor([row["token_ids"] for row in batch], device=model.device)
    counted = torch.tensor([row["documents"] for row in batch], device=model.device) >= 0
    centred = facts["spec"].get("centred", False)

    def without(direction: torch.Tensor) -> Callable[..., torch.Tensor]:
        def replace(x: torch.Tensor, hook: Any) -> torch.Tensor:
            flat = x.flatten(2).clone()
            read = flat[counted].float()
            codes = sae.encode(read - read.mean(dim=1, keepdim=True) if centred else read)
            of = codes.feature == feature
            taken = torch.zeros_like(read)
            taken[codes.token[of]] = codes.activation[of, None] * direction
            flat[counted] = (read - (taken if codes.scale is None else taken * codes.scale)).to(flat.dtype)
            return flat.reshape(x.shape)

        return replace

    with torch.inference_mode():
        clean = _log_p(model, ids, [])
        changed = [_log_p(model, ids, [(facts["hook_name"], without(d))]) - clean for d in directions]
    lead = np.full((len(batch), 1), np.nan)
    whole = [np.hstack([lead, change.cpu().numpy()]) for change in changed]
    return [tuple(part[i] for part in whole) for i in range(len(batch))]


def _log_p(model: Model, ids: torch.Tensor, hooks: list[Any]) -> torch.Tensor:
    """(contexts, length - 1) float64: log probability of every token but the first."""
    logits = model.module.run_with_hooks(ids, return_type="logits", fwd_hooks=hooks)[:, :-1]
    return torch.log_softmax(logits.double(), dim=-1).gather(-1, ids[:, 1:, None]).squeeze(-1)


def _window(row: Facts, effects: np.ndarray) -> list[float | None]:
    """The effects on the tokens of a window; None on special tokens and on the first of the context."""
    places = range(row["start"], row["start"] + row["length"])
    return [float(effects[p]) if p and row["documents"][p] >= 0 else None for p in places]


def _write(
    atlas: Atlas,
    run_id: int,
    facts: Facts,
    feature: int,
    rows: Sequence[Facts],
    effects: Sequence[tuple[list[float | None], list[float | None]]],
) -> None:
    """Replace what is stored of one feature."""
    of = {"scan_id": facts["scan_id"], "feature_id": feature}
    atlas.rows("delete from ablation where scan_id = $scan_id and feature_id = $feature_id", **of)
    named = {name: [row[name] for row in rows] for name in ("rank", "context_id", "position", "start")}
    columns = {name: [value] * len(rows) for name, value in {**of, "run_id": run_id}.items()}
    both = {"effects": [pair[0] for pair in effects], "chance": [pair[1] for pair in effects]}
    atlas.insert("ablation", {**columns, **named, **both})
