"""`featlas study pooling`: numbers equal those of dense documents, length alone is told from meaning."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from atlas.activations import open_scan, read_scan
from atlas.cli import run
from atlas.db import open_atlas
from atlas.studies.pooling.pooled import Pooled, drawn_documents
from atlas.studies.pooling.study import measure
from atlas.studies.texts import Text
from tests.support.planted import N_TOKENS, plant
from tests.support.planted_text import Planted, plant_text


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Planted]:
    path = tmp_path_factory.mktemp("pooling") / "planted.duckdb"
    return path, plant_text(path)


def dense_pools(
    codes: np.ndarray, document: np.ndarray, truncation: int | None, how: str
) -> tuple[np.ndarray, np.ndarray]:
    """(n_documents, d_sae) pooled activations and the tokens pooled, document by document."""
    parts = [codes[document == d][:truncation] for d in np.unique(document)]
    pool = np.max if how == "max" else np.mean
    return np.stack([pool(part, axis=0) for part in parts]), np.array([len(part) for part in parts], float)


def residual(side: np.ndarray, length: np.ndarray) -> np.ndarray:
    """What a line in the length leaves of a side."""
    line = np.stack([np.ones(len(length)), length], axis=1)
    return side - line @ np.linalg.lstsq(line, side, rcond=None)[0]


@pytest.mark.parametrize("truncation", [None, 8, 20])
@pytest.mark.parametrize("how", ["max", "mean"])
def test_correlations_are_those_of_dense_documents(planted, truncation, how):
    path, text = planted
    codes = read_scan(path, "left")
    pooled = Pooled.of(codes, text.document, truncation, how)
    values, length = dense_pools(codes.toarray().astype(float), text.document, truncation, how)
    np.testing.assert_allclose(pooled.values.toarray(), values, atol=1e-12)
    np.testing.assert_array_equal(pooled.length, length)
    known = ~np.isnan(text.label)
    there, y = pooled.with_label(text.label), text.label[known]
    for feature in (0, 3, 17):
        x = values[known, feature]
        assert there.plain[0, feature] == pytest.approx(np.corrcoef(x, y)[0, 1])
        given = np.corrcoef(residual(x, length[known]), residual(y, length[known]))[0, 1]
        assert there.given_length[0, feature] == pytest.approx(given)
    assert np.isnan(there.plain[0, -1])  # a dead feature
    if truncation == 8:
        np.testing.assert_array_equal(there.plain, there.given_length)
        assert np.isnan(pooled.with_length()).all()
    else:
        assert pooled.with_length()[3] == pytest.approx(np.corrcoef(values[:, 3], length)[0, 1])


def test_a_bootstrap_draw_is_the_correlation_over_the_documents_it_drew(planted):
    path, text = planted
    pooled = Pooled.of(read_scan(path, "left"), text.document, 20, "max")
    weights = drawn_documents(len(text.label), draws=3, seed=1)
    drawn = pooled.with_label(text.label, weights=weights, features=np.array([3, 17]))
    assert (weights.sum(axis=1) == len(text.label)).all()
    again = np.repeat(np.arange(len(text.label)), weights[2].astype(int))
    again = again[~np.isnan(text.label[again])]
    x, y, z = pooled.values.toarray()[again, 17], text.label[again], pooled.length[again]
    assert drawn.plain[2, 1] == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert drawn.given_length[2, 1] == pytest.approx(np.corrcoef(residual(x, z), residual(y, z))[0, 1])


def test_dealt_labels_give_the_chance_that_theory_says(planted):
    path, text = planted
    pooled = Pooled.of(read_scan(path, "left"), text.document, None, "max")
    dealt = pooled.shuffled(text.label, draws=400, seed=0)
    n = np.count_nonzero(~np.isnan(text.label))
    assert np.nanmean(dealt.plain**2) == pytest.approx(1 / (n - 1), rel=0.05)
    assert np.nanmean(dealt.given_length**2) == pytest.approx(1 / (n - 2), rel=0.05)
    np.testing.assert_array_equal(dealt.plain[:2], pooled.shuffled(text.label, draws=2, seed=0).plain)


def test_a_correlation_that_is_length_alone_grows_for_max_pooling_and_vanishes_given_length(planted):
    found = measure(planted[0], ["A"], max_tokens=[8, 20, 40], draws=50)
    rows = found.table("truncations").rows
    top = rows.filter(rows["pooling"] == "max")
    assert top["truncation"].to_list() == [8, 20, 40, None]
    assert top["rms_r"][0] < 1.4 * top["rms_r_chance"][0]
    assert top["rms_r"][3] > 1.8 * top["rms_r_chance"][3]
    assert top["rms_r_given_length"][3] < 1.4 * top["rms_r_given_length_chance"][3]
    assert top["length_r_label"][3] > 0.7
    assert top["length_r_label"][0] is None
    growth = found.table("growth").rows
    np.testing.assert_allclose(growth["growth"], growth["r_whole"].abs() - growth["r_from"].abs(), atol=1e-12)
    assert (growth["low"] <= growth["high"]).all()
    assert "for mean pooling; chance" in found.lines[0]


def test_a_pattern_labels_documents_and_named_features_get_bands(planted):
    path, text = planted
    found = measure(path, ["A"], matching="red green", feature=[3], draws=20)
    words = [
        "".join(t for t, d in zip(text.text, text.document, strict=True) if d == n)
        for n in range(text.document[-1] + 1)
    ]
    assert f"1 on {sum('red green' in w for w in words)}" in found.sample
    rows = found.table("features").rows
    assert set(rows["feature_id"]) == {3}
    assert (rows["r_low"] <= rows["r_high"]).all()
    assert run(["--db", str(path), "study", "pooling", "A", "--matching", "("]) == 2
    assert run(["--db", str(path), "study", "pooling", "A", "--feature", "99"]) == 1


def test_a_pattern_covers_the_tokens_that_share_a_character_with_what_it_finds(planted):
    path, text = planted
    with open_atlas(path) as atlas:
        read = Text.read(atlas, "words", N_TOKENS)
    np.testing.assert_array_equal(read.context, text.context)
    covered = read.covered(re.compile(r"\bMonday\b|\u0644"))
    for i in range(1, N_TOKENS - 2):
        here = [text.text[j] if text.document[j] == text.document[i] else " " for j in (i - 1, i, i + 1, i + 2)]
        byte = here[1:3] == ["<0xD9>", "<0x84>"] or here[:2] == ["<0xD9>", "<0x84>"]
        word = (here[1:3] == [" Mon", "day"] and here[3][0] in " .<") or (
            here[:2] == [" Mon", "day"] and here[2][0] in " .<"
        )
        if "<0x" not in "".join(here) or byte:  # whether a broken byte ends a word is not looked at here
            assert covered[i] == (byte or word), (i, here)


def test_it_prints_draws_and_stays_calm_without_labels_or_text(planted, tmp_path, capsys):
    command = ["-q", "--db", str(planted[0])]
    assert run([*command, "study", "pooling", "--draws", "5", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "featlas.study.pooling.truncations/1"
    assert run([*command, "figure", "pooling", "A", "--draws", "5", "-o", str(tmp_path / "p.svg")]) == 0
    assert "labels dealt at random" in (tmp_path / "p.svg").read_text()
    figure = ["--figure", str(tmp_path / "b.png")]
    assert run([*command, "study", "pooling", "A", "--matching", "never there", *figure]) == 0
    assert "no label varies" in capsys.readouterr().out
    bare = tmp_path / "bare.duckdb"
    plant(bare)
    assert run(["--db", str(bare), "study", "pooling"]) == 1
    assert "is not whole" in capsys.readouterr().err


@pytest.mark.real
@pytest.mark.slow
def test_on_real_text_the_view_the_study_and_dense_documents_agree(shared_data, tmp_path):
    stories = (shared_data / "text" / "tinystories.txt").read_text().split("<|endoftext|>")[:200]
    lines = [json.dumps({"text": s, "happy": "happy" in s}) for s in stories if s.strip()]
    (tmp_path / "labelled.jsonl").write_text("\n".join(lines))
    db = tmp_path / "labelled.duckdb"
    where = [
        "--model",
        str(shared_data / "models" / "stories260k"),
        "--sae",
        str(shared_data / "saes" / "stories260k_L2_topk256k8_s0"),
    ]
    shape = ["--context-length", "128", "--hook", "blocks.2.hook_resid_post", "--label-field", "happy"]
    assert (
        run(
            [
                "-q",
                "--db",
                str(db),
                "ingest",
                *where,
                "--corpus",
                str(tmp_path / "labelled.jsonl"),
                "--tokens",
                "8000",
                *shape,
            ]
        )
        == 0
    )
    found = measure(db, feature=list(range(256)), draws=2)
    rows = found.table("features").rows
    n_tokens = open_scan(db, "A").n_tokens
    with open_atlas(db) as atlas:
        stored = atlas.sql("from pooled_correlations").pl()
        text = Text.read(atlas, stored["corpus"].to_list()[0], n_tokens)
    for how in ("max", "mean"):
        of = rows.filter(rows["pooling"] == how)
        both = stored.join(of, on=["feature_id", "truncation"], nulls_equal=True)
        assert len(both) >= len(stored) / 7
        for mine, theirs in (("r", f"{how}_r_label"), ("r_given_length", f"{how}_r_label_given_length")):
            known = both.filter(both[mine].is_not_null() & both[theirs].is_not_null())
            assert len(known) > 100
            np.testing.assert_allclose(known[mine], known[theirs], atol=1e-5)
    codes = sp.csr_array(read_scan(db, "A")).toarray().astype(float)
    values, _ = dense_pools(codes, text.document, None, "max")
    label = np.array([float("happy" in s) for s in stories if s.strip()])[: len(values)]
    here = rows.filter((rows["pooling"] == "max") & rows["truncation"].is_null() & rows["r"].is_not_null())
    direct = [np.corrcoef(values[:, f], label)[0, 1] for f in here["feature_id"]]
    np.testing.assert_allclose(here["r"], direct, atol=1e-6)
