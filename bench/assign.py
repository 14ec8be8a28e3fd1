"""Time and memory of the exact assignment, against SciPy's dense method where that fits.

Two kinds of values: cosines of random unit decoder directions, a share of them planted as noisy twins, and activation
correlations above 0. Run: python bench/assign.py [--features 8192 16384 32768] [--width 512] [--dense-up-to 16384]
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import scipy.sparse as sp
from correlate import measured, report, zipf_scan
from scipy.optimize import linear_sum_assignment

from atlas.pairing import MEASURES
from atlas.pairing.assignment.assign import Assignment, assign, certify
from atlas.pairing.search.standardised import Standardised


def decoders(n: int, width: int, planted: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two (n, width) float32 matrices of unit rows; a share of the second are noisy copies of the first, shuffled."""
    rng = np.random.default_rng(seed)
    x, y = (rng.normal(size=(n, width)).astype(np.float32) for _ in range(2))
    twins = int(planted * n)
    y[:twins] = x[:twins] + rng.uniform(0.1, 2.0, size=(twins, 1)).astype(np.float32) * y[:twins]
    y = y[rng.permutation(n)]
    return tuple(side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, y))


def correlations(n: int, n_tokens: int) -> sp.csr_array:
    """Pearson r > 0 of two synthetic TopK-32 scans of n features."""
    x, y = (Standardised.of(zipf_scan(n_tokens, n, 32, seed), name="scan") for seed in (0, 1))
    parts = []
    for start in range(0, n, 1024):
        r = sp.csr_array(x.by_feature[start : start + 1024] @ y.by_token)
        r.data -= np.repeat(x.ratio[start : start + 1024], np.diff(r.indptr)) * y.ratio[r.indices]
        r.data[~(r.data > 0)] = 0.0
        r.eliminate_zeros()
        parts.append(r)
    return sp.csr_array(sp.vstack(parts, format="csr"))


def cosine_method(x: np.ndarray, y: np.ndarray) -> Assignment:
    return assign(MEASURES["decoder"].rows(x, y))


def cosine_check(x: np.ndarray, y: np.ndarray, answer: Assignment) -> tuple[bool, float]:
    return certify(MEASURES["decoder"].rows(x, y), answer)


def dense_cosines(x: np.ndarray, y: np.ndarray) -> float:
    x, y = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x.astype(np.float64), y.astype(np.float64)))
    return dense_total(x @ y.T)


def dense_sparse(values: sp.csr_array) -> float:
    return dense_total(values.toarray())


def dense_total(values: np.ndarray) -> float:
    return float(values[linear_sum_assignment(values, maximize=True)].sum())


def compare(title: str, inputs: tuple[Any, ...], method: Any, dense: Any, with_dense: bool, check: Any = None) -> None:
    """Print what our method takes, then the afresh check of its certificate, then SciPy on the dense matrix."""
    print(f"\n{title}")
    ours = measured(method, *inputs)
    answer = ours.answer
    proof = f"certified, gap {answer.gap:.1e}" if answer.certified else f"NOT certified, gap {answer.gap:.1e}"
    report("assign", ours.seconds, ours.megabytes, f"total {answer.total:.9f}, {proof}")
    if check:
        afresh = measured(check, *inputs, answer)
        holds, gap = afresh.answer
        report("certify, all values afresh", afresh.seconds, afresh.megabytes, f"holds {holds}, gap {gap:.1e}")
    if with_dense:
        scipy = measured(dense, *inputs)
        ratio, off = scipy.seconds / ours.seconds, scipy.answer - answer.total
        report("linear_sum_assignment, dense", scipy.seconds, scipy.megabytes, f"{ratio:.1f}x our time, off {off:.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=int, nargs="+", default=[8_192, 16_384, 32_768])
    parser.add_argument("--width", type=int, default=512, help="d_model of the decoders")
    parser.add_argument("--tokens", type=int, default=30_000)
    parser.add_argument("--dense-up-to", type=int, default=16_384, help="SciPy needs 8 bytes a pair, 8.6 GB at 32768")
    parser.add_argument("--no-check", action="store_true", help="leave the second proof of the cosines out")
    options = parser.parse_args()
    print("memory is the peak above the inputs")
    for n in options.features:
        dense = n <= options.dense_up_to
        check = None if options.no_check else cosine_check
        for planted in (0.0, 0.5):
            title = f"{n} x {n} decoder cosines, width {options.width}, {planted:.0%} planted"
            compare(title, decoders(n, options.width, planted), cosine_method, dense_cosines, dense, check)
        values = correlations(n, options.tokens)
        title = f"{n} x {n} activation correlations on {options.tokens} tokens, {values.nnz / 1e6:.1f} M above 0"
        compare(title, (values,), assign, dense_sparse, dense)


if __name__ == "__main__":
    started = time.perf_counter()
    main()
    print(f"\n{time.perf_counter() - started:.0f} s in all")
