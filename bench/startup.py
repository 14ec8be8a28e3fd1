"""CPU seconds that the command line takes to start: help, and a list from a small atlas.

Run: python bench/startup.py [--runs 7]
Budgets: `featlas --help` 0.15 s, `featlas ls saes` 0.60 s of CPU time, on a core of 2020 or newer.
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

BUDGETS = {"--help": 0.15, "ls saes": 0.60}


def cpu_seconds(command: list[str]) -> float:
    """User and system time of one run of a command."""
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    """Time each command and compare its median with its budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    featlas = str(Path(sys.executable).with_name("featlas"))
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "empty.duckdb"
        open_atlas(db, create=True).close()
        for arguments, budget in BUDGETS.items():
            command = [featlas, "--db", str(db), *arguments.split()]
            cpu_seconds(command)
            times = [cpu_seconds(command) for _ in range(runs)]
            print(
                f"featlas {arguments:<8}  median {statistics.median(times):.3f} s  least {min(times):.3f} s  "
                f"of {runs} runs  budget {budget:.2f} s CPU"
            )


if __name__ == "__main__":
    main()
