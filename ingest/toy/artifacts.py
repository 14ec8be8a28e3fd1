"""Where the built-in models and SAEs lie, and the text to scan them on; costs no torch.

The folders are what a user's own would be: Hugging Face snapshots (`config.json`, `model.safetensors`, tokenizer)
and SAELens folders (`cfg.json`, `sae_weights.safetensors`). Every file is listed with its sha256 in `manifest.json`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from atlas.errors import UnknownName
from ingest.toy.corpus import Style, write_documents

ARTIFACTS = Path(__file__).parent / "artifacts"

TOY_MODELS: dict[str, str] = {
    "tinyA": "4 layers, d_model 64, trained on both styles of text",
    "tinyB": "3 layers, d_model 96, trained on the same text from another seed",
    "untrainedA": "the architecture of tinyA with random weights: the negative control",
}
"""Model name -> what it is, in one line."""

TOY_SAES: dict[str, str] = {
    "tinyA_L1_w1024_s0": "tinyA",
    "tinyA_L1_w512_s0": "tinyA",
    "tinyA_L1_w512_s1": "tinyA",
    "tinyA_L2_w512_s0": "tinyA",
    "tinyA_L3_w512_s0": "tinyA",
    "tinyA_L1_w512_stories_s0": "tinyA",
    "tinyA_L1_w512_almanac_s0": "tinyA",
    "tinyA_L1_topk512_s0": "tinyA",
    "tinyB_L1_w1024_s0": "tinyB",
    "tinyB_L0_w512_s0": "tinyB",
    "tinyB_L1_w512_s0": "tinyB",
    "tinyB_L2_w512_s0": "tinyB",
    "untrainedA_L1_w1024_s0": "untrainedA",
}
"""SAE name -> its model. `L1` is the layer (`blocks.1.hook_resid_post`), `w512` the width, `s0` the seed."""

HELD_OUT_SEED = 1000
"""Seed of the demo text; the training texts use seeds below 100."""


def toy_model(name: str) -> Path:
    """Folder of the built-in model `name`, as `TransformerBridge.boot_transformers` takes it."""
    return _folder("models", name, TOY_MODELS)


def toy_sae(name: str) -> Path:
    """Folder of the built-in SAE `name`, as `SAE.load_from_disk` takes it."""
    return _folder("saes", name, TOY_SAES)


def manifest() -> dict[str, Any]:
    """Seeds, specs, sha256 and measured quality of every shipped artifact."""
    return json.loads((ARTIFACTS / "manifest.json").read_text())


def write_corpus(
    path: str | Path, *, style: Style = "mixed", n_documents: int = 2000, seed: int = HELD_OUT_SEED
) -> Path:
    """Write generated text that no built-in model was trained on, and return its path.

    Args:
        path: The `.txt` file to write; replaced when it exists.
        style: "stories", "almanac", or "mixed" for half of each.
        n_documents: Documents to write, about 75 tokens each, separated by `<|endoftext|>` lines.
        seed: Equal seeds give equal bytes; 100 and above is held out from training.
    """
    return write_documents(Path(path), style, seed, n_documents)


def _folder(kind: str, name: str, known: dict[str, str]) -> Path:
    if name not in known:
        raise UnknownName(f"built-in {kind[:-1]}", name, list(known))
    return ARTIFACTS / kind / name
