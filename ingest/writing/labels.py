"""Gives the features of an SAE the labels that a file holds: checked first, then written in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from atlas.catalog.saes import sae_named
from atlas.db import Atlas, open_atlas
from atlas.db.runs import add_run, utc_now
from atlas.errors import AtlasError, UsageError
from ingest.sources.labels import Label, layer_of_part, read_labels
from ingest.sources.names import check_name

Note = Callable[[str], None]
BySource = Mapping[str, set[tuple[int, str]]]
"""Labels of one SAE: for each source its pairs of feature and text."""


@dataclass(frozen=True, slots=True)
class LabelSummary:
    """What one `featlas ingest labels` did."""

    sae: str
    """Name of the SAE."""
    alias: str
    """Alias of the SAE."""
    sources: tuple[str, ...]
    """Sources of the labels, sorted."""
    n_features: int
    """Features that the file labels."""
    n_written: int
    """Labels that the atlas did not hold; 0 if there was nothing to do."""
    example: tuple[int, str]
    """A feature and its label: the lowest feature of the file."""


@dataclass(frozen=True, slots=True)
class _Sae:
    """The SAE that is labelled."""

    sae_id: int
    name: str
    alias: str
    d_sae: int
    layer: int | None


def add_labels(
    path: str | Path,
    *,
    sae: str,
    db: str | Path,
    source: str | None = None,
    replace: bool = False,
    wait: float = 0,
    command: str | None = None,
    on_note: Note = lambda text: None,
) -> LabelSummary:
    """Write the labels of a file into `features.label`; labels that are there already are not written twice.

    Args:
        path: A table, JSON, or a folder of Neuronpedia or delphi; `ingest.sources.labels` says how they look.
        sae: Name or alias of the SAE.
        db: The atlas, which holds the SAE.
        source: Who made the labels; None for what the rows say, else the name of the file.
        replace: Whether all earlier labels of the same source on this SAE give way to these.
        wait: Seconds to wait for a locked atlas.
        command: Command line for the record; by default that of this process.
        on_note: Called with a sentence that the user should know.

    Raises:
        AtlasError: A row is not a label of this SAE, or the source gave other labels before; nothing was written.
    """
    started_at, path = utc_now(), Path(path)
    if source is not None:
        check_name("--source", source)
    labels = list(read_labels(path))
    if not labels:
        raise AtlasError(f"{path} holds no label", hint="it has a header or nothing; give another file")
    by_source = _by_source(labels, source, _name_of(path))
    with open_atlas(db, write=True, wait=wait) as atlas, atlas.transaction():
        target = _target(atlas, sae)
        _check(labels, target, on_note)
        new = _new(atlas, by_source, target, replace=replace)
        if new:
            _write(atlas, new, target, replace=replace)
            spec = {"labels": str(path), "sae": target.name, "sources": sorted(new), "replace": replace}
            add_run(atlas, spec, started_at, command=command)
    n_written = sum(map(len, new.values()))
    example = min(min(pairs) for pairs in by_source.values())
    features = {label.feature_id for label in labels}
    return LabelSummary(target.name, target.alias, tuple(sorted(by_source)), len(features), n_written, example)


def _name_of(path: Path) -> str:
    """What a file or folder calls its labels: its name; of `NAME/explanations` its parent's."""
    whole = path.resolve()
    if path.is_dir():
        return whole.parent.name if whole.name == "explanations" else whole.name
    return whole.name.removesuffix(".gz").rpartition(".")[0]


def _by_source(labels: list[Label], source: str | None, default: str) -> dict[str, set[tuple[int, str]]]:
    """Labels by source: as the user says, else as the rows do; what is said twice is one label."""
    by_source: dict[str, set[tuple[int, str]]] = {}
    for label in labels:
        by_source.setdefault(source or label.source or default, set()).add((label.feature_id, label.text))
    for name in by_source:
        check_name("--source", name)
    return by_source


def _target(atlas: Atlas, wanted: str) -> _Sae:
    query = "select sae_id, name, alias, d_sae, layer from sae where name = $name"
    return _Sae(*atlas.rows(query, name=sae_named(atlas, wanted)).rows[0])


def _check(labels: list[Label], sae: _Sae, note: Note) -> None:
    """Raise where labels cannot be of this SAE; say where they do not look like its own."""
    for label in labels:
        if not 0 <= label.feature_id < sae.d_sae:
            raise AtlasError(
                f"{label.place} labels feature {label.feature_id} of {sae.name}",
                why=f"its features are 0 to {sae.d_sae - 1}",
                hint="give the --sae that the labels are about: featlas ls saes",
            )
    parts = sorted({label.part for label in labels if label.part is not None})
    if len(parts) > 1:
        raise AtlasError(
            f"these labels are of several SAEs: {', '.join(parts[:5])}{', …' if len(parts) > 5 else ''}",
            hint="give the labels of one SAE at a time",
        )
    layer = layer_of_part(parts[0]) if parts else None
    if layer is not None and sae.layer is not None and layer != sae.layer:
        note(f"note: the labels are of layer {layer} ({parts[0]}) and {sae.name} reads layer {sae.layer}")


def _new(atlas: Atlas, by_source: BySource, sae: _Sae, *, replace: bool) -> BySource:
    """What is to be written, by source.

    Raises:
        UsageError: A source called a feature something else before, and it is not to be replaced.
    """
    known: dict[str, set[tuple[int, str]]] = {}
    for source, *pair in atlas.rows(
        "select source, feature_id, label from feature_label where sae_id = $sae", sae=sae.sae_id
    ):
        known.setdefault(source, set()).add((pair[0], pair[1]))
    if replace:
        return {source: pairs for source, pairs in by_source.items() if pairs != known.get(source)}
    for source, pairs in by_source.items():
        earlier = dict(sorted(known.get(source, set())))
        other = sorted((feature, text) for feature, text in pairs - known.get(source, set()) if feature in earlier)
        if other:
            feature, text = other[0]
            raise UsageError(
                f"{source} gave other labels to {len({f for f, _ in other}):,} of these features of {sae.name} before",
                why=f"feature {feature} was {earlier[feature]!r} and would be {text!r}",
                hint="--replace puts these labels in the place of all that the source gave; --source NAME keeps both",
            )
    return {source: new for source, pairs in by_source.items() if (new := pairs - known.get(source, set()))}


def _write(atlas: Atlas, new: BySource, sae: _Sae, *, replace: bool) -> None:
    """Write the labels, inside the caller's transaction."""
    for source, pairs in sorted(new.items()):
        if replace:
            where = "sae_id = $sae and source = $source"
            atlas.rows(f"delete from feature_label where {where}", sae=sae.sae_id, source=source)
        features, texts = zip(*sorted(pairs), strict=True)
        n = len(features)
        columns = {"sae_id": [sae.sae_id] * n, "feature_id": features, "source": [source] * n, "label": texts}
        atlas.insert("feature_label", columns)
