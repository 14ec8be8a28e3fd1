"""Whether a folder can be a model or an SAE at all, told before anything heavy is imported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from atlas.errors import AtlasError

_MODEL_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_KINDS = (
    ("hook_name", str, "the name of a hook"),
    ("prepend_bos", bool, "true or false"),
    ("model_from_pretrained_kwargs", dict, "a JSON object"),
)
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "tokenizer_config.json")


def local_folder(name: str) -> Path | None:
    """The folder that `name` means, or None if it can only be a name on the hub.

    Raises:
        AtlasError: It is written like a path, and there is nothing.
    """
    path = Path(name).expanduser()
    if name.strip() and path.is_dir():
        return path
    if path.is_file():
        raise AtlasError(f"{name} is a file", hint="give the folder that it is in")
    if name.startswith((".", "/", "~", "\\")) or name.endswith("/") or path.is_absolute() or not name.strip():
        raise AtlasError(f"there is no folder {name}", hint="check the path, or give a name on the Hugging Face hub")
    return None


def check_model(name: str) -> Path | None:
    """The folder of a model, None for a name on the hub.

    Raises:
        AtlasError: A folder without config, weights or tokenizer, or with damaged weights.
    """
    folder = local_folder(name)
    if folder is None:
        return None
    if not (folder / "config.json").is_file():
        raise AtlasError(
            f"{folder} is no model folder: it has no config.json", hint="give a folder that save_pretrained wrote"
        )
    weights = weight_files(folder)
    if not weights:
        raise AtlasError(f"{folder} has no weights", why="there is no *.safetensors and no pytorch_model*.bin in it")
    check_safetensors(weights)
    if not any((folder / file).is_file() for file in _TOKENIZERS):
        raise AtlasError(f"{folder} has no tokenizer", why=f"none of {', '.join(_TOKENIZERS)} is in it")
    return folder


def check_sae(name: str) -> Path | None:
    """The folder of an SAE, None for `release/sae_id`.

    Raises:
        AtlasError: A folder without cfg.json or weights, or with damaged weights.
    """
    folder = local_folder(name)
    if folder is None:
        if "/" not in name:
            raise AtlasError(
                f"there is no SAE folder {name}", hint="give a folder with cfg.json, or RELEASE/SAE_ID of SAELens"
            )
        return None
    cfg = folder / "cfg.json"
    if not cfg.is_file():
        raise AtlasError(f"{folder} is no SAE folder: it has no cfg.json", hint="give a folder that SAELens wrote")
    try:
        facts = json.loads(cfg.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise AtlasError(f"{cfg} is not JSON", why=str(error)) from error
    except OSError as error:
        raise AtlasError(f"{cfg} cannot be read", why=error.strerror) from error
    if fault := _cfg_fault(facts):
        raise AtlasError(f"{cfg} makes no sense", why=fault, hint="give a folder that SAELens wrote")
    weights = sorted(folder.glob("*.safetensors"))
    if not (folder / "sae_weights.safetensors").is_file():
        raise AtlasError(f"{folder} has no weights", why="there is no sae_weights.safetensors in it")
    check_safetensors(weights)
    return folder


def _cfg_fault(cfg: object) -> str | None:
    """What is wrong with the cfg of an SAE; None if nothing is."""
    if not isinstance(cfg, dict):
        return "it is no JSON object"
    metadata = cfg.get("metadata")
    if not isinstance(metadata, dict | None):
        return "its metadata is no JSON object"
    for key, kind, words in _KINDS:
        for facts in (cfg, metadata or {}):
            if not isinstance(facts.get(key), kind | None):
                return f"{key} is {facts[key]!r:.80}, and should be {words}"
    return _size_fault(cfg)


def _size_fault(cfg: Mapping[str, Any]) -> str | None:
    """What is wrong with the numbers in a cfg; None if nothing is."""
    sizes = {key: cfg[key] for key in ("d_in", "d_sae", "k") if cfg.get(key) is not None}
    if cfg.get("architecture") not in ("topk", "abstopk"):
        sizes.pop("k", None)
    for key, size in sizes.items():
        if type(size) is not int or size < 1:
            return f"{key} is {size!r:.80}, and should be a whole number of at least 1"
    if sizes.get("k", 0) > sizes.get("d_sae", float("inf")):
        return f"k is {sizes['k']:,}, and it has {sizes['d_sae']:,} features"
    return None


def weight_files(folder: Path) -> list[Path]:
    """Files with the weights of a model: safetensors if there are any, else PyTorch's, sorted by name."""
    for pattern in _MODEL_WEIGHTS:
        if files := sorted(folder.glob(pattern)):
            return files
    return []


def check_safetensors(files: Iterable[Path]) -> None:
    """Raise if a safetensors file is shorter or longer than its header says."""
    for file in (file for file in files if file.suffix == ".safetensors"):
        size = file.stat().st_size
        with file.open("rb") as handle:
            n_header = int.from_bytes(handle.read(8), "little")
            raw = handle.read(n_header) if n_header <= size - 8 else b""
        try:
            header = json.loads(raw)
            promised = 8 + n_header + max(part["data_offsets"][1] for name, part in header.items() if name[:2] != "__")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise AtlasError(f"{file} is damaged", why="its header cannot be read", hint="copy it again") from error
        if promised != size:
            why = f"it has {size:,} bytes and its header speaks of {promised:,}"
            raise AtlasError(f"{file} is damaged", why=why, hint="copy it again")


def files_sha256(files: Iterable[Path]) -> str:
    """Hash of the contents of files, in this order."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as handle:
            while block := handle.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
