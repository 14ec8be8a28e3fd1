"""The sparse autoencoders: trained by SAELens on activations from TransformerLens, saved as SAELens folders."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import torch
from sae_lens import (
    StandardTrainingSAE,
    StandardTrainingSAEConfig,
    TopKTrainingSAE,
    TopKTrainingSAEConfig,
)
from sae_lens.config import LoggingConfig, SAETrainerConfig
from sae_lens.saes.sae import SAEMetadata
from sae_lens.training.sae_trainer import SAETrainer
from safetensors.torch import load_file, save_file
from transformer_lens.model_bridge import TransformerBridge

from bench.toy.language import Say, contexts, shuffled
from bench.toy.profile import CONTEXT_LENGTH, SAE_TEXT_SEED, Profile, SaeSpec

BATCH = 1024
FORWARD_CONTEXTS = 32
TOKENS_PER_DOCUMENT = 45
"""Fewer than any style has on average, so that enough documents are written."""


def load_model(folder: Path) -> TransformerBridge:
    """A built model as a reader would load it, in float32."""
    return TransformerBridge.boot_transformers(str(folder), device="cpu", dtype=torch.float32)


@torch.no_grad()
def residual(model: TransformerBridge, rows: torch.Tensor, hook_name: str, layer: int) -> torch.Tensor:
    """Activations at one hook for every token but the first of each context, (tokens, d_model)."""
    blocks = []
    for batch in rows.split(FORWARD_CONTEXTS):
        _, cache = model.run_with_cache(batch, names_filter=[hook_name], stop_at_layer=layer + 1)
        blocks.append(cache[hook_name][:, 1:].flatten(0, 1))
    return torch.cat(blocks)


def training_activations(model: TransformerBridge, spec: SaeSpec, profile: Profile) -> torch.Tensor:
    """The activations that SAEs on this layer and this style of text learn from."""
    n_documents = profile.sae_tokens // TOKENS_PER_DOCUMENT
    rows = contexts(model.tokenizer, spec.style, SAE_TEXT_SEED, n_documents)
    return residual(model, rows[: profile.sae_tokens // (CONTEXT_LENGTH - 1)], spec.hook_name, spec.layer)


def train_sae(spec: SaeSpec, activations: torch.Tensor, say: Say) -> StandardTrainingSAE | TopKTrainingSAE:
    """Train one SAE; equal specs and activations give equal weights on one machine."""
    torch.manual_seed(spec.seed)
    sae = _new_sae(spec, activations.shape[1])
    config = SAETrainerConfig(
        total_training_samples=spec.n_steps * BATCH,
        train_batch_size_samples=BATCH,
        lr=1e-3,
        lr_end=1e-4,
        lr_warm_up_steps=min(50, spec.n_steps // 4),
        lr_decay_steps=spec.n_steps // 4,
        device="cpu",
        dead_feature_window=150,
        feature_sampling_window=500,
        logger=LoggingConfig(log_to_wandb=False),
        n_batches_for_norm_estimate=20,
    )
    batches = _counted(shuffled(activations, BATCH, spec.seed), spec, say)
    SAETrainer(cfg=config, sae=sae, data_provider=batches).fit()
    return sae


def save_sae(sae: StandardTrainingSAE | TopKTrainingSAE, folder: Path) -> None:
    """Write a SAELens folder, weights in fp16; `cfg.json` says float32, which is what SAELens then loads them as."""
    weights, config = sae.save_inference_model(folder)
    save_file({name: weight.half().contiguous() for name, weight in load_file(weights).items()}, weights)
    config.write_text(json.dumps(json.loads(config.read_text()), indent=2, sort_keys=True) + "\n")


def _new_sae(spec: SaeSpec, d_in: int) -> StandardTrainingSAE | TopKTrainingSAE:
    metadata = SAEMetadata(
        model_name=spec.model,
        hook_name=spec.hook_name,
        context_size=CONTEXT_LENGTH,
        prepend_bos=True,
        seed=spec.seed,
        style=spec.style,
    )
    if spec.architecture == "topk":
        return TopKTrainingSAE(
            TopKTrainingSAEConfig(
                d_in=d_in,
                d_sae=spec.d_sae,
                k=spec.k,
                normalize_activations="expected_average_only_in",
                metadata=metadata,
            )
        )
    return StandardTrainingSAE(
        StandardTrainingSAEConfig(
            d_in=d_in,
            d_sae=spec.d_sae,
            l1_coefficient=spec.l1_coefficient,
            l1_warm_up_steps=min(200, spec.n_steps // 4),
            normalize_activations="expected_average_only_in",
            metadata=metadata,
        )
    )


def _counted(batches: Iterator[torch.Tensor], spec: SaeSpec, say: Say) -> Iterator[torch.Tensor]:
    for n, batch in enumerate(batches):
        if n and n % 500 == 0:
            say(f"{spec.name}: step {n} of {spec.n_steps}")
        yield batch
