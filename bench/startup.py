"""CPU seconds that the command line takes to start: help, and lists from a filled atlas. Exit 1 if over budget.

Run: python bench/startup.py [--runs 7]
Budgets are in `BUDGETS`, in seconds of CPU on a core of 2020 or newer; the median of the runs counts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from atlas import open_atlas

try:
    from bench.make_atlas import Size, write
except ImportError:  # run as a script, with its own folder on the path
    from make_atlas import Size, write

BUDGETS = {"--help": 0.15, "ls saes": 0.60, "ls features": 0.60}
SIZE = Size(n_saes=2, d_sae=4096)


def cpu_seconds(command: list[str]) -> float:
    """User and system time of one run of a command."""
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def over_budget(db: Path, arguments: str, budget: float, runs: int) -> bool:
    """Time one command, print it and say whether it took too long."""
    program = "from atlas.cli import main; main()"
    command = [sys.executable, "-c", program, "--db", str(db), *arguments.split()]
    cpu_seconds(command)
    times = [cpu_seconds(command) for _ in range(runs)]
    median = statistics.median(times)
    verdict = "OVER BUDGET" if median > budget else "ok"
    print(
        f"featlas {arguments:<12}  median {median:.3f} s  least {min(times):.3f} s  of {runs} runs  "
        f"budget {budget:.2f} s CPU  {verdict}"
    )
    return median > budget


def main() -> int:
    """Time each command on an atlas of `SIZE`; 1 if any took too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "filled.duckdb"
        with open_atlas(db, create=True) as atlas, atlas.transaction():
            write(atlas, SIZE, seed=0)
        late = [over_budget(db, arguments, budget, runs) for arguments, budget in BUDGETS.items()]
    return 1 if any(late) else 0


if __name__ == "__main__":
    sys.exit(main())
