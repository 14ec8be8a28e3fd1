"""`featlas study ablation`: changes are those that a forward hook on the model in transformers gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from atlas.cli import run
from atlas.db import open_atlas
from atlas.errors import AtlasError, UsageError
from atlas.references import FeatureRef
from atlas.studies.ablation import measure
from ingest.ablation import ablate
from ingest.job import ingest
from tests.support.ingest_tiny import build_tiny, tiny_request


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model, its SAEs, and an atlas of them."""
    folder = build_tiny(tmp_path_factory.mktemp("ablation"))
    ingest(tiny_request(folder), db=folder / "tiny.duckdb")
    return folder


@pytest.fixture(scope="module")
def feature(folder: Path) -> int:
    with open_atlas(folder / "tiny.duckdb") as atlas:
        query = "select feature_id from features where sae = 'one' order by n_fired desc, feature_id limit 1"
        return atlas.rows(query).rows[0][0]


def log_p(folder: Path, ids: list[int], change=None) -> np.ndarray:
    """Log probability of every token but the first, with a change of what leaves block 1, by transformers."""
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(folder / "model").eval()
    if change is not None:
        model.gpt_neox.layers[1].register_forward_hook(
            lambda _, __, out: (change(out[0]), *out[1:]) if isinstance(out, tuple) else change(out)
        )
    with torch.inference_mode():
        logits = model(torch.tensor([ids])).logits[0, :-1].double()
    return torch.log_softmax(logits, dim=-1)[range(len(ids) - 1), ids[1:]].numpy()


def test_changes_are_those_of_a_forward_hook_in_transformers(folder, feature):
    from safetensors.torch import load_file

    assert ablate(folder / "tiny.duckdb", [FeatureRef("one", feature)], contexts=3) == 1
    w = load_file(folder / "one" / "sae_weights.safetensors")
    with open_atlas(folder / "tiny.duckdb") as atlas:
        rows = atlas.rows(
            "select a.effects, a.start, k.token_ids, k.documents from ablation a join context k using (context_id) "
            "order by a.rank"
        ).rows
    assert len(rows) == 3
    for effects, start, ids, documents in rows:
        counted = torch.tensor(documents) >= 0

        def without(x, counted=counted):
            flat = x.reshape(-1, x.shape[-1])
            code = torch.relu(flat @ w["W_enc"] + w["b_enc"])[:, feature]
            return (flat - (code * counted)[:, None] * w["W_dec"][feature]).reshape(x.shape)

        expected = np.append(np.nan, log_p(folder, ids, without) - log_p(folder, ids))
        expected[np.array(documents) < 0] = np.nan
        found = np.array([np.nan if value is None else value for value in effects])
        np.testing.assert_allclose(found, expected[start : start + len(found)], atol=2e-5)
        assert np.nanmax(np.abs(found)) > 1e-4


def test_what_is_stored_is_not_measured_again_and_more_contexts_replace_it(folder, feature):
    db, ref = folder / "tiny.duckdb", FeatureRef("A", feature)
    ablate(db, [ref], contexts=2)
    assert ablate(db, [ref], contexts=2) == 0
    assert ablate(db, [ref, ref], contexts=5) == 1
    with open_atlas(db) as atlas:
        assert atlas.rows("select rank from ablations where feature_id = $f order by rank", f=feature).rows == [
            (rank,) for rank in range(1, 6)
        ]


def test_tokens_before_the_first_firing_one_do_not_change(folder, feature):
    ablate(folder / "tiny.duckdb", [FeatureRef("one", feature)])
    tokens = measure(folder / "tiny.duckdb", [FeatureRef("one", feature)]).table("tokens").rows
    for _, of in tokens.group_by("rank"):
        fires = of.filter(of["activation"] > 0)["place"].to_numpy().min()
        before = of.filter((of["place"] <= fires) & of["effect"].is_not_null())
        assert np.allclose(before["effect"].to_numpy(), 0, atol=1e-9)


def test_numbers_of_a_feature_are_those_of_its_tokens(folder, feature):
    ablate(folder / "tiny.duckdb", [FeatureRef("one", feature)])
    found = measure(folder / "tiny.duckdb", [FeatureRef("one", feature)])
    row, tokens = found.tables[0].rows.row(0, named=True), found.table("tokens").rows.drop_nulls("effect")
    after = tokens.filter(tokens["activation_before"] > 0)
    assert row["n_after_firing"] == len(after) > 0
    assert row["after_firing"] == pytest.approx(after["effect"].to_numpy().mean())
    assert row["after_firing_chance"] == pytest.approx(after["chance"].to_numpy().mean())
    assert row["helped"] == np.mean(after["effect"].to_numpy() < 0)


