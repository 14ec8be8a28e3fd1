"""Mean CCA: canonical correlations between the whole of two samples, all directions of their numerical rank.

Source: Hotelling 1936, doi:10.1093/biomet/28.3-4.321; as a similarity Raghu et al. 2017, arXiv:1706.05806.
Orientation: rows are matched samples, columns are dimensions. Equals `svcca` with all of the variance kept.

Ignores: adding a vector to all rows, any invertible linear map of x or y. So a direction that holds a millionth of
the variance counts as much as the first, and noise scores about sqrt(rank / n): `forced` correlations exactly 1.

Departs from the code of google/svcca: bases by SVD, not inverse square roots of covariances with 1e-10 added.
"""

from __future__ import annotations

from functools import partial

from numpy.typing import ArrayLike

from atlas.metrics.registry import metric
from atlas.metrics.svcca import Svcca, prepare, svcca
from atlas.shapes import Given


@metric(
    title="mean CCA",
    invariances={"translation", "scaling", "rotation", "linear"},
    prepare=partial(prepare, variance=1.0),
)
def cca(x: Given[ArrayLike, "n p"], y: Given[ArrayLike, "n q"]) -> Svcca:
    """Correlate two matched samples along the directions where they correlate most, and average.

    Args:
        x: n samples by p dimensions.
        y: The same n samples, in the same order, by q dimensions.
    """
    return svcca(x, y, variance=1.0)
