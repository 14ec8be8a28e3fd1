"""`featlas study seeds`: counterparts are those of dense matrices, and of SAEs that were measured before."""

from __future__ import annotations

import json
import shutil
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.stats import spearmanr

from atlas.activations import read_scan
from atlas.catalog.scans import Scanned
from atlas.cli import run
from atlas.db import open_atlas
from atlas.errors import AtlasError
from atlas.figures.seeds import draw
from atlas.queries.weights import weight_rows
from atlas.studies.findings import Findings
from atlas.studies.seeds.pairs import RULES, Compared
from atlas.studies.seeds.study import measure
from atlas.studies.seeds.tables import orphans_among, sweep
from tests.support.planted import D_SAE, N_TWINS, plant


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "planted.duckdb"
    plant(path)
    return path


@pytest.fixture(scope="module")
def found(db: Path) -> Findings:
    return measure(db)


def cosines(db: Path, column: str) -> np.ndarray:
    """(d_left, d_right), dense."""
    with open_atlas(db) as atlas:
        rows = [weight_rows(atlas, sae, column).astype(np.float64) for sae in ("left", "right")]
    x, y = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in rows)
    return x @ y.T


def test_one_row_a_side_has_the_numbers_of_dense_matrices(db, found):
    decoder, encoder = cosines(db, "w_dec"), cosines(db, "w_enc")
    codes = [read_scan(db, sae).toarray().astype(np.float64) for sae in ("left", "right")]
    with np.errstate(invalid="ignore"):
        r = np.corrcoef(*[side.T for side in codes])[:D_SAE, D_SAE:]
    for row in found.table("pairs").rows.iter_rows(named=True):
        dec, enc, act = (m if row["sae"] == "left" else m.T for m in (decoder, encoder, r))
        i, j = linear_sum_assignment(dec, maximize=True)
        _, k = linear_sum_assignment(enc, maximize=True)
        assert row["decoder_best"] == pytest.approx(dec.max(axis=1).mean(), abs=1e-6)
        assert row["encoder_best"] == pytest.approx(enc.max(axis=1).mean(), abs=1e-6)
        assert row["decoder_assigned"] == pytest.approx(dec[i, j].mean(), abs=1e-6)
        assert row["same_counterpart"] == pytest.approx(np.mean(j == k))
        strict = (j == k) & (np.minimum(dec[i, j], enc[i, k]) >= 0.7)
        assert row["shared_paulo_belrose"] == pytest.approx(strict.mean())
        assert row["shared_assignment"] == pytest.approx(np.mean(dec[i, j] >= 0.7))
        assert row["shared_top_1"] == pytest.approx(np.mean(dec.max(axis=1) >= 0.7))
        best = np.nanmax(act[:-1, :-1], axis=1)
        assert row["activation_median"] == pytest.approx(np.median(best), abs=1e-6)
        assert row["shared_activation"] == pytest.approx(np.sum(best >= 0.7) / D_SAE)
        n_fired = (codes[row["sae"] == "right"] > 0).sum(axis=0)
        assert row["density_rank_r"] == pytest.approx(spearmanr(n_fired, dec[i, j])[0], abs=1e-9)
        assert row["shared_paulo_belrose"] >= 0.9 * N_TWINS / D_SAE
        assert row["activation_chance"] < 0.2 < row["chance_best"] < row["decoder_best"]


def test_partners_by_rank_are_the_largest_cosines_in_order(db, found):
    dec = np.sort(cosines(db, "w_dec"), axis=1)[:, ::-1]
    of = found.table("ranks").rows.filter(pl.col("sae") == "left", pl.col("measure") == "decoder")
    assert of["rank"].to_list() == [1, 2, 3, 4]
    assert of["mean"].to_numpy() == pytest.approx(dec[:, :4].mean(axis=0), abs=1e-6)
    assert of["share_70"].to_numpy() == pytest.approx((dec[:, :4] >= 0.7).mean(axis=0))
    assert (np.diff(of["random_mean"].to_numpy()) < 0).all()


@pytest.mark.parametrize(("rule", "measure_"), RULES)
def test_the_sweep_is_that_of_the_macro(db, found, rule, measure_):
    of = found.table("sweep").rows.filter(
        pl.col("sae") == "right", pl.col("rule") == rule, pl.col("measure") == measure_
    )
    with open_atlas(db) as atlas:
        rows = atlas.rows(
            "select threshold, share from sharing_sweep('right', 'left', rule := $rule, measure := $measure)",
            rule=rule,
            measure=measure_,
        ).rows
    assert list(zip(of["threshold"], of["share"], strict=True)) == rows


