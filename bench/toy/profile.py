"""What the built-in models and SAEs are made of: frozen specs, and the two profiles that a build can follow."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from ingest.toy.corpus import Style

CONTEXT_LENGTH = 128
"""Tokens of one context, `<|endoftext|>` in front included."""

LM_TEXT_SEED, SAE_TEXT_SEED, QUALITY_TEXT_SEED = 1, 2, 99
"""Seeds of the text that the models learn from, the SAEs learn from, and quality is measured on."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One GPT-NeoX language model."""

    name: str
    d_model: int
    n_layers: int
    n_heads: int
    seed: int
    """Seed of the weights and of the order of the text."""
    n_steps: int
    """Optimizer steps of 16 contexts; 0 leaves the random weights."""


@dataclass(frozen=True, slots=True)
class SaeSpec:
    """One sparse autoencoder on `blocks.{layer}.hook_resid_post` of a model."""

    name: str
    model: str
    layer: int
    d_sae: int
    seed: int
    n_steps: int
    """Optimizer steps of 1024 activations."""
    architecture: str = "standard"
    """"standard" (L1 penalty) or "topk"."""
    l1_coefficient: float = 2.0
    """Of the standard architecture."""
    k: int = 8
    """Active features per token, of the topk architecture."""
    style: Style = "mixed"
    """Style of the text that it learns from."""

    @property
    def hook_name(self) -> str:
        """Where it reads the model."""
        return f"blocks.{self.layer}.hook_resid_post"


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything one build makes."""

    name: str
    vocabulary: int
    """Tokens of the shared tokenizer, 256 bytes and one special token included."""
    lm_documents: int
    """Documents that tokenizer and models learn from."""
    sae_tokens: int
    """Activations that each SAE learns from; it sees them several times."""
    quality_contexts: int
    """Contexts of held-out text that quality is measured on."""
    models: tuple[ModelSpec, ...]
    saes: tuple[SaeSpec, ...]

    def model(self, name: str) -> ModelSpec:
        """The model of this name."""
        return next(spec for spec in self.models if spec.name == name)


def spec_hash(*parts: object) -> str:
    """12 hex digits that change when any part does; parts are strings or specs."""
    plain = [part if isinstance(part, str) else asdict(part) for part in parts]  # pyright: ignore[reportArgumentType]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]


FULL = Profile(
    name="full",
    vocabulary=2048,
    lm_documents=33_000,
    sae_tokens=600_000,
    quality_contexts=240,
    models=(
        ModelSpec("tinyB", d_model=96, n_layers=3, n_heads=4, seed=1, n_steps=1000),
        ModelSpec("tinyA", d_model=64, n_layers=4, n_heads=4, seed=0, n_steps=1000),
        ModelSpec("untrainedA", d_model=64, n_layers=4, n_heads=4, seed=7, n_steps=0),
    ),
    saes=(
        SaeSpec("tinyA_L1_w1024_s0", "tinyA", 1, 1024, seed=0, n_steps=2500),
        SaeSpec("tinyA_L1_w512_s0", "tinyA", 1, 512, seed=0, n_steps=2500),
        SaeSpec("tinyA_L1_w512_s1", "tinyA", 1, 512, seed=1, n_steps=2500),
        SaeSpec("tinyA_L1_topk512_s0", "tinyA", 1, 512, seed=0, n_steps=2500, architecture="topk"),
        SaeSpec("tinyA_L2_w512_s0", "tinyA", 2, 512, seed=0, n_steps=2500),
        SaeSpec("tinyA_L3_w512_s0", "tinyA", 3, 512, seed=0, n_steps=2500),
        SaeSpec("tinyA_L1_w512_stories_s0", "tinyA", 1, 512, seed=0, n_steps=2500, style="stories"),
        SaeSpec("tinyA_L1_w512_almanac_s0", "tinyA", 1, 512, seed=0, n_steps=2500, style="almanac"),
        SaeSpec("tinyB_L1_w1024_s0", "tinyB", 1, 1024, seed=0, n_steps=2500),
        SaeSpec("tinyB_L1_w512_s0", "tinyB", 1, 512, seed=0, n_steps=2500),
        SaeSpec("tinyB_L0_w512_s0", "tinyB", 0, 512, seed=0, n_steps=2500),
        SaeSpec("tinyB_L2_w512_s0", "tinyB", 2, 512, seed=0, n_steps=2500),
        SaeSpec("untrainedA_L1_w1024_s0", "untrainedA", 1, 1024, seed=0, n_steps=2500),
    ),
)
"""What is shipped: about 14 CPU-minutes."""

SMALLEST = Profile(
    name="smallest",
    vocabulary=512,
    lm_documents=600,
    sae_tokens=4_000,
    quality_contexts=8,
    models=(ModelSpec("tinyA", d_model=16, n_layers=2, n_heads=2, seed=0, n_steps=12),),
    saes=(
        SaeSpec("tinyA_L1_w32_s0", "tinyA", 1, 32, seed=0, n_steps=20),
        SaeSpec("tinyA_L1_topk32_s0", "tinyA", 1, 32, seed=0, n_steps=20, architecture="topk", k=4),
    ),
)
"""The same way in a few seconds, for the tests."""

PROFILES = {profile.name: profile for profile in (FULL, SMALLEST)}
