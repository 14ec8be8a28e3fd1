"""`featlas study conditional`: evidence is the best run's, numbers equal dense ones, a planted detector is found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from atlas.activations import open_scan, read_scan
from atlas.cli import run
from atlas.db import open_atlas
from atlas.errors import UnknownName, UsageError
from atlas.studies.conditional import correlations, measure
from atlas.studies.proxies import FLOOR, Proxy, default_edges, evidence, log_ratios, segments
from atlas.studies.texts import Text
from tests.support.planted import N_TOKENS, write_store
from tests.support.planted_text import VOCABULARY, Planted, plant_text


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Planted]:
    """Feature 0 of A fires on ` sad`, strongly, and weakly here and there."""
    path = tmp_path_factory.mktemp("conditional") / "planted.duckdb"
    text = plant_text(path)
    codes = read_scan(path, "left").toarray()
    rng = np.random.default_rng(9)
    sad = text.token_ids == VOCABULARY.index(" sad")
    codes[:, 0] = np.where(sad, 2 + rng.random(N_TOKENS), rng.random(N_TOKENS) * (rng.random(N_TOKENS) < 0.02))
    with open_atlas(path, write=True) as atlas:
        folder = atlas.store / "left"
        shutil.rmtree(folder)
        write_store(folder, sp.csr_array(codes), 2)
        words = {"concept": ["Days", "Days"], "keyword": ["monday", "Friday"], "source": ["hand"] * 2}
        atlas.insert("concept_keyword", words)
    return path, text


def test_ratios_are_shares_inside_over_shares_of_all():
    ids, inside = np.array([0, 0, 1, 1, 1, 2]), np.array([True, False, True, True, True, False])
    expected = {0: np.log((1 / 4) / (2 / 6)), 1: np.log((3 / 4) / (3 / 6)), 2: np.log(FLOOR / (1 / 6))}
    np.testing.assert_allclose(log_ratios(ids, inside), [expected[i] for i in ids])


def test_evidence_is_that_of_the_best_run_that_ends_at_the_token_and_stays_in_its_segment():
    rng = np.random.default_rng(0)
    ratios, segment = rng.normal(size=200), np.repeat(np.arange(20), 10)
    best = [max(ratios[start : i + 1].sum() for start in range(i // 10 * 10, i + 1)) for i in range(200)]
    np.testing.assert_allclose(evidence(ratios, segment), best, atol=1e-12)


def test_tokens_patterns_scripts_and_concepts_find_their_tokens(planted):
    path, text = planted
    with open_atlas(path) as atlas:
        read = Text.read(atlas, "words", N_TOKENS)
        inside = lambda **what: Proxy(**what).inside(atlas, read)  # noqa: E731
        named = lambda *texts: np.isin(text.token_ids, [VOCABULARY.index(t) for t in texts])  # noqa: E731
        np.testing.assert_array_equal(inside(tokens=("RED", "sad ")), named(" red", " sad"))
        np.testing.assert_array_equal(inside(regex="re?d|sad"), named(" red", " sad"))
        either = inside(tokens=("red",), regex="sad")
        np.testing.assert_array_equal(either, named(" red", " sad"))
        split = named("<0xD9>")[:-1] & named("<0x84>")[1:] & (np.diff(text.document) == 0)
        letter = np.append(split, False) | np.append(False, split)  # one letter in two tokens, each a byte of it
        np.testing.assert_array_equal(inside(script="Arabic"), named(" \u0633") | letter)
        days = inside(concept="days")
        assert days.any()
        assert not days[~named(" Mon", "day")].any()
        assert not days[np.append(named("day")[1:], False) & named("day")].any()  # Mondayday is no Monday
        for wrong in (
            {},
            {"tokens": ("nowhere",)},
            {"script": "Klingon"},
            {"script": "a}|."},
            {"regex": "(?s:.)"},
            {"regex": "("},
        ):
            with pytest.raises(UsageError):
                inside(**wrong)
        with pytest.raises(UnknownName):
            inside(concept="Nights")
        np.testing.assert_array_equal(
            np.diff(segments(read)) != 0, (np.diff(text.document) != 0) | (np.diff(text.context) != 0)
        )


def test_numbers_are_those_of_dense_activations(planted):
    path, text = planted
    found = measure(path, ["A"], token=["sad", "green"], feature=[0, 5], edge=[0.0, 1.0])
    codes = read_scan(path, "left").toarray().astype(float)
    inside = np.isin(text.token_ids, [VOCABULARY.index(" sad"), VOCABULARY.index(" green")])
    value = evidence(log_ratios(text.token_ids, inside), text.document * 1000 + text.context)
    band, there = np.digitize(value, [0.0, 1.0], right=True), value > 0
    for row in found.table().rows.iter_rows(named=True):
        x = codes[:, row["feature_id"]]
        fired, half = x > 0, x >= x.max() / 2
        assert row["r"] == pytest.approx(np.corrcoef(x, there)[0, 1])
        assert row["r_inside"] == pytest.approx(np.corrcoef(x, inside)[0, 1])
        assert (row["n_fired"], row["n_both"]) == (fired.sum(), (fired & there).sum())
        assert row["precision"] == pytest.approx(there[fired].mean())
        assert row["precision_upper_half"] == pytest.approx(there[half].mean())
        assert row["precision_by_value"] == pytest.approx(x[there].sum() / x.sum())
        assert row["sensitivity_upper_half"] == pytest.approx((half & there).sum() / there.sum())
        of = lambda name: found.table(name).rows.filter(found.table(name).rows["feature_id"] == row["feature_id"])  # noqa: B023, E731
        for cell in of("bins").iter_rows(named=True):
            top = cell["hi"] >= x.max() * (1 - 1e-9)
            within = (
                fired
                & (x >= cell["lo"] * (1 - 1e-12))
                & ((x < cell["hi"] * (1 - 1e-12)) | top)
                & (band == cell["band"])
            )
            assert cell["n"] == within.sum()
            assert cell["sum"] == pytest.approx(x[within].sum())
        assert of("bins")["n"].sum() == fired.sum()
        for level in of("levels").iter_rows(named=True):
            above = fired & (x >= level["level"])
            assert level["n"] == above.sum()
            assert level["precision"] == pytest.approx(there[above].mean())
            assert level["sensitivity"] == pytest.approx((above & there).sum() / there.sum())


def test_a_planted_detector_is_found_and_the_rest_is_at_chance(planted):
    found = measure(planted[0], ["A"], token=["sad"])
    first, second = found.table().rows.head(2).iter_rows(named=True)
    assert first["feature_id"] == 0
    assert first["r"] > 0.9
    assert first["precision_upper_half"] == first["sensitivity"] == 1
    assert first["precision"] < first["precision_upper_half"]
    assert second["r"] < 2 * second["r_best_chance"]
    assert 0.02 < first["r_best_chance"] < 0.08
    bands = found.table("bins").rows
    certain = -np.log(first["n_inside"] / N_TOKENS)
    assert set(bands["band"]) == {0, 2, 3}  # none, one certain token, a run of them
    assert bands["up_to"].drop_nulls().max() == pytest.approx(certain)
    assert default_edges(planted[1].token_ids == VOCABULARY.index(" sad"))[1] == pytest.approx(certain / 2)


def test_it_prints_draws_and_says_what_is_wrong(planted, tmp_path, capsys):
    command = ["-q", "--db", str(planted[0])]
    assert run([*command, "study", "conditional", "--token", "sad", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "featlas.study.conditional.features/1"
    assert run([*command, "figure", "conditional", "A", "--concept", "Days", "-o", str(tmp_path / "c.svg")]) == 0
    assert "of the evidence" in (tmp_path / "c.svg").read_text()
    dead = ["--feature", "59", "--figure", str(tmp_path / "d.png")]
    assert run([*command, "study", "conditional", "A", "--token", "sad", *dead]) == 0
    assert "A/59: fires on 0 tokens" in capsys.readouterr().out
    assert run([*command, "study", "conditional", "A", "--token", "sad", "--feature", "60"]) == 2
    assert run([*command, "study", "conditional", "A"]) == 2
    assert "nothing to hold the features against" in capsys.readouterr().err


@pytest.mark.real
@pytest.mark.slow
def test_numbers_on_real_models_are_those_of_dense_activations(real_atlas):
    found = measure(real_atlas, ["A"], regex=r"\b(he|she|they)\b")
    scan = open_scan(real_atlas, "A")
    with open_atlas(real_atlas) as atlas:
        text = Text.read(atlas, scan.corpus, scan.n_tokens)
        inside = Proxy(regex=r"\b(he|she|they)\b").inside(atlas, text)
    there = evidence(log_ratios(text.token_ids, inside), segments(text)) > 0
    codes = read_scan(real_atlas, "A")
    r = [np.corrcoef(column.toarray().ravel(), there)[0, 1] for column in sp.csc_array(codes[:, :40]).T]
    np.testing.assert_allclose(correlations(scan, there[:, None].astype(float))[:40, 0], r, atol=1e-6)
    best = found.table().rows.row(0, named=True)
    assert best["r"] > 10 * best["r_best_chance"]
    assert best["precision_upper_half"] > 0.5
