"""SAEs of an atlas, by name, alias or an unmistakable part of a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atlas.errors import UsageError
from atlas.references import resolve_sae

if TYPE_CHECKING:
    from atlas.db import Atlas


def sae_named(atlas: Atlas, wanted: str) -> str:
    """Full name of the SAE that a name, an alias or an unmistakable part of a name stands for.

    Raises:
        UnknownName: No SAE of this atlas goes by it; the nearest is suggested.
        UsageError: The part fits several names.
    """
    return resolve_sae(wanted, atlas.fetch("catalog/sae_names").rows)


def two_saes(atlas: Atlas, a: str, b: str) -> tuple[str, str]:
    """Full names of the two SAEs of a comparison.

    Raises:
        UnknownName: No SAE of this atlas goes by one of the names.
        UsageError: Both names stand for one SAE, or a part fits several names.
    """
    known = atlas.fetch("catalog/sae_names").rows
    sae_a, sae_b = resolve_sae(a, known), resolve_sae(b, known)
    if sae_a == sae_b:
        raise UsageError(
            f"{a!r} and {b!r} are one SAE, {sae_a}",
            hint='name two SAEs: featlas ls saes; inside one: featlas sql "from pairs where sae_a = sae_b"',
        )
    return sae_a, sae_b


def sae_id(atlas: Atlas, name: str) -> int:
    return dict(atlas.fetch("catalog/sae_ids").rows)[name]
