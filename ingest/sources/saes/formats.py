"""Which format the files of an SAE have, and whether its settings make sense; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atlas.errors import AtlasError
from ingest.sources.files import check_safetensors, read_object
from ingest.sources.saes.described import description_fault, weights_of

DESCRIPTION = "featlas_sae.json"
"""Name of the file that names the tensors of an SAE."""

ACCEPTED = (
    "cfg.json with sae_weights.safetensors (SAELens) or sae.safetensors (sparsify), "
    f"config.json with ae.pt (dictionary_learning), or {DESCRIPTION}"
)
"""What a folder of an SAE holds, for messages."""

WEIGHTS = {"sae_weights.safetensors": "SAELens", "sae.safetensors": "sparsify"}
"""File of weights beside a cfg.json -> format."""

_KINDS = (
    ("hook_name", str, "the name of a hook"),
    ("prepend_bos", bool, "true or false"),
    ("model_from_pretrained_kwargs", dict, "a JSON object"),
)
_NOT_PLAIN = {
    "transcode": "it is a transcoder",
    "skip_connection": "it has a skip connection",
    "embed_skip": "it has a skip connection from the embedding",
    "gram_lookup": "it reads what an n-gram table leaves",
    "signed": "its activations have signs",
}
_INPUT_SIZES, _FEATURES = ("d_in", "activation_dim"), ("d_sae", "num_latents", "dict_size")
_DICTIONARIES = (
    "AutoEncoder",
    "AutoEncoderNew",
    "GatedAutoEncoder",
    "JumpReluAutoEncoder",
    "AutoEncoderTopK",
    "BatchTopKSAE",
    "MatryoshkaBatchTopKSAE",
)


@dataclass(frozen=True, slots=True)
class SaeFiles:
    """The files of one SAE."""

    format: str
    """SAELens, sparsify, dictionary_learning or described."""
    settings: Path
    """JSON file with its settings."""
    weights: Path
    """File with its tensors."""
    facts: Mapping[str, Any]
    """What is in `settings`."""

    @property
    def folder(self) -> Path:
        return self.weights.parent

    @property
    def name(self) -> str:
        """What it is called unless the user says otherwise: its folder, and its file if that has a name of its own."""
        folder = self.folder.resolve()
        if self.format == "described" and self.settings.name != DESCRIPTION:
            return f"{folder.name}/{self.settings.stem}"
        if self.format == "dictionary_learning" and self.weights.name != "ae.pt":
            owner = folder.parent if folder.name == "checkpoints" else folder
            return f"{owner.name}/{self.weights.stem}"
        return folder.name


def is_sae(path: Path) -> bool:
    """Whether a folder holds the files of an SAE, sound or not."""
    beside = (path / "cfg.json").is_file() and any((path / weights).is_file() for weights in WEIGHTS)
    old = (path / "config.json").is_file() and (path / "ae.pt").is_file()
    return beside or old or (path / DESCRIPTION).is_file()


def sae_files(path: Path) -> SaeFiles:
    """The files of the SAE in a folder, or of the one that a `.pt` or `.json` file is; settings are checked.

    Raises:
        AtlasError: There is none, or its settings are not valid, or its weights are damaged.
    """
    fmt, settings, weights = _of_file(path) if path.is_file() else _of_folder(path)
    facts = read_object(settings)
    faults = {
        "SAELens": _saelens_fault,
        "sparsify": _sparsify_fault,
        "dictionary_learning": _dictionary_fault,
        "described": description_fault,
    }
    if fault := faults[fmt](facts):
        hint = (
            "docs/sae-formats.md says what can stand in it" if fmt == "described" else f"give an SAE that {fmt} wrote"
        )
        raise AtlasError(f"{settings} is not valid", why=fault, hint=hint)
    weights = weights or weights_of(settings, facts)
    check_safetensors([weights])
    return SaeFiles(fmt, settings, weights, facts)


def _of_folder(folder: Path) -> tuple[str, Path, Path | None]:
    """Format, settings and weights of the SAE in a folder."""
    if (folder / DESCRIPTION).is_file():
        return "described", folder / DESCRIPTION, None
    cfg = folder / "cfg.json"
    if cfg.is_file():
        for weights, fmt in WEIGHTS.items():
            if (folder / weights).is_file():
                return fmt, cfg, folder / weights
        why = "beside its cfg.json there is no sae_weights.safetensors (SAELens) and no sae.safetensors (sparsify)"
        raise AtlasError(f"{folder} has no weights", why=why)
    if (folder / "ae.pt").is_file():
        return "dictionary_learning", _config_of(folder / "ae.pt"), folder / "ae.pt"
    held = sorted(path.name for path in folder.iterdir())
    there = ", ".join(held[:5]) + (", …" if len(held) > 5 else "") if held else "nothing"
    raise AtlasError(f"{folder} is not an SAE folder", why=f"it holds {there}", hint=f"an SAE has {ACCEPTED}")


def _of_file(file: Path) -> tuple[str, Path, Path | None]:
    """Format, settings and weights of the SAE that a file stands for."""
    if file.suffix == ".pt":
        return "dictionary_learning", _config_of(file), file
    if file.suffix == ".json" and file.name not in ("cfg.json", "config.json"):
        return "described", file, None
    raise AtlasError(f"{file} is a file", hint="give the folder that it is in")


def _config_of(weights: Path) -> Path:
    """The config.json of a dictionary: beside it, or above its folder of checkpoints."""
    for folder in (weights.parent, weights.resolve().parent.parent):
        if (folder / "config.json").is_file():
            return folder / "config.json"
    raise AtlasError(
        f"{weights} has no config.json beside it",
        why="it says of which class the dictionary is",
        hint=f"copy it there, or write a {DESCRIPTION}",
    )


def _saelens_fault(cfg: Mapping[str, Any]) -> str | None:
    """What is wrong with the cfg of SAELens; None if nothing is."""
    metadata = cfg.get("metadata")
    if not isinstance(metadata, dict | None):
        return "its metadata is not a JSON object"
    for key, kind, words in _KINDS:
        for facts in (cfg, metadata or {}):
            if not isinstance(facts.get(key), kind | None):
                return f"{key} is {facts[key]!r:.80}, and should be {words}"
    return size_fault(cfg, k=cfg.get("architecture") == "topk")


def size_fault(facts: Mapping[str, Any], *, k: bool) -> str | None:
    """What is wrong with the sizes among settings, k only if it is one of them; None if nothing is."""
    keys = (*_INPUT_SIZES, *_FEATURES, *(["k"] if k else []))
    sizes = {key: facts[key] for key in keys if facts.get(key) is not None}
    if sizes.get("num_latents") == 0:
        del sizes["num_latents"]
    for key, size in sizes.items():
        if type(size) is not int or size < 1:
            return f"{key} is {size!r:.80}, and should be a whole number of at least 1"
    n_features = next((sizes[key] for key in _FEATURES if key in sizes), None)
    if n_features and sizes.get("k", 0) > n_features:
        return f"k is {sizes['k']:,}, and it has {n_features:,} features"
    return None


def _sparsify_fault(cfg: Mapping[str, Any]) -> str | None:
    """What is wrong with the cfg of sparsify; None if nothing is."""
    if cfg.get("activation", "topk") != "topk":
        return f"its activation is {cfg['activation']!r:.80}, and featlas reads 'topk'"
    for key, words in _NOT_PLAIN.items():
        if cfg.get(key):
            return f"{key} is set: {words}, and featlas reads SAEs that decode what they encode"
    if cfg.get("k") is None:
        return "it does not say k"
    return size_fault(cfg, k=True)


def _dictionary_fault(config: Mapping[str, Any]) -> str | None:
    """What is wrong with the config of dictionary_learning; None if nothing is."""
    trainer = config.get("trainer")
    if not isinstance(trainer, dict):
        return "it has no trainer, or this is not a JSON object"
    kind = trainer.get("dict_class")
    if kind not in _DICTIONARIES:
        return f"its dict_class is {kind!r:.80}, and featlas reads {', '.join(_DICTIONARIES)}"
    return size_fault(trainer, k=kind == "AutoEncoderTopK")
