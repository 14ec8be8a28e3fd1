"""Claims of docs/paper.md that can be tested offline: what the code released with arXiv 2410.06981 computes.

Nothing of that code is here. The few lines that matter are re-enacted, from the description in the document.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from atlas.metrics import svcca, svcca_pc1
from atlas.metrics.null import permutation_null

PAGE = Path(__file__).parent.parent / "docs" / "paper.md"


def directions(seed: int, n: int, d: int) -> np.ndarray:
    """Random rows of unit norm, as decoder rows are."""
    rows = np.random.default_rng(seed).normal(size=(n, d))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def variances(rows: np.ndarray) -> np.ndarray:
    """Squared singular values of the centred rows, descending."""
    centred = rows - rows.mean(axis=0)
    gram = centred.T @ centred if len(rows) > rows.shape[1] else centred @ centred.T
    return np.linalg.eigvalsh(gram)[::-1].clip(0)


def kept_by_the_released_rule(rows: np.ndarray) -> int:
    """Components that the released code keeps "to 99 % of the variance": a share is compared with a total."""
    squares = variances(rows)
    return int(np.argmax(np.cumsum(squares / squares.sum()) >= 0.99 * squares.sum())) + 1


def kept_by_the_text(rows: np.ndarray, share: float = 0.99) -> int:
    """Fewest components with that share of the variance."""
    squares = variances(rows)
    return int(np.argmax(np.cumsum(squares / squares.sum()) >= share)) + 1


def canonical_mean(x: np.ndarray, y: np.ndarray, epsilon: float = 1e-10) -> float:
    """Mean canonical correlation by the inverse roots of the covariances, as the released code goes about it."""
    p = x.shape[1]
    covariance = np.cov(x, y, rowvar=False)
    a, b, c = covariance[:p, :p], covariance[p:, p:], covariance[:p, p:]
    a, b, c = a / np.abs(a).max(), b / np.abs(b).max(), c / np.sqrt(np.abs(a).max() * np.abs(b).max())
    roots = []
    for matrix in (a, b):
        values, vectors = np.linalg.eigh(matrix + epsilon * np.eye(len(matrix)))
        roots.append(vectors / np.sqrt(values) @ vectors.T)
    return float(np.linalg.svd(roots[0] @ c @ roots[1], compute_uv=False).mean())


def released_svcca(x: np.ndarray, y: np.ndarray) -> float:
    """The whole function: centre, keep components by the released rule, correlate."""
    kept = []
    for rows in (x, y):
        u, s, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
        k = kept_by_the_released_rule(rows)
        kept.append(u[:, :k] * s[:k])
    return canonical_mean(*kept)


def published() -> list[tuple[int, float, float]]:
    """(pairs, published mean, predicted mean) from the table of the document."""
    rows = re.findall(r"^\| [12] \| (\d+) \| (0\.\d\d) \| (0\.\d{3}) \|$", PAGE.read_text(encoding="utf-8"), re.M)
    return [(int(n), float(mean), float(predicted)) for n, mean, predicted in rows]


def test_one_component_predicts_all_twelve_published_shuffling_means():
    table = published()
    assert len(table) == 12
    for n, mean, predicted in table:
        assert predicted == pytest.approx(np.sqrt(2 / (np.pi * n)), abs=0.0006)
        assert mean == pytest.approx(np.sqrt(2 / (np.pi * n)), abs=0.02)


def test_more_components_contradict_the_published_shuffling_means():
    """With k directions a side the mean squared correlation is k / (n - 1): ten of them score far above the tables."""
    for n, mean, _ in published():
        null = permutation_null("svcca", directions(n, n, 64), directions(n + 1, n, 96), n=50)
        assert null.mean > 2.5 * mean


@pytest.mark.parametrize("n", [24, 46, 228])
def test_shuffling_one_component_gives_the_predicted_mean(n):
    null = permutation_null("svcca_pc1", directions(1, n, 512), directions(2, n, 768), n=4000)
    assert null.mean == pytest.approx(np.sqrt(2 / (np.pi * n)), abs=0.05 / np.sqrt(n))


@pytest.mark.parametrize(("n", "text"), [(24, 23), (228, 214), (6000, 503)])
def test_a_share_of_variance_compared_with_a_total_keeps_one_component(n, text):
    rows = directions(3, n, 512)
    assert kept_by_the_released_rule(rows) == 1
    assert kept_by_the_text(rows) == pytest.approx(text, abs=1)


def test_that_comparison_needs_a_total_variance_above_one():
    """In other units the same rows keep everything or something else: the rule depends on the scale."""
    rows = directions(4, 100, 32)
    total = np.sum((rows - rows.mean(axis=0)) ** 2)
    assert kept_by_the_released_rule(rows) == 1
    assert kept_by_the_released_rule(rows / np.sqrt(total)) == kept_by_the_text(rows) > 20
    assert kept_by_the_released_rule(rows / np.sqrt(2 * total)) == kept_by_the_text(rows, 0.495) > 5


@pytest.mark.parametrize(("n", "d", "e"), [(24, 512, 768), (150, 64, 96), (400, 40, 40)])
def test_the_released_svcca_is_svcca_pc1(n, d, e):
    x, y = directions(5, n, d), directions(6, n, e)
    y[:, : min(d, e)] += 0.5 * x[:, : min(d, e)]
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    assert released_svcca(x, y) == pytest.approx(svcca_pc1(x, y).score, abs=1e-8)


@pytest.mark.parametrize(
    ("n", "score"),
    [(24, 1.00), (228, 0.97), pytest.param(3000, 0.46, marks=pytest.mark.slow)],
)
def test_99_percent_of_the_variance_of_strangers_scores_high_where_rows_are_few(n, score):
    assert svcca(directions(7, n, 512), directions(8, n, 768), variance=0.99).score == pytest.approx(score, abs=0.01)


def test_one_component_can_miss_a_shared_space_that_ten_see():
    rng = np.random.default_rng(9)
    shared = 2 * rng.normal(size=(2000, 12))
    x, y = rng.normal(size=(2000, 64)), rng.normal(size=(2000, 96))
    x[:, :12], y[:, :12] = shared, shared
    x[:, 20] += 4 * rng.normal(size=2000)
    y[:, 20] += 4 * rng.normal(size=2000)
    one, ten = permutation_null("svcca_pc1", x, y, n=200), permutation_null("svcca", x, y, n=200)
    assert one.p_value > 0.05
    assert ten.p_value == pytest.approx(1 / 201)
    assert ten.excess is not None
    assert ten.excess > 0.5


def test_the_released_correlation_is_short_by_n_minus_1_over_n():
    rng = np.random.default_rng(10)
    f, g = rng.gamma(1.0, size=50), rng.gamma(1.0, size=50)
    released = (f - f.mean()) / f.std(ddof=1) @ ((g - g.mean()) / g.std(ddof=1)) / 50
    assert released == pytest.approx(np.corrcoef(f, g)[0, 1] * 49 / 50, abs=1e-12)


def test_a_feature_that_never_fires_is_paired_with_feature_0_by_the_released_code():
    rng = np.random.default_rng(11)
    a, b = rng.gamma(1.0, size=(60, 4)), rng.gamma(1.0, size=(60, 3))
    b[:, 1] = 0
    z_a, z_b = ((m - m.mean(axis=0)) / (m.std(axis=0, ddof=1) + 1e-8) for m in (a, b))
    r = z_a.T @ z_b / 60
    assert r[:, 1].max() == 0
    assert r[:, 1].argmax() == 0
    assert (r[:, [0, 2]] != 0).all()


def test_an_else_of_a_loop_without_break_undoes_the_filter():
    pairs, filtered = [(0, "."), (1, "dog"), (2, "\n")], []
    for _ in range(1):
        filtered = [pair for pair in pairs if pair[1].isalpha()]
        assert filtered == [(1, "dog")]
    else:
        filtered = pairs
    assert filtered == pairs


def test_the_published_p_can_be_0_and_ours_cannot():
    x = directions(12, 80, 16)
    null = permutation_null("svcca_pc1", x, x, n=100)
    assert np.mean(null.draws >= null.observed) == 0
    assert null.p_value == pytest.approx(1 / 101)


def test_an_unfilled_top_5_is_filled_with_silent_tokens_by_the_released_code():
    activations = np.zeros(300)
    activations[[7, 90]] = 2.0, 1.0
    top = np.argsort(-activations, kind="stable")[:5]
    assert np.sum(activations[top] == 0) == 3


def test_features_that_share_a_partner_score_above_strangers_until_they_are_paired_one_to_one():
    """Ten near-copies in A, one feature in B: many-to-one pairs share clusters, whatever the two spaces hold."""
    rng = np.random.default_rng(13)
    a, b = directions(14, 60, 64), directions(15, 60, 96)
    copies = np.repeat(np.arange(60), 10)
    x = a[copies] + 0.05 * rng.normal(size=(600, 64))
    many, one = permutation_null("svcca", x, b[copies], n=200), permutation_null("svcca", a, b, n=200)
    assert many.z is not None
    assert many.z > 10
    assert one.p_value > 0.05


def test_hidden_states_of_a_layer_are_what_goes_into_it():
    import torch
    from transformers import AutoModelForCausalLM

    from tests.support.hub_cache import tiny_config

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(tiny_config("neox")).eval()
    ins, outs = {}, {}
    for i, layer in enumerate(model.gpt_neox.layers):
        layer.register_forward_pre_hook(lambda _, args, i=i: ins.update({i: args[0].clone()}))
        layer.register_forward_hook(
            lambda _, args, out, i=i: outs.update({i: (out[0] if isinstance(out, tuple) else out).clone()})
        )
    with torch.inference_mode():
        states = model(torch.arange(2, 18)[None], output_hidden_states=True).hidden_states
    assert len(states) == len(ins) + 1 == 4
    for i in range(3):
        torch.testing.assert_close(states[i], ins[i])
    for i in range(2):
        torch.testing.assert_close(states[i + 1], outs[i])
        assert not torch.allclose(states[i], outs[i], atol=1e-3)
    assert not torch.allclose(states[3], outs[2], atol=1e-3)
    with torch.inference_mode():
        torch.testing.assert_close(states[3], model.gpt_neox.final_layer_norm(outs[2]))


def test_every_test_that_the_document_names_is_here():
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    there = set()
    for file in ("test_paper.py", "real/test_paper.py", "test_experiment.py"):
        there |= set(re.findall(r"^def (test_\w+)", (Path(__file__).parent / file).read_text(encoding="utf-8"), re.M))
    assert named
    assert named <= there