def test_the_command_measures_prints_and_draws(folder, feature, tmp_path, capsys):
    command = ["-q", "--db", str(folder / "tiny.duckdb"), "study", "ablation", f"A:{feature}"]
    assert run([*command, "--format", "json", "--figure", str(tmp_path / "a.svg")]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "featlas.study.ablation.features/1"
    assert "a random direction" in (tmp_path / "a.svg").read_text()
    assert run(command) == 0
    assert "at random" in capsys.readouterr().out
    figure = ["-q", "--db", str(folder / "tiny.duckdb"), "figure", "ablation", f"A:{feature}"]
    assert run([*figure, "-o", str(tmp_path / "b.png")]) == 0
    assert (tmp_path / "b.png").stat().st_size > 1000
    assert run([*command[:-1], "A:1=B:1"]) == 2


def test_what_cannot_be_measured_is_said(folder, tmp_path):
    db = folder / "tiny.duckdb"
    with pytest.raises(UsageError, match="has no feature 99"):
        ablate(db, [FeatureRef("one", 99)])
    with open_atlas(db, write=True) as atlas:
        atlas.rows("update sae set source = $s where name = 'two'", s=str(folder / "one"))
        live = atlas.rows("select feature_id from features where sae = 'two' and n_fired > 0 limit 1").rows[0][0]
    with pytest.raises(AtlasError, match="not the one that was measured"):
        ablate(db, [FeatureRef("two", live)])


def test_show_underlines_what_the_feature_helped_and_hurt(full, capsys):
    from atlas.queries import browse
    from atlas.render.ansi import Coding, to_text
    from atlas.render.feature import Look, feature_lines

    with open_atlas(full) as atlas:
        detail = browse.feature_detail(atlas, browse.scan_named(atlas, "A", None), 0, n_contexts=2)
    assert detail.contexts[0].effects == [None, 0.1, -0.2, -0.9, 0.0, 0.1]
    assert detail.contexts[1].effects is None
    spans = [span for line in feature_lines(detail, 100) for span in line]
    marked = [(span.text.strip(), span.effect) for span in spans if span.effect]
    tokens = [token.strip() for token in detail.contexts[0].tokens]
    signs = (1, -1, -1, 1)
    assert marked[:2] == [("less", -1), ("more likely", 1)]
    assert marked[2:] == [(tokens[i], sign) for i, sign in zip((1, 2, 3, 5), signs, strict=True)]
    text = "".join(to_text(line, Coding.COLOUR) for line in feature_lines(detail, 100))
    assert "4;58;2;86;180;233m" in text
    assert "4;58;2;213;94;0m" in text
    wrapped = [span.effect for line in feature_lines(detail, 100, Look(wrap=True)) for span in line if span.effect]
    assert wrapped[2:] == list(signs)
    assert run(["-q", "--db", str(full), "show", "A:0"]) == 0
    printed = capsys.readouterr().out
    assert "without it -0.90 nats after 1 peaks" in printed
    assert "less / more" not in printed


def test_the_browser_tells_helped_from_hurt():
    from atlas.render.spans import Span
    from tui.kit.styles import Styler

    styler = Styler(dark=True, colour=True)
    helped, hurt, shaded = (styler.style(Span("x", level, effect=sign)) for level, sign in ((0, -1), (0, 1), (3, 1)))
    assert (helped.underline, helped.underline2) == (True, False)
    assert (hurt.underline, hurt.underline2, shaded.underline2) == (False, True, True)
    assert helped.color != hurt.color
    assert styler.style(Span("x", 3)).color == shaded.color


@pytest.mark.real
@pytest.mark.slow
def test_changes_on_a_real_model_are_those_of_stored_activations_times_the_stored_row(real_atlas, shared_data):
    from transformers import AutoModelForCausalLM

    from atlas.activations import read_scan

    with open_atlas(real_atlas) as atlas:
        sae, model_name = atlas.rows("select sae, model from saes where alias = 'A'").rows[0]
        feature = atlas.rows("select arg_max(feature_id, n_fired) from features where sae = $s", s=sae).rows[0][0]
    ablate(real_atlas, [FeatureRef(sae, feature)], contexts=3)
    codes = read_scan(real_atlas, "A")[:, [feature]].toarray()[:, 0]
    with open_atlas(real_atlas) as atlas:
        row = atlas.rows(
            "select w_dec from feature_vector join sae using (sae_id) where name = $s and feature_id = $f",
            s=sae,
            f=feature,
        ).rows[0][0]
        rows = atlas.rows(
            "select a.effects, a.start, k.token_ids, k.documents, k.first_token from ablation a "
            "join scan c using (scan_id) join context k on k.corpus_id = c.corpus_id and k.context_id = a.context_id "
            "where a.feature_id = $f order by a.rank",
            f=feature,
        ).rows
    model: Any = AutoModelForCausalLM.from_pretrained(shared_data / "models" / model_name).eval()
    taken = torch.zeros(0)

    def hook(_: Any, __: Any, out: Any) -> Any:
        return (out[0] - taken, *out[1:]) if isinstance(out, tuple) else out - taken

    model.model.layers[2].register_forward_hook(hook)
    for effects, start, ids, documents, first in rows:
        counted, both = np.array(documents) >= 0, []
        amounts = np.zeros(len(ids), np.float32)
        amounts[counted] = codes[first : first + counted.sum()]
        for scale in (0.0, 1.0):
            taken = torch.from_numpy(scale * np.outer(amounts, np.array(row, np.float32)).astype(np.float32))
            with torch.inference_mode():
                logits = model(torch.tensor([ids])).logits[0, :-1].double()
            both.append(torch.log_softmax(logits, dim=-1)[range(len(ids) - 1), ids[1:]].numpy())
        expected = np.append(np.nan, both[1] - both[0])[start : start + len(effects)]
        found = np.array([np.nan if value is None else value for value in effects])
        np.testing.assert_allclose(found, np.where(np.isnan(found), np.nan, expected), atol=1e-4)
        assert np.nanmax(np.abs(found)) > 0.01
