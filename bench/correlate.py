"""Time and memory of exact sparse correlation, against the plain sparse product and the dense method of the paper.

The dense method of the paper runs on a slice of the features and is extrapolated to all of them: by columns for
standardising, by pairs for the product. Run: python bench/correlate.py [--tokens 30000 1000000] [--features 32768]
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
    """Top-k both ways with the counts; the answer printed is the mean best r."""
    return float(np.nanmean(correlate_sparse(a, b, top_k=top_k).value_ab[:, 0]))


def plain_product(a: sp.csr_array, b: sp.csr_array) -> int:
    """`A.T @ B` in float64: the sums alone, without correlation, top-k or counts."""
    return (a.T.astype(np.float64) @ b.astype(np.float64)).nnz


def dense_slice(a: Any, b: Any, features: int, blocks: int) -> tuple[float, float]:
    """Seconds to standardise the first features of A, and to compare them with one block of 100 of B.

    The method of arXiv 2410.06981 on torch and the processor: float32, B to A, the best alone.
    """
    import torch

    def standardised(side: Any, columns: int) -> torch.Tensor:
        x = torch.from_numpy(side[:, :columns].toarray())
        return (x - x.mean(dim=0, keepdim=True)) / (x.std(dim=0, keepdim=True) + 1e-8)

    z_b = standardised(b, 100 * blocks)
    started = time.perf_counter()
    z_a = standardised(a, features)
    ready = time.perf_counter()
    (z_a[:, :100].t() @ z_b[:, :100]).max(dim=0)  # the first product starts the threads
    started_blocks = time.perf_counter()
    for start in range(0, 100 * blocks, 100):
        (torch.matmul(z_a.t(), z_b[:, start : start + 100]) / a.shape[0]).max(dim=0)
    return ready - started, (time.perf_counter() - started_blocks) / blocks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, nargs="+", default=[30_000], help="one table each; try 30000 1000000")
    parser.add_argument("--features", type=int, default=32_768)
    parser.add_argument("--l0", type=int, default=32)
    parser.add_argument("--top-k", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each sparse method, in turn; the least counts")
    options = parser.parse_args()
    for n_tokens in options.tokens:
        table(n_tokens, options.features, options.l0, options.top_k, options.repeat)


def table(n_tokens: int, features: int, l0: int, top_k: int, repeat: int) -> None:
    """Measure all methods on one pair of scans."""
    a, b = (zipf_scan(n_tokens, features, l0, seed) for seed in (0, 1))
    stored_mb = sum(m.data.nbytes + m.indices.nbytes + m.indptr.nbytes for m in (a, b)) / 2**20
    print(f"{features} x {features} features, {n_tokens} tokens, {a.nnz / n_tokens:.1f} active a token; ", end="")
    print(f"inputs {stored_mb:.0f} MB; memory is the peak above the inputs\n")

    runs = [(measured(atlas_method, a, b, top_k), measured(plain_product, a, b)) for _ in range(repeat)]
    ours, product = (min(costs, key=lambda cost: cost.seconds) for costs in zip(*runs, strict=True))
    report("correlate_sparse, both ways", ours.seconds, ours.megabytes, f"mean best r {ours.answer:.3f}")
    ratio = product.seconds / ours.seconds
    report("A.T @ B, sums only", product.seconds, product.megabytes, f"{ratio:.1f}x our time")

    # Three dense copies of the slice at once, in 3 GB.
    some = min(features, 8192, int(3e9 / 12 / n_tokens))
    part = measured(dense_slice, a, b, some, 3)
    standardise, block = part.answer
    report(f"dense, {some} x 300 features measured", standardise + 3 * block, part.megabytes)
    seconds = 2 * standardise * features / some + block * (features / some) * (features / 100)
    megabytes = 4 * features * (3 * n_tokens + 200) / 2**20  # two standardised sides and one temporary
    report("dense, all, one way (EXTRAPOLATED)", seconds, megabytes, f"{seconds / ours.seconds:.0f}x our time")
    print()


def report(method: str, seconds: float, megabytes: float, remark: str = "") -> None:
    print(f"{method:42s}{seconds:9.1f} s {megabytes:8.0f} MB   {remark}".rstrip())


if __name__ == "__main__":
    main()
