"""`featlas metric`: which options belong to which metric, and what is printed of a score."""

from __future__ import annotations

import inspect
import json
from dataclasses import replace

import pytest

from atlas.catalog.requests import MetricOptions
from atlas.choices import options_of
from atlas.cli import run
from atlas.cli.kit.score_text import describe
from atlas.metrics import METRICS
from atlas.scores.score import Score

SCORE = Score(
    score_id=3,
    metric="rsa",
    sae_a="one\x1b[2J",
    sae_b="two",
    corpus="words",
    corpus_b="words",
    space="decoder",
    null_kind="shuffle",
    expected=None,
    expected_std=None,
    expected_square=None,
    half_mean=None,
    half_apart=None,
    n_halves=None,
    details={},
    low=None,
    high=None,
    n_bootstrap=None,
    n_tokens=100,
    subset="best",
    n=12,
    value=0.6,
    null_mean=0.2,
    null_std=0.1,
    null_n=50,
    z=4.0,
    p_value=0.02,
    excess=0.5,
    dims_a=None,
    dims_b=None,
    forced=None,
    options={},
    seed=0,
)


@pytest.fixture
def scored(monkeypatch):
    """Every comparison gives `SCORE`; the options it was asked with."""
    asked: dict = {}

    def compare(db, a, b, wanted, **how):
        asked.update(wanted.options)
        return SCORE

    monkeypatch.setattr("atlas.scores.compare.compare", compare)
    return asked


@pytest.mark.parametrize("option", ["--json", "--format=json"])
def test_json_carries_the_excess_over_the_null(scored, capsys, option):
    assert run(["metric", "rsa", "A", "B", option]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["value"], found["excess"]) == ("featlas.metric/1", 0.6, 0.5)


def test_a_score_is_printed_with_its_excess_over_the_null():
    assert "rsa 0.6  null 0.2 ± 0.1  excess 0.5  z 4.0" in describe(SCORE)
    assert "excess undefined" in describe(replace(SCORE, excess=None))


def test_what_only_some_metrics_give_has_lines_of_its_own():
    closed = replace(SCORE, expected=0.0, expected_std=0.125, details={"n_pairs": 66})
    assert "(in closed form 0 ± 0.125, z 4.8)" in describe(closed)
    assert "  66 pairs of rows" in describe(closed)
    assert "  distance 0.5 " in describe(replace(SCORE, details={"distance": 0.5}))
    canonical = replace(SCORE, details={"mean_square": 0.25}, expected_square=0.125)
    assert "  mean squared correlation 0.25, by chance 0.125 (exact)" in describe(canonical)


def test_names_in_a_score_cannot_reach_the_terminal_as_escapes():
    assert "one·[2J × two" in describe(SCORE)


def test_every_keyword_of_a_metric_can_be_given():
    keywords = {
        (metric.name, parameter.name)
        for metric in METRICS.values()
        for parameter in inspect.signature(metric.function).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    assert keywords == {option.sets for option in options_of(MetricOptions).values()}


def test_options_reach_the_metric_under_its_own_names(scored):
    assert run(["metric", "svcca", "A", "B", "--directions", "4"]) == 0
    assert scored["k"] == 4
    assert "variance" not in scored


@pytest.mark.parametrize(
    ("name", "option", "owner"),
    [("rsa", "directions", "svcca"), ("svcca_pc1", "variance", "svcca"), ("svcca", "rdm", "rsa")],
)
def test_an_option_of_another_metric_is_refused(capsys, name, option, owner):
    value = {"directions": "4", "variance": "0.9", "rdm": "cosine"}[option]
    assert run(["metric", name, "A", "B", f"--{option}", value]) == 2
    assert f"--{option} is an option of {owner}, not of {name}" in capsys.readouterr().err
