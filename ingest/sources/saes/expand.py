"""From what `--sae` says to single SAEs: folders of SAEs and patterns stand for all in them; imports no torch."""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from atlas.errors import AtlasError
from ingest.sources.files import is_written_like_a_path
from ingest.sources.saes.formats import ACCEPTED, is_sae
from ingest.sources.saes.locate import Listed, locate, releases


@dataclass(frozen=True, slots=True)
class SaeSource:
    """One SAE that is asked for."""

    source: str
    """Folder or file, `release/sae_id` of SAELens, or `org/repo/folder` on the hub: what `load_sae` takes."""
    name: str
    """What the atlas calls it unless the user says otherwise; unlike those of the others where paths can tell them."""


@dataclass(frozen=True, slots=True)
class _Found:
    """An SAE with the names that it could have."""

    source: str
    short: str
    long: str


def expand_saes(sources: Sequence[str]) -> list[SaeSource]:
    """Every SAE that the sources mean: an SAE itself, all SAEs in or below a folder, all that a pattern matches.

    Args:
        sources: Folder, file, `release/sae_id`, `org/repo/folder`, or a pattern of one of the first three.

    Returns:
        In the order of the sources; what one source stands for is sorted, numbers by their size. What folders and
        patterns match is given once; an SAE that is named twice is given twice.

    Raises:
        AtlasError: A source means nothing, or no SAE.
    """
    found: list[_Found] = []
    for source in sources:
        path = Path(source).expanduser()
        if source.strip() and path.is_dir() and not is_sae(path):
            new = list(_below(path, path))
            if not new:
                locate(source)
        elif _is_pattern(source) and not path.exists():
            new = _matching(source)
        else:
            found.append(_single(source))
            continue
        known = {_identity(sae.source) for sae in found}
        found.extend(sae for sae in new if _identity(sae.source) not in known)
    counts = Counter(sae.short for sae in found)
    return [SaeSource(sae.source, sae.short if counts[sae.short] == 1 else sae.long) for sae in found]


def _single(source: str) -> _Found:
    """What is neither a folder of SAEs nor a pattern; checked."""
    name = locate(source).name
    if not Path(source).expanduser().exists():
        return _Found(source, source, source)
    above = Path(source).expanduser().resolve().parent.name
    return _Found(source, name, f"{above}/{name}" if above else name)


def _below(folder: Path, root: Path) -> Iterator[_Found]:
    """SAEs in and below a folder, named from `root`; nothing is looked for inside an SAE."""
    if is_sae(folder):
        relative = folder.relative_to(root)
        short = folder.resolve().name
        yield _Found(str(folder), short, str(relative) if relative != Path(".") else short)
        return
    inner = (entry for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith("."))
    for entry in sorted(inner, key=lambda entry: _natural(entry.name)):
        yield from _below(Path(entry.path), root)


def _matching(pattern: str) -> list[_Found]:
    """SAEs that a pattern of paths matches, else those of SAELens' list."""
    local = str(Path(pattern).expanduser())
    root = Path(*_fixed_parts(local))
    matches = sorted(glob.glob(local, recursive=True), key=_natural)
    if matches:
        folders = [Path(match) for match in matches if Path(match).is_dir()]
        found = {_identity(sae.source): sae for folder in folders for sae in _below(folder, root)}
        if found:
            return list(found.values())
        raise AtlasError(f"{pattern} matches no SAE", why=f"it matches {matches[0]}", hint=f"an SAE has {ACCEPTED}")
    hint = "check the pattern, or give a folder or RELEASE/* of SAELens"
    if is_written_like_a_path(pattern):
        raise AtlasError(f"nothing matches {pattern}", hint=hint)
    names = [Listed(release, sae_id).name for release, saes in releases().items() for sae_id in saes]
    listed = sorted((name for name in names if fnmatchcase(name, pattern)), key=_natural)
    if not listed:
        raise AtlasError(f"nothing matches {pattern}", why="no path does, and no SAE in SAELens' list", hint=hint)
    return [_Found(name, name, name) for name in listed]


def _is_pattern(source: str) -> bool:
    return any(char in source for char in "*?[")


def _fixed_parts(pattern: str) -> list[str]:
    parts = Path(pattern).parts
    first = next(i for i, part in enumerate(parts) if _is_pattern(part))
    return list(parts[:first])


def _identity(source: str) -> str:
    path = Path(source).expanduser()
    return str(path.resolve()) if path.exists() else source


def _natural(text: str) -> list[tuple[int, int, str]]:
    """Order in which `layer10` comes after `layer9`."""
    parts = re.findall(r"\d+|\D+", text)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
