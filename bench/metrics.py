"""Time of one permutation of each metric's null, fast path against scoring afresh, and peak memory of preparing it.

Run: python bench/metrics.py [--draws 10]                     all metrics, 3,000 rows of 512 columns a side
     python bench/metrics.py --case svcca --null 1000         the whole null of SVCCA, 8,000 rows of 512 and 768, k = 20
     python bench/metrics.py --case rsa [--rows 20000]        RSA on 6,000 rows; from 10,000 on without SciPy's answer
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from correlate import measured  # the script beside this one
from scipy.spatial.distance import pdist
from scipy.stats import rankdata

from atlas.metrics import METRICS
from atlas.metrics.null import permutation_null
from atlas.metrics.rsa import bytes_needed

CASES = {
    "svcca k=10": ("svcca", {"k": 10}),
    "svcca 99 %": ("svcca", {"variance": 0.99}),
    "svcca_pc1": ("svcca_pc1", {}),
    "cca": ("cca", {}),
    "pwcca": ("pwcca", {}),
    "cka": ("cka", {}),
    "cka debiased": ("cka", {"debiased": True}),
    "procrustes": ("procrustes", {}),
    "mutual_knn": ("mutual_knn", {}),
    "matched_cosine": ("matched_cosine", {}),
    "rsa spearman": ("rsa", {}),
    "rsa pearson": ("rsa", {"compare": "pearson"}),
}


def sample(rows: int, *columns: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(rows, width)) for width in columns]


def clocked(function: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    return function(), time.perf_counter() - started


def timed(name: str, options: dict, x: np.ndarray, y: np.ndarray, n_draws: int) -> tuple[float, float, float, float]:
    """Seconds to prepare, per fast draw and per draw afresh, and the difference between the two scores."""
    metric = METRICS[name]
    if metric.prepare is None:
        raise SystemExit(f"{name} has no fast path")
    rng = np.random.default_rng(0)
    orders = [rng.permutation(len(x)) for _ in range(n_draws)]
    prepared, prepare = clocked(lambda: metric.prepare(x, y, **options))  # pyright: ignore[reportOptionalCall]
    fast, draws = clocked(lambda: [prepared.permuted(order) for order in orders])
    afresh, once = clocked(lambda: metric.function(x, y[orders[0]], **options).score)
    return prepare, draws / n_draws, once, abs(afresh - fast[0])


def all_metrics(n_draws: int) -> None:
    x, y = sample(3000, 512, 512)
    print("3,000 rows, 512 columns a side; memory is the peak above the inputs\n")
    print(f"{'':14s}{'prepare':>10s}{'a draw':>11s}{'afresh':>10s}{'ratio':>8s}{'memory':>10s}{'difference':>12s}")
    for label, (name, metric_options) in CASES.items():
        cost = measured(timed, name, metric_options, x, y, n_draws)
        prepare, draw, afresh, difference = cost.answer
        print(f"{label:14s}{prepare:8.2f} s{1000 * draw:8.2f} ms{afresh:8.2f} s", end="")
        print(f"{afresh / draw:7.0f}x{cost.megabytes:7.0f} MB{difference:12.0e}")


def svcca_null(n: int) -> None:
    """A whole null, preparing included, against scoring two of its draws afresh."""
    x, y = sample(8000, 512, 768)
    null, whole = clocked(lambda: permutation_null("svcca", x, y, n=n, k=20))
    rng = np.random.Generator(np.random.PCG64(0))
    orders = [rng.permutation(8000) for _ in range(2)]
    scores, twice = clocked(lambda: [METRICS["svcca"].function(x, y[order], k=20).score for order in orders])
    print(f"SVCCA, 8,000 rows of 512 and 768 columns, k = 20: {n} draws in {whole:.2f} s")
    apart = abs(np.array(scores) - null.draws[:2]).max()
    print(f"  afresh {twice / 2:.2f} s a draw: {n * twice / 2 / whole:.0f}x, difference {apart:.0e}")
    print(f"  mean squared correlation expected {null.moments.mean_square:.5f}, mean score drawn {null.mean:.5f}")


def scipy_rsa(x: np.ndarray, y: np.ndarray) -> float:
    """RSA as a script would write it, distances and ranks and all."""
    return float(np.corrcoef(rankdata(pdist(x)), rankdata(pdist(y)))[0, 1])


def prepared_rsa(x: np.ndarray, y: np.ndarray, n_draws: int) -> tuple[float, float, float]:
    rng = np.random.default_rng(0)
    orders = [rng.permutation(len(x)) for _ in range(n_draws)]
    metric = METRICS["rsa"]
    prepared, prepare = clocked(lambda: metric.prepare(x, y))  # pyright: ignore[reportOptionalCall]
    draws, seconds = clocked(lambda: [prepared.permuted(order) for order in orders])
    return prepare, seconds / n_draws, draws[0]


def rsa_rows(rows: int, n_draws: int) -> None:
    x, y = sample(rows, 512, 512)
    cost = measured(prepared_rsa, x, y, n_draws)
    prepare, draw, score = cost.answer
    print(f"RSA, {rows:,} rows of 512 columns: prepared in {prepare:.1f} s, {1000 * draw:.0f} ms a draw")
    print(f"  peak {cost.megabytes:,.0f} MB; said beforehand {bytes_needed(rows) / 2**20:,.0f} MB")
    if rows < 10_000:
        order = np.random.default_rng(0).permutation(rows)
        afresh, once = clocked(lambda: scipy_rsa(x, y[order]))
        print(f"  SciPy afresh {once:.1f} s a draw: {once / draw:.0f}x, difference {abs(afresh - score):.0e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=["all", "svcca", "rsa"], default="all")
    parser.add_argument("--rows", type=int, default=6_000)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--null", type=int, default=1_000)
    options = parser.parse_args()
    if options.case == "all":
        all_metrics(options.draws)
    elif options.case == "svcca":
        svcca_null(options.null)
    else:
        rsa_rows(options.rows, options.draws)


if __name__ == "__main__":
    main()
