"""The record of each metric: its function, its title, what it ignores, and how to score many permutations fast."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

import numpy as np

from atlas.metrics.moments import Moments
from atlas.shapes import Int

Invariance = Literal["translation", "scaling", "rotation", "linear"]
"""Changes of x alone or of y alone that leave the score as it is: adding one vector to all rows, multiplying by one
number other than 0, an orthogonal map of the columns, any invertible linear map of the columns."""


@runtime_checkable
class Result(Protocol):
    """What every metric returns, at least."""

    @property
    def score(self) -> float:
        """The similarity; higher is more alike."""
        ...

    @property
    def n(self) -> int:
        """Matched rows compared."""
        ...

    @property
    def details(self) -> Mapping[str, Any]:
        """Numbers beside the score, by name, as JSON can hold them; empty if there are none."""
        ...


@dataclass(frozen=True, slots=True)
class Scored:
    """A `Result` that is a score and the sample it was measured on; its class says the range."""

    score: float
    """The similarity; higher is more alike."""
    n: int
    """Matched rows compared."""

    @property
    def details(self) -> Mapping[str, Any]:
        """Numbers beside the score, by name."""
        return {}


@runtime_checkable
class Prepared(Protocol):
    """A metric on x and y with the work done that no permutation of the rows of y changes."""

    def result(self) -> Result:
        """The metric of x and y as given."""
        ...

    def permuted(self, order: Int[np.ndarray, " n"]) -> float:
        """The score of x and y[order]."""
        ...

    def moments(self) -> Moments:
        """What is known in closed form of the score over all permutations."""
        ...


@dataclass(frozen=True, slots=True)
class Metric:
    """One entry of `METRICS`."""

    name: str
    """The name of the function, also on the command line."""
    function: Callable[..., Result]
    """`function(x, y, *, options) -> Result`."""
    title: str
    """For people, a few words."""
    invariances: frozenset[Invariance]
    """What the score ignores at default options; empty if nothing."""
    prepare: Callable[..., Prepared] | None
    """`prepare(x, y, *, options)` with the options of the function; None: each permutation is scored by `function`."""
    symmetric: bool = True
    """Whether the score of x and y is that of y and x."""
    minimum: float = 0.0
    """Minimum score with any options."""
    same_columns: bool = False
    """Whether column j of x and column j of y must be the same coordinate, as for two SAEs of one hook."""


METRICS: dict[str, Metric] = {}
"""Every metric by name; filled once, by the imports in `atlas/metrics/__init__.py`."""

Function = TypeVar("Function", bound=Callable[..., Result])


def metric(
    *,
    title: str,
    invariances: set[Invariance],
    prepare: Callable[..., Prepared] | None = None,
    symmetric: bool = True,
    minimum: float = 0.0,
    same_columns: bool = False,
) -> Callable[[Function], Function]:
    """Register the decorated function in `METRICS` under its own name."""

    def enter(function: Function) -> Function:
        name = function.__name__
        METRICS[name] = Metric(name, function, title, frozenset(invariances), prepare, symmetric, minimum, same_columns)
        return function

    return enter