def test_labels_are_counted_among_orphans_and_among_the_rest(db, found, tmp_path):
    path = tmp_path / "labels.duckdb"
    shutil.copy(db, path)
    shutil.copytree(f"{db}.store", f"{path}.store")
    orphan = found.table("features").rows.filter(pl.col("alias") == "A", pl.col("n_shared") == 0, pl.col("n_fired") > 0)
    with open_atlas(path, write=True) as atlas:
        for feature in [0, 1, 2, int(orphan["feature_id"][0])]:
            given = {"sae_id": [1], "feature_id": [feature], "label": ["a label"], "source": ["test"]}
            atlas.insert("feature_label", given)
    rows = measure(path).table("labels").rows.filter(pl.col("alias") == "A")
    assert rows["orphan"].to_list() == [False, True]
    assert rows["n_labelled"].to_list() == [3, 1]
    assert rows["n"].to_list() == [D_SAE - 1 - len(orphan), len(orphan)]


def compared(name: str, others: dict[str, list[float]]) -> list[Compared]:
    """Comparisons of one SAE whose features reach given values in the others."""
    scan = lambda sae: Scanned(sae, sae, "m", "h", 0, "topk", 4, 5, sae, "words", 1, 100)  # noqa: E731
    found = []
    for other, values in others.items():
        n = len(values)
        judged = pl.DataFrame(
            {
                "feature": range(n),
                "value": values,
                "least_value": values,
                "n_fired": [1] * n,
                "passes": [True] * n,
                "labelled": [False] * n,
            }
        )
        random = np.array([[0.5, 0.4, 0.3, 0.2], [0.9, 0.4, 0.3, 0.2]])
        found.append(Compared(scan(name), scan(other), "seed", {RULES[0]: judged}, pl.DataFrame(), {}, {}, random))
    return found


def test_orphans_among_k_others_are_the_mean_over_all_choices_of_k():
    rng = np.random.default_rng(0)
    values = {other: rng.random(5).round(2).tolist() for other in "bcde"}
    rows = orphans_among(compared("a", values), 0.5)
    for k, share in zip(rows["k"], rows["share_orphan"], strict=True):
        chosen = [np.array([values[other] for other in some]) for some in combinations("bcde", k)]
        assert share == pytest.approx(np.mean([(some < 0.5).all(axis=0).mean() for some in chosen]))


def test_chance_of_the_strict_rule_needs_both_assignments_to_agree():
    rows = sweep(compared("a", {"b": [0.9] * 5})[0])
    assert rows.filter(pl.col("threshold") == 0.4)["random"].item() == pytest.approx(1 / 5)
    assert rows.filter(pl.col("threshold") == 0.6)["random"].item() == pytest.approx(1 / 10)


def test_what_two_saes_differ_in_is_read_from_their_configurations(db, tmp_path):
    path = tmp_path / "cfg.duckdb"
    shutil.copy(db, path)
    base = {"metadata": {"style": "mixed", "seed": 0}, "k": 8}
    with open_atlas(path, write=True) as atlas:
        seen = []
        for cfg, more in (
            (base | {"metadata": {"style": "mixed", "seed": 1}}, ""),
            (base | {"metadata": {"style": "almanac", "seed": 1}}, ""),
            (base | {"k": 16}, ""),
            (base | {"k": 16}, ", d_sae = 61, architecture = 'standard'"),
        ):
            atlas.rows("update sae set cfg = $cfg where name = 'left'", cfg=json.dumps(base))
            atlas.rows(f"update sae set cfg = $cfg{more} where name = 'right'", cfg=json.dumps(cfg))
            seen += atlas.rows("select differ, n_differ from sae_differences where sae = 'left'").rows
        atlas.rows("update sae set hook_name = 'other' where name = 'right'")
        seen += atlas.rows("select differ, n_differ from sae_differences where sae = 'right'").rows
    several = [("architecture and width", 2), ("hook and architecture and width", 3)]
    assert seen == [("seed", 0), ("dataset", 1), ("sparsity", 1), *several]


def test_what_is_stored_is_not_computed_again(db, found):
    with open_atlas(db) as atlas:
        before = atlas.rows("select count(*) from run").rows
    assert measure(db).lines == found.lines
    with open_atlas(db) as atlas:
        assert atlas.rows("select count(*) from run").rows == before


