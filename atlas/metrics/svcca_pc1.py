"""SVCCA as the code released with arXiv:2410.06981 computes it: |Pearson r| between the two first principal components.

Source: wlg1/univ_feat_geom at dbc2dde, sim_fns.py, `top_k_pca_comps`: it compares a cumulative share of variance
(<= 1) with 0.99 times a total variance, which is never reached, and so keeps one direction of x and one of y.
Orientation: rows are matched samples, columns are dimensions.

Ignores: adding a vector to all rows, scaling x or y, rotating its columns.

Departs from that code: no 1e-10 on the diagonal, which moves the value by about 2e-9. It is here to reproduce
published tables; `svcca` is the metric of that name. It can miss a strongly shared space when the first components
happen to be others.
"""

from __future__ import annotations

from functools import partial

from numpy.typing import ArrayLike

from atlas.metrics.registry import metric
from atlas.metrics.svcca import Svcca, prepare, svcca
from atlas.shapes import Given


@metric(
    title="SVCCA, first component (as published)",
    invariances={"translation", "scaling", "rotation"},
    prepare=partial(prepare, k=1),
)
def svcca_pc1(x: Given[ArrayLike, "n p"], y: Given[ArrayLike, "n q"]) -> Svcca:
    """Correlate the first principal components of two matched samples, without sign.

    Args:
        x: n samples by p dimensions.
        y: The same n samples, in the same order, by q dimensions.
    """
    return svcca(x, y, k=1)
