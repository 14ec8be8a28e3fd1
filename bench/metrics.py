"""Time of one permutation of each metric's null, fast path against scoring afresh, and peak memory of preparing it.

Run: python bench/metrics.py [--rows 3000] [--columns 512] [--draws 20]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from correlate import measured  # the script beside this one

from atlas.metrics import METRICS

CASES = {
    "svcca k=10": ("svcca", {"k": 10}),
    "svcca 99 %": ("svcca", {"variance": 0.99}),
    "svcca_pc1": ("svcca_pc1", {}),
    "rsa spearman": ("rsa", {}),
    "rsa pearson": ("rsa", {"compare": "pearson"}),
}


def timed(name: str, options: dict, x: np.ndarray, y: np.ndarray, n_draws: int) -> tuple[float, float, float, float]:
    """Seconds to prepare, per fast draw and per draw afresh, and the largest difference between the two scores."""
    metric = METRICS[name]
    if metric.prepare is None:
        raise SystemExit(f"{name} has no fast path")
    rng = np.random.default_rng(0)
    orders = [rng.permutation(len(x)) for _ in range(n_draws)]
    clock = [time.perf_counter()]
    prepared = metric.prepare(x, y, **options)
    clock.append(time.perf_counter())
    fast = [prepared.permuted(order) for order in orders]
    clock.append(time.perf_counter())
    afresh = metric.function(x, y[orders[0]], **options).score
    clock.append(time.perf_counter())
    prepare, draws, once = np.diff(clock)
    return prepare, draws / n_draws, once, abs(afresh - fast[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=3_000)
    parser.add_argument("--columns", type=int, default=512)
    parser.add_argument("--draws", type=int, default=20)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(options.rows, options.columns)) for _ in range(2))
    print(f"{options.rows} rows, {options.columns} columns a side; memory is the peak above the inputs\n")
    print(f"{'':14s}{'prepare':>10s}{'a draw':>11s}{'afresh':>10s}{'ratio':>8s}{'memory':>10s}{'difference':>12s}")
    for label, (name, metric_options) in CASES.items():
        cost = measured(timed, name, metric_options, x, y, options.draws)
        prepare, draw, afresh, difference = cost.answer
        print(f"{label:14s}{prepare:8.2f} s{1000 * draw:8.2f} ms{afresh:8.2f} s", end="")
        print(f"{afresh / draw:7.0f}x{cost.megabytes:7.0f} MB{difference:12.0e}")


if __name__ == "__main__":
    main()
