"""Time and memory of exact sparse correlation, against the plain sparse product and the dense method of the paper.

The dense method runs on a slice of the features and is extrapolated to all of them: by columns for standardising, by
pairs for the product. Run: python bench/correlate.py [--tokens 30000] [--features 32768] [--l0 32]
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from atlas.pairing import correlate_sparse


class Cost(NamedTuple):
    """What one call took, in a process of its own."""

    answer: Any
    seconds: float
    megabytes: float
    """Peak resident memory above what the process held before the call."""


def measured(function: Callable[..., Any], *args: Any) -> Cost:
    """Call the function in a forked process, so that its peak memory is its own."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def child() -> None:
        before, started = _peak_mb(), time.perf_counter()
        answer = function(*args)
        sender.send(Cost(answer, time.perf_counter() - started, _peak_mb() - before))

    process = context.Process(target=child)
    process.start()
    sender.close()  # so that a child that dies ends the wait
    cost = receiver.recv()
    process.join()
    return cost


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def zipf_scan(n_tokens: int, d_sae: int, l0: int, seed: int) -> sp.csr_array:
    """Activations whose feature frequencies fall like 1 / rank, 5 % of the features dead."""
    rng = np.random.default_rng(seed)
    live = rng.permutation(d_sae)[: int(0.95 * d_sae)]
    weight = np.cumsum(1 / (np.arange(len(live)) + 50))
    feature = live[np.searchsorted(weight, rng.random(n_tokens * l0) * weight[-1])].astype(np.int32)
    token = np.repeat(np.arange(n_tokens, dtype=np.int32), l0)
    values = rng.exponential(size=n_tokens * l0).astype(np.float32)
    return sp.csr_array((values, (token, feature)), shape=(n_tokens, d_sae))


def atlas_method(a: sp.csr_array, b: sp.csr_array, top_k: int) -> float:
    """Top-k both ways; the answer printed is the mean best r."""
    return float(np.nanmean(correlate_sparse(a, b, top_k=top_k).value_ab[:, 0]))


def plain_product(a: sp.csr_array, b: sp.csr_array) -> int:
    """`A.T @ B` in float64: the sums alone, without correlation, top-k or counts."""
    return (a.T.astype(np.float64) @ b.astype(np.float64)).nnz


def dense_slice(a: sp.csr_array, b: sp.csr_array, columns: int) -> tuple[float, float]:
    """Seconds to standardise, and to correlate, the first columns of both sides: 100 at a time, float32, one way."""
    started = time.perf_counter()
    z_a, z_b = (_standardised(side[:, :columns].toarray()) for side in (a, b))
    standardised = time.perf_counter()
    for start in range(0, columns, 100):
        (z_a.T @ z_b[:, start : start + 100] / a.shape[0]).max(axis=0)
    return standardised - started, time.perf_counter() - standardised


def _standardised(x: np.ndarray) -> np.ndarray:
    return (x - x.mean(axis=0)) / (x.std(axis=0, ddof=1) + np.float32(1e-8))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=30_000)
    parser.add_argument("--features", type=int, default=32_768)
    parser.add_argument("--l0", type=int, default=32)
    parser.add_argument("--top-k", type=int, default=10)
    parser.add_argument("--slice", type=int, default=2_048, help="features a side that the dense method gets")
    options = parser.parse_args()
    a, b = (zipf_scan(options.tokens, options.features, options.l0, seed) for seed in (0, 1))
    stored_mb = sum(m.data.nbytes + m.indices.nbytes + m.indptr.nbytes for m in (a, b)) / 2**20
    print(
        f"{options.features} x {options.features} features, {options.tokens} tokens, {a.nnz / options.tokens:.1f}",
        end="",
    )
    print(f" active a token; inputs {stored_mb:.0f} MB; memory is the peak above the inputs\n")

    ours = measured(atlas_method, a, b, options.top_k)
    report("correlate_sparse, both ways", ours.seconds, ours.megabytes, f"mean best r {ours.answer:.3f}")
    product = measured(plain_product, a, b)
    ratio = product.seconds / ours.seconds
    report("A.T @ B, sums only", product.seconds, product.megabytes, f"{ratio:.1f}x our time")
    part = measured(dense_slice, a, b, options.slice)
    report(f"dense blocks, {options.slice} features measured", part.seconds, part.megabytes)
    share = options.features / options.slice
    seconds = part.answer[0] * share + part.answer[1] * share**2
    megabytes = 4 * options.features * (3 * options.tokens + 200) / 2**20  # two standardised sides and one temporary
    ratio = seconds / ours.seconds
    report("dense blocks, all, one way (EXTRAPOLATED)", seconds, megabytes, f"{ratio:.0f}x our time")


def report(method: str, seconds: float, megabytes: float, remark: str = "") -> None:
    print(f"{method:42s}{seconds:9.1f} s {megabytes:8.0f} MB   {remark}".rstrip())


if __name__ == "__main__":
    main()
