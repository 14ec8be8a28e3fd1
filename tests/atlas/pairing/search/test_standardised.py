"""Claims about scaled activations: where features fire is what is stored and not zero."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from atlas.pairing.search.standardised import Standardised, fires


def test_where_features_fire_is_what_is_stored_and_not_zero_and_the_input_stays():
    x = sp.csc_array((np.array([1.0, 0.0, 2.0, -1.0]), ([0, 1, 2, 2], [0, 0, 1, 1])), shape=(3, 2))
    y = sp.coo_array((np.array([1.0, 0.0, 2.0, -1.0]), ([0, 1, 2, 2], [0, 0, 1, 1])), shape=(3, 2))
    before = x.data.copy(), x.indices.copy(), x.indptr.copy()
    for side in (x, y):
        np.testing.assert_array_equal(fires(side).toarray(), [[True, False, False], [False, False, True]])
    for kept, now in zip(before, (x.data, x.indices, x.indptr), strict=True):
        np.testing.assert_array_equal(kept, now)
    ready = Standardised.of(sp.csr_array(np.eye(5)), name="x")
    np.testing.assert_array_equal(fires(ready).toarray(), np.eye(5, dtype=bool))
