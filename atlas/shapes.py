"""Shapes in annotations, those of jaxtyping: `Float64[NDArray, "n p"]` is an array of n rows and p columns.

The tests load jaxtyping before anything else, and every call is checked. Elsewhere the names stand for nothing: loading
jaxtyping takes 0.13 s, which is more than most commands take.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Annotated as Given

    from jaxtyping import Bool, Float32, Float64, Int, Int32, Int64, Real
elif "jaxtyping" in sys.modules:
    from jaxtyping import Bool, Float32, Float64, Int, Int32, Int64, Real
    from numpy import ndarray

    class Given:
        """What a caller may hand over: an array of this shape, or lists of numbers, which are not checked here."""

        def __class_getitem__(cls, kind_and_shape: tuple[Any, str]) -> Any:
            return Real[ndarray, kind_and_shape[1]] | list | tuple
else:
    Bool = Float32 = Float64 = Given = Int = Int32 = Int64 = Real = object

__all__ = ["Bool", "Float32", "Float64", "Given", "Int", "Int32", "Int64", "Real"]
