"""Whether a folder can be a model or an SAE at all, told before anything heavy is imported."""

from __future__ import annotations

from pathlib import Path

from atlas.errors import AtlasError
from ingest.sources.files import check_safetensors, files_sha256, local_folder
from ingest.sources.saes.formats import SaeFiles
from ingest.sources.saes.locate import locate

__all__ = ["check_model", "check_safetensors", "check_sae", "files_sha256", "local_folder", "weight_files"]

_MODEL_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "tokenizer_config.json")


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
            f"{folder} is not a model folder: it has no config.json", hint="give a folder that save_pretrained wrote"
        )
    weights = weight_files(folder)
    if not weights:
        raise AtlasError(f"{folder} has no weights", why="there is no *.safetensors and no pytorch_model*.bin in it")
    check_safetensors(weights)
    if not any((folder / file).is_file() for file in _TOKENIZERS):
        raise AtlasError(f"{folder} has no tokenizer", why=f"none of {', '.join(_TOKENIZERS)} is in it")
    return folder


def check_sae(name: str) -> Path | None:
    """The folder of an SAE, None for one of SAELens' list.

    Raises:
        AtlasError: There is no such SAE, its settings are not valid, or its weights are damaged.
    """
    found = locate(name)
    return found.folder if isinstance(found, SaeFiles) else None


def weight_files(folder: Path) -> list[Path]:
    """Files with the weights of a model: safetensors if there are any, else PyTorch's, sorted by name."""
    for pattern in _MODEL_WEIGHTS:
        if files := sorted(folder.glob(pattern)):
            return files
    return []
