"""What the user means by an SAE: files here, an entry of SAELens' list, or a folder on the hub; imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from atlas.errors import AtlasError, UnknownName, UsageError
from ingest.sources.failures import reason
from ingest.sources.files import is_written_like_a_path
from ingest.sources.quiet import quietly
from ingest.sources.saes.formats import DESCRIPTION, WEIGHTS, SaeFiles, is_sae, sae_files

_FILES = ("cfg.json", "config.json", DESCRIPTION, *WEIGHTS, "activation_scaler.json", "ae.pt")


@dataclass(frozen=True, slots=True)
class Listed:
    """An SAE in the list of SAELens."""

    release: str
    """Release, as the list names it."""
    sae_id: str
    """SAE of the release."""

    @property
    def name(self) -> str:
        """What it is called unless the user says otherwise."""
        return f"{self.release}/{self.sae_id}"


def locate(source: str) -> SaeFiles | Listed:
    """Find an SAE and check what can be checked without torch; a folder on the hub is fetched.

    Args:
        source: Folder, `.pt` or `.json` file, `release/sae_id` of SAELens, or `org/repo[/folder]` on the hub.

    Raises:
        AtlasError: There is no such SAE, or its files are not valid.
    """
    path = Path(source).expanduser()
    if source.strip() and path.exists():
        return sae_files(path)
    if is_written_like_a_path(source) or path.is_absolute():
        raise AtlasError(f"there is no folder {source}", hint="check the path, or give RELEASE/SAE_ID of SAELens")
    release, slash, sae_id = source.partition("/")
    known = releases()
    if not slash:
        here = f"give one of its SAEs, or all: {source}/*" if source in known else "give the folder of an SAE"
        raise AtlasError(f"there is no SAE folder {source}", hint=f"{here}, or RELEASE/SAE_ID of SAELens")
    if release in known:
        if sae_id not in known[release]:
            raise UnknownName(f"SAE in release {release}", sae_id, list(known[release]))
        return Listed(release, sae_id)
    # A release is a long name: a wrong path must not be told that it is nearly one.
    if near := get_close_matches(release, list(known), n=1, cutoff=0.8):
        missing = f"there is no folder {source}, and SAELens has no release {release!r}; did you mean {near[0]!r}?"
        raise UsageError(missing, hint="check the path, or give RELEASE/SAE_ID of SAELens")
    return _on_hub(source)


@cache
def releases() -> Mapping[str, tuple[str, ...]]:
    """Release -> its SAEs, as the installed SAELens lists them.

    Raises:
        AtlasError: SAELens is not installed.
    """
    import yaml

    spec = find_spec("sae_lens")
    if spec is None or not spec.submodule_search_locations:
        raise AtlasError("SAELens is not installed", hint="pip install 'featlas[models]'")
    text = (Path(spec.submodule_search_locations[0]) / "pretrained_saes.yaml").read_text(encoding="utf-8")
    listed = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return {release: tuple(str(sae["id"]) for sae in entry["saes"]) for release, entry in listed.items()}


def _on_hub(source: str) -> SaeFiles:
    """The files of an SAE in a repository on the hub, fetched if they are not at hand."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    organisation, repository, *inner = source.split("/")
    prefix = "".join(f"{part}/" for part in inner)
    wanted = [prefix + file for file in _FILES] + ([f"{prefix}*.safetensors"] if prefix else [])
    above = [f"{'/'.join(inner[:depth])}/config.json".lstrip("/") for depth in range(len(inner))]
    try:
        with quietly():
            snapshot = snapshot_download(f"{organisation}/{repository}", allow_patterns=[*wanted, *above])
    except (OSError, HfHubHTTPError, ValueError) as error:
        raise AtlasError(
            f"there is no folder {source}, and SAELens has no release {organisation!r}",
            why=f"the Hugging Face hub does not give it: {reason(error)}",
            hint="check the path or the name, or unset HF_HUB_OFFLINE",
        ) from error
    folder = Path(snapshot, *inner)
    if not is_sae(folder):
        held = sorted({str(path.parent.relative_to(snapshot)) for path in Path(snapshot).glob("**/*.json")} - {"."})
        why = f"at hand of {organisation}/{repository}: {', '.join(held[:8])}" if held else None
        hint = "check its name, or unset HF_HUB_OFFLINE"
        raise AtlasError(f"there is no SAE at {source} on the Hugging Face hub", why=why, hint=hint)
    return sae_files(folder)
