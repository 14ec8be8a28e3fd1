"""Claims about the arithmetic: a small fixed case, worked out from definitions by a script that knows nothing of ours."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from atlas.metrics import METRICS, procrustes
from atlas.metrics.dictionaries import mmcs, pw_mcc
from atlas.metrics.null import permutation_null

TESTS = Path(__file__).parents[2]
SCRIPT = TESTS / "support" / "make_golden_metrics.py"
GOLDEN = json.loads((TESTS / "data" / "golden_metrics.json").read_text(encoding="utf-8"))
X, Y, Z = (np.array(GOLDEN["inputs"][name]) for name in "xyz")

CALLS = {
    "svcca k=2": ("svcca", {"k": 2}),
    "svcca variance=0.9": ("svcca", {"variance": 0.9}),
    "cka debiased": ("cka", {"debiased": True}),
    **{f"mutual_knn k=3 {by}": ("mutual_knn", {"k": 3, "by": by}) for by in ("cosine", "euclidean")},
    **{
        f"rsa {rdm} {compare}": ("rsa", {"rdm": rdm, "compare": compare})
        for rdm in ("euclidean", "correlation", "cosine")
        for compare in ("spearman", "pearson", "kendall")
    },
    **{name: (name, {}) for name in ("svcca_pc1", "cca", "pwcca", "cka", "procrustes", "matched_cosine")},
}
APART = {
    "pwcca swapped": lambda: METRICS["pwcca"].function(Y, X).score,
    "procrustes distance": lambda: procrustes(X, Y).distance,
    "mmcs": lambda: mmcs(X, Z, draws=0).score,
    "pw_mcc": lambda: pw_mcc(X[:6], Z[6:], draws=0).score,
}


@pytest.mark.parametrize("label", GOLDEN["scores"])
def test_every_metric_gives_the_stored_number(label):
    if label in APART:
        score = APART[label]()
    else:
        name, options = CALLS[label]
        score = METRICS[name].function(X, Z if name == "matched_cosine" else Y, **options).score
    assert score == pytest.approx(GOLDEN["scores"][label], abs=1e-9)


def test_no_metric_is_left_out():
    assert {name for name, _ in CALLS.values()} == set(METRICS)
    assert set(CALLS) | set(APART) == set(GOLDEN["scores"])


@pytest.mark.parametrize("name", GOLDEN["moments of the first 7 rows"])
def test_moments_are_those_of_all_pairings(name):
    null = permutation_null(name, X[:7], (Z if name == "matched_cosine" else Y)[:7], n=1)
    mean, std = GOLDEN["moments of the first 7 rows"][name]
    assert (null.expected, null.expected_std) == pytest.approx((mean, std), abs=1e-9)


def test_the_script_still_makes_the_stored_file():
    done = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_script_knows_nothing_of_the_atlas():
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"))
    imported = {a.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    imported |= {str(node.module).split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= {"__future__", "argparse", "itertools", "json", "math", "pathlib", "numpy"}