def test_the_command_prints_and_draws_and_needs_two_saes(db, tmp_path, capsys):
    command = ["-q", "--db", str(db), "study", "seeds"]
    assert run([*command, "--table", "kinds", "--format", "json", "--figure", str(tmp_path / "s.svg")]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["differ"], row["n"]) for row in rows] == [("seed", 2)]
    assert "random vectors" in (tmp_path / "s.svg").read_text()
    assert run([*command, "A"]) == 1
    assert "no two of these SAEs read the same hook" in capsys.readouterr().err
    with pytest.raises(AtlasError):
        measure(db, ["left"])


@pytest.mark.real
@pytest.mark.slow
def test_two_seeds_of_a_topk_sae_share_what_was_measured_before(real_atlas, shared_data, tmp_path):
    db = tmp_path / "real.duckdb"
    shutil.copy(real_atlas, db)
    shutil.copytree(f"{real_atlas}.store", f"{db}.store")
    where = ["--model", shared_data / "models" / "stories260k", "--corpus", shared_data / "text" / "tinystories.txt"]
    shape = ["--tokens", "200000", "--context-length", "128", "--hook", "blocks.2.hook_resid_post"]
    sae = shared_data / "saes" / "stories260k_L2_topk256k8_s1"
    assert run(["-q", "--db", str(db), "ingest", *map(str, where), "--sae", str(sae), *shape]) == 0
    found = measure(db)
    row = found.table("pairs").rows.row(0, named=True)
    assert (row["sae"][-2:], row["other"][-2:], row["differ"]) == ("s0", "s1", "seed")
    assert row["decoder_best"] == pytest.approx(0.635, abs=0.002)
    assert row["decoder_assigned"] == pytest.approx(0.609, abs=0.002)
    assert row["same_counterpart"] == pytest.approx(0.67, abs=0.01)
    assert row["shared_paulo_belrose"] == pytest.approx(0.15, abs=0.01)
    assert row["activation_median"] == pytest.approx(0.627, abs=0.02)
    assert row["chance_best"] == pytest.approx(0.34, abs=0.02)
    draw(found).savefig(tmp_path / "real.png")


@pytest.mark.slow
def test_built_in_saes_agree_across_seeds_more_than_across_datasets_and_architectures(tmp_path):
    from ingest.job import ingest
    from ingest.spec import IngestRequest
    from ingest.toy.artifacts import toy_model, toy_sae, write_corpus

    db, corpus = tmp_path / "built-in.duckdb", write_corpus(tmp_path / "small-world.txt", n_documents=200)
    small = ("w512_s0", "w512_s1", "w512_stories_s0", "topk512_s0")
    saes = {"tinyA": [f"tinyA_L1_{name}" for name in small]}
    saes |= {model: [f"{model}_L1_w1024_s0"] for model in ("tinyB", "untrainedA")}
    for model, names in saes.items():
        folders = tuple(str(toy_sae(name)) for name in names)
        ingest(IngestRequest(model=str(toy_model(model)), saes=folders, corpus=str(corpus), tokens=10_000), db=db)
    for a, b in (("A", "E"), ("E", "F")):
        assert run(["-q", "--db", str(db), "correlate", a, b]) == 0
    found = measure(db, models=True)
    kinds = {row["differ"]: row for row in found.table("kinds").rows.iter_rows(named=True)}
    assert list(kinds) == ["seed", "architecture", "dataset", "architecture and dataset"]
    for name in ("decoder_best", "encoder_best", "shared_paulo_belrose", "shared_assignment", "activation_median"):
        seed, dataset, architecture = (kinds[kind][name] for kind in ("seed", "dataset", "architecture"))
        assert seed > dataset > architecture
    assert kinds["seed"]["decoder_best"] == pytest.approx(0.87, abs=0.01)
    assert kinds["seed"]["chance_best"] == pytest.approx(0.372, abs=0.01)
    assert kinds["seed"]["shared_paulo_belrose"] == pytest.approx(0.61, abs=0.02)
    assert kinds["architecture"]["shared_paulo_belrose"] < 0.2
    trained, untrained = found.table("models").rows.rows(named=True)
    assert (trained["model"], untrained["model_other"]) == ("tinyA", "untrainedA")
    assert untrained["activation_median"] > 3 * untrained["activation_chance"]
    assert untrained["rsa"] < 0.06 < 0.15 < trained["rsa"]
