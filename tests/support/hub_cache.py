"""Tiny random models in folders, and a Hugging Face cache laid by hand so that names on the hub load offline."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

NEOX, GPT2 = "EleutherAI/pythia-70m-deduped", "gpt2"
REVISION = "0123456789abcdef0123456789abcdef01234567"
SIZE = {"vocab_size": 24, "bos_token_id": 0, "eos_token_id": 0}


def tiny_config(kind: str, **changes):
    """Config of transformers for a tiny model: neox, gpt2, llama, gemma or opt."""
    from transformers import GemmaConfig, GPT2Config, GPTNeoXConfig, LlamaConfig, OPTConfig

    wide = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
    if kind == "gpt2":
        return GPT2Config(
            **{**SIZE, "n_embd": 16, "n_layer": 3, "n_head": 2, "n_positions": 32, "n_ctx": 32, **changes}
        )
    if kind == "neox":
        return GPTNeoXConfig(**{**SIZE, **wide, "max_position_embeddings": 32, **changes})
    if kind == "opt":
        inner = {"ffn_dim": 32, "word_embed_proj_dim": 16, "max_position_embeddings": 32}
        return OPTConfig(**{**SIZE, **wide, **inner, **changes})
    of = {"llama": LlamaConfig, "gemma": GemmaConfig}[kind]
    heads = {"num_key_value_heads": 1, "head_dim": 8, "max_position_embeddings": 32, "pad_token_id": 0}
    return of(**{**SIZE, **wide, **heads, **changes})


def save_tiny(folder: Path, kind: str, seed: int = 0, **changes) -> Path:
    """A random model with norms and biases that matter, and its tokenizer, as a Hugging Face folder."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(seed)
    letters = {"<s>": 0, "<unk>": 1, **{letter: i for i, letter in enumerate("abcdefghijklmnop", start=2)}}
    backend = Tokenizer(models.WordLevel(letters, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    names = {"bos_token": "<s>", "eos_token": "<s>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=backend, **names).save_pretrained(folder)
    model = AutoModelForCausalLM.from_config(tiny_config(kind, **changes))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1:  # norms and biases, which begin at one and zero
                parameter.add_(torch.randn_like(parameter) * 0.3)
            elif "embed" in name or "wte" in name or "lm_head" in name:
                parameter.add_(torch.randn_like(parameter) * 0.5)
    model.save_pretrained(folder)
    return folder


def lay_cache(home: Path) -> Path:
    """A folder that can be HF_HOME: fake `pythia-70m-deduped` and `gpt2`, tiny and random."""
    for name, kind in ((NEOX, "neox"), (GPT2, "gpt2")):
        repo = home / "hub" / f"models--{name.replace('/', '--')}"
        (repo / "refs").mkdir(parents=True)
        (repo / "refs" / "main").write_text(REVISION)
        save_tiny(repo / "snapshots" / REVISION, kind)
    return home


def snapshot(home: Path, name: str) -> Path:
    """Folder of a model in the cache."""
    return home / "hub" / f"models--{name.replace('/', '--')}" / "snapshots" / REVISION


def run_offline(home: Path, code: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run Python with `home` as HF_HOME and no hub; the libraries read both at import, so in a process of its own."""
    environment = {
        **os.environ,
        "HF_HOME": str(home),
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    for key in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "TRANSFORMERS_CACHE"):
        environment.pop(key, None)
    return subprocess.run([sys.executable, "-c", code, *args], env=environment, capture_output=True, text=True)
