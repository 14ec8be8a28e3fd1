"""Write tests/data/golden_metrics.json: every metric on one small fixed case, from its definition, in plain NumPy.

Nothing of the atlas is imported and nothing is fast: correlations by eigenvalues of covariances, HSIC by its sums,
neighbours by sorting, assignments and moments by going through all permutations.
Run: python tests/support/make_golden_metrics.py [--check]
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
from pathlib import Path

import numpy as np

TARGET = Path(__file__).parents[1] / "data" / "golden_metrics.json"


def case() -> dict[str, np.ndarray]:
    """x (12, 5), y (12, 4) that shares two directions with it, z (12, 5); numbers of three decimals."""
    i, j = np.arange(1, 13)[:, None], np.arange(1, 6)[None, :]
    x = np.sin(1.3 * i * j + 0.7 * j) * (6 - j)
    y = np.cos(0.9 * i * j[:, :4] ** 2)
    y[:, :2] += x[:, :2] - 0.5 * x[:, 2:4]
    z = x + np.sin(i + 5.0 * j)
    return {"x": x.round(3), "y": y.round(3), "z": z.round(3)}


def principal(x: np.ndarray, k: int) -> np.ndarray:
    """The sample in its k leading principal components: eigenvectors of the covariance."""
    values, vectors = np.linalg.eigh(np.cov(x.T))
    return (x - x.mean(axis=0)) @ vectors[:, np.argsort(-values)[:k]]


def n_directions(x: np.ndarray, variance: float) -> int:
    values = np.sort(np.linalg.eigvalsh(np.cov(x.T)))[::-1]
    return next(k for k in range(1, len(values) + 1) if values[:k].sum() / values.sum() >= variance)


def canonical(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Canonical correlations and variates of x (n, c): eigenvectors of Sxx^-1 Sxy Syy^-1 Syx."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    product = np.linalg.inv(x.T @ x) @ (x.T @ y) @ np.linalg.inv(y.T @ y) @ (y.T @ x)
    squares, vectors = np.linalg.eig(product)
    leading = np.argsort(-np.real(squares))[: min(x.shape[1], y.shape[1])]
    variates = x @ np.real(vectors[:, leading])
    return np.sqrt(np.real(squares[leading])), variates / np.linalg.norm(variates, axis=0)


def pwcca(x: np.ndarray, y: np.ndarray) -> float:
    rho, variates = canonical(x, y)
    columns = (x - x.mean(axis=0)).T
    weights = [sum(abs(column @ variate) for column in columns) for variate in variates.T]
    return float(np.average(rho, weights=weights))


def distance(a: np.ndarray, b: np.ndarray, kind: str) -> float:
    if kind == "euclidean":
        return math.dist(a, b)
    if kind == "correlation":
        a, b = a - a.mean(), b - b.mean()
    return 1 - float(a @ b) / math.sqrt(float(a @ a) * float(b @ b))


def rdm(x: np.ndarray, kind: str) -> np.ndarray:
    return np.array([distance(x[i], x[j], kind) for i in range(len(x)) for j in range(i + 1, len(x))])


def ranks(values: np.ndarray) -> np.ndarray:
    return np.array([(values < v).sum() + ((values == v).sum() + 1) / 2 for v in values])


def agreement(a: np.ndarray, b: np.ndarray, kind: str) -> float:
    if kind == "spearman":
        a, b = ranks(a), ranks(b)
    if kind == "kendall":
        a, b = (np.sign(v[:, None] - v[None, :]).ravel() for v in (a, b))
        return float(a @ b / math.sqrt((a @ a) * (b @ b)))
    return float(np.corrcoef(a, b)[0, 1])


def rsa(x: np.ndarray, y: np.ndarray, kind: str, compare: str) -> float:
    return agreement(rdm(x, kind), rdm(y, kind), compare)


def hsic(k: np.ndarray, m: np.ndarray, debiased: bool) -> float:
    n, one = len(k), np.ones(len(k))
    if not debiased:
        h = np.eye(n) - 1 / n
        return float(np.trace(k @ h @ m @ h)) / (n - 1) ** 2
    k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    whole = np.trace(k @ m) + one @ k @ one * (one @ m @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (one @ k @ m @ one)
    return float(whole) / (n * (n - 3))


def cka(x: np.ndarray, y: np.ndarray, debiased: bool) -> float:
    k, m = x @ x.T, y @ y.T
    return hsic(k, m, debiased) / math.sqrt(hsic(k, k, debiased) * hsic(m, m, debiased))


def procrustes(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Score, from the eigenvalues of x'y y'x, and the distance that is left after the rotation itself."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    y = np.hstack([y, np.zeros((len(y), x.shape[1] - y.shape[1]))])
    x, y = x / math.sqrt((x**2).sum()), y / math.sqrt((y**2).sum())
    u, _, vt = np.linalg.svd(y.T @ x)
    squares = np.linalg.eigvalsh(x.T @ y @ y.T @ x)
    return float(np.sqrt(squares.clip(0)).sum()), float(np.sqrt(((x - y @ (u @ vt)) ** 2).sum()))


def mutual_knn(x: np.ndarray, y: np.ndarray, k: int, by: str) -> float:
    def near(side: np.ndarray, i: int) -> set[int]:
        others = [j for j in range(len(side)) if j != i]
        return set(sorted(others, key=lambda j: distance(side[i], side[j], by))[:k])

    pairs = [(near(x, i), near(y, i)) for i in range(len(x))]
    return float(np.mean([len(a & b) / len(a | b) for a, b in pairs]))


def cosines(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.array([[1 - distance(a, b, "cosine") for b in y] for a in x])


def scores(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> dict[str, float]:
    """Every metric by what it is called with."""
    kinds, compares = ("euclidean", "correlation", "cosine"), ("spearman", "pearson", "kendall")
    kept = [principal(side, n_directions(side, 0.9)) for side in (x, y)]
    few = cosines(x[:6], z[6:12])
    score, left = procrustes(x, y)
    return {
        "svcca k=2": float(canonical(principal(x, 2), principal(y, 2))[0].mean()),
        "svcca variance=0.9": float(canonical(*kept)[0].mean()),
        "svcca_pc1": float(canonical(principal(x, 1), principal(y, 1))[0].mean()),
        "cca": float(canonical(x, y)[0].mean()),
        "pwcca": pwcca(x, y),
        "pwcca swapped": pwcca(y, x),
        **{f"rsa {kind} {compare}": rsa(x, y, kind, compare) for kind in kinds for compare in compares},
        "cka": cka(x, y, False),
        "cka debiased": cka(x, y, True),
        "procrustes": score,
        "procrustes distance": left,
        **{f"mutual_knn k=3 {by}": mutual_knn(x, y, 3, by) for by in ("cosine", "euclidean")},
        "matched_cosine": float(np.diag(cosines(x, z)).mean()),
        "mmcs": float(cosines(x, z).max(axis=1).mean()),
        "pw_mcc": max(float(np.mean([abs(few[i, p[i]]) for i in range(6)])) for p in itertools.permutations(range(6))),
    }


def moments(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> dict[str, list[float]]:
    """Mean and standard deviation over all 5,040 pairings of the first seven rows."""
    x, y, z = x[:7], y[:7], z[:7]
    orders = np.array(list(itertools.permutations(range(7))))
    xc, yc = x - x.mean(axis=0), y - y.mean(axis=0)
    gram_x, gram_y, angle = xc @ xc.T, yc @ yc.T, cosines(x, z)
    upper = np.triu_indices(7, 1)
    square_y = np.zeros((7, 7))
    square_y[upper] = ranks(rdm(y, "euclidean"))
    square_y += square_y.T
    rank_x = ranks(rdm(x, "euclidean"))
    drawn = {
        "cka": [(gram_x * gram_y[np.ix_(p, p)]).sum() for p in orders] / np.sqrt((gram_x**2).sum() * (gram_y**2).sum()),
        "rsa": [np.corrcoef(rank_x, square_y[np.ix_(p, p)][upper])[0, 1] for p in orders],
        "matched_cosine": [angle[np.arange(7), p].mean() for p in orders],
    }
    return {name: [float(np.mean(values)), float(np.std(values))] for name, values in drawn.items()}


def golden() -> dict:
    """What the file holds."""
    given = case()
    return {
        "inputs": {name: rows.tolist() for name, rows in given.items()},
        "scores": scores(**given),
        "moments of the first 7 rows": moments(**given),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the file instead of writing it")
    made = golden()
    if not parser.parse_args().check:
        TARGET.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
        return
    stored = json.loads(TARGET.read_text(encoding="utf-8"))
    if stored["inputs"] != made["inputs"] or stored["scores"].keys() != made["scores"].keys():
        raise SystemExit(f"{TARGET.name} holds another case: make it again")
    for part in ("scores", "moments of the first 7 rows"):
        for name, value in made[part].items():
            if not np.allclose(stored[part][name], value, rtol=0, atol=1e-9):
                raise SystemExit(f"{name} is {value}, {TARGET.name} holds {stored[part][name]}")


if __name__ == "__main__":
    main()
