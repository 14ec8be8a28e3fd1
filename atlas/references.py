"""References to features and pairs, `SAE:FEATURE` and `SAE:FEATURE=SAE:FEATURE`: one grammar for all front ends."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from atlas.errors import UnknownName, UsageError

_PAIR = re.compile(r"(?P<a>.+:\s*\d+)\s*=\s*(?P<b>.+:\s*\d+)", re.DOTALL)
_FEATURE = re.compile(
    r"(?P<sae>.+):\s*(?P<feature>\d{1,9})", re.DOTALL
)  # greedy: names may hold ":", the last one counts


@dataclass(frozen=True, slots=True)
class FeatureRef:
    """One feature of one SAE."""

    sae: str
    """Name, alias or unmistakable ending of a name; the full name once resolved."""
    feature_id: int
    """Index in the SAE, from 0."""

    def __str__(self) -> str:
        return f"{self.sae}:{self.feature_id}"


@dataclass(frozen=True, slots=True)
class PairRef:
    """Two features that are compared."""

    a: FeatureRef
    b: FeatureRef

    def __str__(self) -> str:
        return f"{self.a}={self.b}"


def parse_reference(text: str) -> FeatureRef | PairRef:
    """Read a reference; SAE names are not looked up yet.

    Raises:
        UsageError: It is neither a feature nor a pair.
    """
    text = text.strip()
    if pair := _PAIR.fullmatch(text):
        return PairRef(_feature(pair["a"]), _feature(pair["b"]))
    return _feature(text)


def _feature(text: str) -> FeatureRef:
    """Read `SAE:FEATURE`, split at the last colon."""
    found = _FEATURE.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            f"{text!r} is no reference to a feature", hint="write SAE:FEATURE such as A:1081, or a pair A:1081=B:3169"
        )
    return FeatureRef(found["sae"].strip(), int(found["feature"]))


def resolve_feature(reference: FeatureRef, known: Sequence[tuple[str, str]]) -> FeatureRef:
    """The same feature under the full name of its SAE.

    Raises:
        UnknownName: There is no such SAE.
        UsageError: The name fits several.
    """
    return FeatureRef(resolve_sae(reference.sae, known), reference.feature_id)


def resolve_sae(wanted: str, known: Sequence[tuple[str, str]]) -> str:
    """Full name of the SAE that `wanted` stands for.

    Tried in this order: the exact name, the exact alias, either of them letter case aside, the ending of one name
    (letter case aside, cut at `/`).

    Args:
        wanted: What the user wrote.
        known: (name, alias) of every SAE.

    Raises:
        UnknownName: No SAE goes by it; the nearest is suggested.
        UsageError: Several names fit equally well.
    """
    low = wanted.lower()
    attempts = (
        [name for name, _ in known if name == wanted],
        [name for name, alias in known if alias == wanted],
        [name for name, alias in known if low in (name.lower(), alias.lower())],
        [name for name, _ in known if low and name.lower().endswith("/" + low.lstrip("/"))],
    )
    for names in attempts:
        if len(names) == 1:
            return names[0]
        if names:
            raise UsageError(
                f"{wanted!r} fits several SAEs",
                why=f"they are {', '.join(names)}",
                hint="write the whole name or the alias",
            )
    raise UnknownName(
        "SAE", wanted, [f"{alias} {name}" for name, alias in known] if _is_alias(wanted) else _names(known)
    )


def _is_alias(wanted: str) -> bool:
    """Whether it looks like an alias, so that the message should list aliases too."""
    return len(wanted) <= 2


def _names(known: Sequence[tuple[str, str]]) -> list[str]:
    return [name for name, _ in known]
