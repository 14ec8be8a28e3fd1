"""The measures on two real models and three SAEs: what was measured once, independently, is found again."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from atlas import open_atlas
from atlas.activations import read_scan
from atlas.cli import run
from atlas.metrics.dictionaries import mmcs as mmcs_of
from atlas.pairing import correlate_sparse
from atlas.pairing.measures.coactivation import coactivation
from tests.support.dense_oracle import Text, hidden_states

pytestmark = [pytest.mark.real, pytest.mark.slow]

SEED_0, SEED_1 = "stories260k_L2_topk256k8_s0", "stories260k_L2_topk256k8_s1"


@pytest.fixture(scope="module")
def measured(real_atlas: Path, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real pair A, B with two more measures and an assignment, and the second seed of A's SAE as C."""
    db = tmp_path_factory.mktemp("measures") / "real.duckdb"
    shutil.copy(real_atlas, db)
    shutil.copytree(f"{real_atlas}.store", f"{db}.store")
    where = ["--model", shared_data / "models" / "stories260k", "--corpus", shared_data / "text" / "tinystories.txt"]
    shape = ["--tokens", "200000", "--context-length", "128", "--hook", "blocks.2.hook_resid_post"]
    commands = [
        ["ingest", *where, "--sae", shared_data / "saes" / SEED_1, *shape],
        ["correlate", "A", "B", "--measure", "logit"],
        ["correlate", "A", "B", "--measure", "attribution"],
        ["match", "A", "B", "--method", "assignment"],
        ["correlate", "A", "C"],
        ["correlate", "A", "C", "--measure", "decoder"],
        ["match", "A", "C", "--method", "assignment", "--measure", "decoder"],
        ["match", "A", "C", "--method", "assignment", "--measure", "encoder"],
    ]
    for command in commands:
        assert run(["-q", "--db", str(db), *map(str, command)]) == 0
    return db


def test_features_match_across_models_better_than_residual_dimensions_do(measured: Path, shared_data: Path):
    with open_atlas(measured) as atlas:
        text = Text.of(atlas.rows("select token_ids, documents from context order by context_id").rows)
        features = atlas.rows(
            "select median(value) from best_matches where measure = 'activation' and direction = 'a_to_b' and sae_b like 'llama%'"
        ).rows[0][0]
        strong, targets = atlas.rows(
            "select avg((value > 0.7)::int), count(distinct partner) from best_matches "
            "where measure = 'activation' and direction = 'a_to_b' and sae_b like 'llama%'"
        ).rows[0]
    assert strong == pytest.approx(0.21, abs=0.03)
    assert targets == pytest.approx(134, abs=12)
    stories, llama = (hidden_states(shared_data / "models" / name, 2, text) for name in ("stories260k", "llama2xs"))
    d = stories.shape[1]
    dimensions = np.abs(np.corrcoef(stories.T.astype(float), llama.T.astype(float))[:d, d:])
    assert np.median(dimensions.max(axis=1)) == pytest.approx(0.268, abs=0.03)
    assert features == pytest.approx(0.46, abs=0.03)


def assigned(path: Path, measure: str) -> tuple[np.ndarray, np.ndarray]:
    """Activation and another measure at the pairs of the assignment by activation whose correlation is above 0.3."""
    with open_atlas(path) as atlas:
        rows = atlas.rows(
            "select x.value, p.value from assignments x join pairs_both_ways p using (sae_a, sae_b, feature_a, feature_b) "
            "where x.measure = 'activation' and p.measure = $measure and x.value > 0.3",
            measure=measure,
        ).rows
    return np.array(rows).T


def test_an_assignment_costs_correlation(measured: Path):
    with open_atlas(measured) as atlas:
        n, mean, median, certified, chance = atlas.rows(
            "select count(*), avg(value), median(value), bool_and(certified), max(chance) from assignments "
            "where measure = 'activation'"
        ).rows[0]
        strong = atlas.rows("select count(*) from assignments where measure = 'activation' and value > 0.3").rows[0][0]
    assert 240 <= n <= 256  # pairs of no positive value stay unmatched
    assert certified
    assert (mean, median) == pytest.approx((0.422, 0.382), abs=0.03)
    assert strong == pytest.approx(153, abs=12)
    assert chance < 0.05


def test_whether_features_fire_is_a_proxy_of_how_strongly(real_atlas: Path):
    a, b = read_scan(real_atlas, "A"), read_scan(real_atlas, "B")
    both = []
    for found in (correlate_sparse(a, b, top_k=256), coactivation(a, b, kind="phi", top_k=256)):
        matrix = np.full((256, 256), np.nan)
        feature, rank = np.nonzero(found.index_ab >= 0)
        matrix[feature, found.index_ab[feature, rank]] = found.value_ab[feature, rank]
        both.append(matrix.ravel())
    known = ~np.isnan(both).any(axis=0)
    assert known.mean() > 0.98
    assert np.corrcoef(np.array(both)[:, known])[0, 1] == pytest.approx(0.885, abs=0.02)


def test_attribution_tracks_activation_and_logit_weights_do_not(measured: Path):
    activation, logit = assigned(measured, "logit")
    tracked, attribution = assigned(measured, "attribution")
    assert min(len(activation), len(tracked)) > 100
    assert np.corrcoef(activation, logit)[0, 1] < 0.35
    assert np.corrcoef(tracked, attribution)[0, 1] == pytest.approx(0.57, abs=0.1)
    assert np.median(logit) == pytest.approx(0.283, abs=0.05)
    assert np.median(attribution) == pytest.approx(0.418, abs=0.05)
    assert np.corrcoef(tracked, attribution)[0, 1] > np.corrcoef(activation, logit)[0, 1] + 0.2


def test_two_seeds_share_what_was_measured_before(measured: Path):
    with open_atlas(measured) as atlas:
        means = dict(
            atlas.rows(
                "select measure, avg(value) from assignments where measure in ('decoder', 'encoder') group by measure"
            ).rows
        )
        share = dict(
            atlas.rows("select orphan_because is null, count(*) from shared_features('A', 'C') group by 1").rows
        )
        same, mmcs = atlas.rows(
            "select avg((partner = encoder_partner)::int), "
            "(select avg(b.value) from best_matches b where b.measure = 'decoder' and b.direction = 'a_to_b') "
            "from shared_features('A', 'C')"
        ).rows[0]
        activation = atlas.rows(
            "select median(value) from best_matches where measure = 'activation' and direction = 'a_to_b' and sae_b = $sae",
            sae=SEED_1,
        ).rows[0][0]
        chance = atlas.rows("select max(chance) from assignments where measure = 'decoder'").rows[0][0]
        swept = dict(atlas.rows("select threshold, share from sharing_sweep('A', 'C')").rows)
    assert means == pytest.approx({"decoder": 0.609, "encoder": 0.559}, abs=0.002)
    assert same == pytest.approx(0.67, abs=0.01)
    assert share[True] / 256 == pytest.approx(0.15, abs=0.01) == swept[0.7]
    assert mmcs == pytest.approx(0.635, abs=0.002)
    assert activation == pytest.approx(0.627, abs=0.02)
    assert chance == pytest.approx(0.33, abs=0.02)  # random dictionaries of 256 x 64
    rng = np.random.default_rng(0)
    assert mmcs_of(rng.normal(size=(256, 64)), rng.normal(size=(256, 64))).score == pytest.approx(0.34, abs=0.02)
