"""Kinds of values that options take: a duration, a size, a seed, a finite number, a text that is not blank."""

from __future__ import annotations

import math
import re
from typing import Any

import click

from atlas.choices import DEFAULT_MEASURE

_POWERS = {"m": 2, "g": 3, None: 3, "t": 4}
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


class Duration(click.ParamType):
    """Seconds, as `90`, `1.5`, `60s` or `2m`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the number and its unit."""
        if isinstance(value, int | float):
            return float(value)
        found = re.fullmatch(r"(\d+\.?\d*|\.\d+)\s*([smh]?)", str(value).strip().lower(), re.ASCII)
        if not found:
            self.fail(f"{value!r} is not a time; write 90, 60s or 2m.", param, ctx)
        return float(found[1]) * _SECONDS[found[2]]


class Size(click.ParamType):
    """Bytes, as `8GB`, `512MB` or `2GiB`; without a unit gigabytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the number and its unit."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d+\.?\d*|\.\d+)\s*([mgt])?(i)?b?", str(value).strip().lower(), re.ASCII)
        if not found or not float(found[1]):
            self.fail(f"{value!r} is not a size; write 8GB or 512MB.", param, ctx)
        return int(float(found[1]) * (1024 if found[3] else 1000) ** _POWERS[found[2]])


class Finite(click.ParamType):
    """A number, neither NaN nor infinite; with `share`, above 0 and at most 1."""

    name = "float"

    def __init__(self, *, share: bool = False) -> None:
        """Say whether it is a share of something."""
        self._range = click.FloatRange(0, 1, min_open=True) if share else click.FLOAT

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the number."""
        number = self._range.convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not finite.", param, ctx)
        return number


class Whole(click.ParamType):
    """A whole number from `least` up that fits the 64 bits of the database."""

    name = "integer"

    def __init__(self, least: int = 0) -> None:
        self._range = click.IntRange(least, 2**63 - 1)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        return self._range.convert(value, param, ctx)


class OneOf(click.Choice):
    """One of some names; another is refused with the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Find the name."""
        from atlas.errors import nearest

        if value not in self.choices:
            near = nearest(str(value), list(self.choices))
            known = ", ".join(self.choices)
            self.fail(f"{value!r} is not one of {known}." + (f" Did you mean {near!r}?" if near else ""), param, ctx)
        return value


class MeasureName(click.ParamType):
    """The name of a measure, or its alias."""

    name = "measure"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Its own name; raises UnknownName with the nearest where there is no such measure."""
        from atlas.catalog.measures import measure_named

        if value == DEFAULT_MEASURE:  # the registry takes SciPy and 0.3 s
            return value
        return measure_named(str(value)).name


class Said(click.ParamType):
    """A text with something in it."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not str(value).strip():
            self.fail("it is empty; leave the option out to have none.", param, ctx)
        return str(value)
