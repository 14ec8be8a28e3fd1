"""Claims about models: names on the hub load offline in both classes, and a hook means what transformers computes."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from atlas.errors import UsageError
from ingest.sources.models.classes import agreed_model
from ingest.sources.models.model import is_written, load_model
from tests.support.hub_cache import GPT2, NEOX, lay_cache, run_offline, save_tiny, snapshot

CLASSES = ("TransformerBridge", "HookedTransformer")
IDS = np.array([[0, 2, 3, 4, 5, 6, 7], [0, 9, 8, 7, 6, 5, 4]])
N_LAYERS = 3

LOAD = """
import json
import sys
import numpy as np
from ingest.sources.models.model import load_model
out, ids = {}, np.array(json.loads(sys.argv[2]))
for name in sys.argv[3:]:
    for kind in ("TransformerBridge", "HookedTransformer"):
        model = load_model(name, "cpu", model_class=kind)
        for hook in [f"blocks.{layer}.hook_resid_post" for layer in range(3)]:
            out[f"{name} {kind} {hook}"] = model.run(ids, [hook])[hook].numpy()
        out[f"{name} {kind} facts"] = np.array([model.sha256, model.words.sha256, model.architecture])
        centred = load_model(name, "cpu", model_class=kind, model_kwargs={"center_writing_weights": True})
        out[f"{name} {kind} centred"] = centred.run(ids, ["blocks.1.hook_resid_post"])["blocks.1.hook_resid_post"].numpy()
        out[f"{name} {kind} centres"] = np.array([model.centres, centred.centres])
np.savez(sys.argv[1], **out)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return lay_cache(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def loaded(home, tmp_path_factory) -> dict[str, np.ndarray]:
    """What both classes give for names and aliases of the hub, loaded in a process whose hub is the cache."""
    path = tmp_path_factory.mktemp("loaded") / "loaded.npz"
    done = run_offline(home, LOAD, str(path), json.dumps(IDS.tolist()), NEOX, "pythia-70m-deduped", GPT2)
    assert done.returncode == 0, done.stderr
    return dict(np.load(path))


def outputs_of_blocks(folder: Path, ids: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """hidden_states of transformers, and what each block returned, seen by a forward hook."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    base: Any = model.base_model
    blocks, seen = list(getattr(base, "layers", None) or base.h), []
    for block in blocks:
        block.register_forward_hook(lambda _, __, out: seen.append(out if isinstance(out, torch.Tensor) else out[0]))
    with torch.inference_mode():
        states = model(torch.from_numpy(ids), output_hidden_states=True).hidden_states
    return [state.numpy() for state in states], [out.numpy() for out in seen]


@pytest.mark.parametrize("name", [NEOX, GPT2])
@pytest.mark.parametrize("kind", CLASSES)
def test_resid_post_is_the_output_of_the_block(home, loaded, name, kind):
    states, blocks = outputs_of_blocks(snapshot(home, name), IDS)
    for layer in range(N_LAYERS):
        got = loaded[f"{name} {kind} blocks.{layer}.hook_resid_post"]
        np.testing.assert_allclose(got, blocks[layer], atol=2e-5)
        if layer < N_LAYERS - 1:  # the last of hidden_states is after the final norm
            np.testing.assert_allclose(got, states[layer + 1], atol=2e-5)
            assert np.abs(got - states[layer]).max() > 0.01


@pytest.mark.parametrize("kind", ["llama", "gemma", "neox", "gpt2"])
def test_resid_post_of_a_local_folder_is_the_output_of_the_block(tmp_path, kind):
    model = load_model(str(save_tiny(tmp_path / "model", kind)), "cpu")
    _, blocks = outputs_of_blocks(tmp_path / "model", IDS)
    hooks = [f"blocks.{layer}.hook_resid_post" for layer in range(N_LAYERS)]
    for got, block in zip(model.run(IDS, hooks).values(), blocks, strict=True):
        np.testing.assert_allclose(got.numpy(), block, atol=2e-5)


@pytest.mark.real
def test_resid_post_of_a_real_model_is_the_next_hidden_state(shared_data):
    folder = shared_data / "models" / "stories260k"
    model = load_model(str(folder), "cpu")
    ids = np.random.default_rng(0).integers(3, 512, (2, 40))
    states, blocks = outputs_of_blocks(folder, ids)
    for layer in range(model.n_layers):
        got = model.run(ids, [f"blocks.{layer}.hook_resid_post"])[f"blocks.{layer}.hook_resid_post"].numpy()
        np.testing.assert_allclose(got, states[layer + 1] if layer < model.n_layers - 1 else blocks[layer], atol=2e-5)


def test_an_alias_is_the_model_that_it_stands_for(loaded):
    for kind in CLASSES:
        assert loaded[f"pythia-70m-deduped {kind} facts"].tolist() == loaded[f"{NEOX} {kind} facts"].tolist()


def test_a_model_has_one_identity_whatever_class_loads_it(loaded):
    for name in (NEOX, GPT2):
        assert loaded[f"{name} {CLASSES[0]} facts"].tolist() == loaded[f"{name} {CLASSES[1]} facts"].tolist()


@pytest.mark.parametrize("name", [NEOX, GPT2])
@pytest.mark.parametrize("kind", CLASSES)
def test_centred_weights_are_the_mean_taken_out_at_the_hook_and_only_once(loaded, name, kind):
    raw = loaded[f"{name} {kind} blocks.1.hook_resid_post"]
    assert np.abs(raw.mean(axis=-1)).max() > 0.01
    np.testing.assert_allclose(loaded[f"{name} {kind} centred"], raw - raw.mean(axis=-1, keepdims=True), atol=2e-5)
    assert loaded[f"{name} {kind} centres"].tolist() == [True, False]


def test_norms_without_a_mean_centre_nothing(tmp_path):
    assert not load_model(str(save_tiny(tmp_path / "model", "llama")), "cpu").centres


@pytest.mark.parametrize(
    ("hook", "written"),
    [
        ("hook_embed", True),
        ("hook_pos_embed", True),
        ("blocks.1.hook_resid_pre", True),
        ("blocks.1.hook_resid_mid", True),
        ("blocks.1.hook_attn_out", True),
        ("blocks.1.hook_mlp_out", True),
        ("blocks.1.attn.hook_z", False),
        ("blocks.1.mlp.hook_post", False),
        ("blocks.1.ln2.hook_normalized", False),
    ],
)
def test_written_hooks_are_those_of_the_residual_stream(hook, written):
    assert is_written(hook) is written


def test_a_folder_cannot_be_a_hooked_transformer_and_the_message_says_what_to_do(tmp_path):
    folder = str(save_tiny(tmp_path / "model", "neox"))
    with pytest.raises(UsageError, match="does not load a model from a folder") as caught:
        load_model(folder, "cpu", model_class="HookedTransformer")
    assert "--model-class TransformerBridge" in str(caught.value)


def test_a_name_that_is_not_listed_cannot_be_a_hooked_transformer():
    with pytest.raises(UsageError, match="did you mean 'EleutherAI/pythia-70m-deduped'"):
        load_model("EleutherAI/pythia-70m-dedup", "cpu", model_class="HookedTransformer")


@pytest.mark.parametrize(("option", "value"), [("dtype", "int8"), ("model_class", "HookedMamba")])
def test_an_unknown_choice_is_refused(tmp_path, option, value):
    folder = str(save_tiny(tmp_path / "model", "neox"))
    with pytest.raises(UsageError, match=value):
        load_model(folder, "cpu", **{option: value})


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_model_in_half_precision_is_near_the_same_model(tmp_path, dtype):
    folder, hook = str(save_tiny(tmp_path / "model", "neox")), "blocks.1.hook_resid_post"
    half, full = (load_model(folder, "cpu", dtype=kind) for kind in (dtype, "float32"))
    assert half.width(hook) == 16
    got, want = half.run(IDS, [hook])[hook], full.run(IDS, [hook])[hook]
    assert str(got.dtype) == f"torch.{dtype}"
    np.testing.assert_allclose(got.float().numpy(), want.numpy(), atol=0.05)
    assert half.sha256 == full.sha256


def test_ids_beyond_the_embedding_are_known(tmp_path):
    model = load_model(str(save_tiny(tmp_path / "model", "neox", vocab_size=10)), "cpu")
    assert (model.n_embedded, len(model.words.texts)) == (10, 18)
    assert model.width("blocks.1.hook_resid_post") == 16


def sae(name: str, model_class: str | None = None, **kwargs) -> Any:
    return SimpleNamespace(name=name, model_class=model_class, model_kwargs=kwargs or None)


@pytest.mark.parametrize(
    ("classes", "model", "expected"),
    [
        ([None, None], NEOX, "TransformerBridge"),
        (["HookedTransformer", None], NEOX, "HookedTransformer"),
        (["HookedTransformer"], "pythia-70m-deduped", "HookedTransformer"),
        (["HookedTransformer"], "somebody/unlisted", "TransformerBridge"),
        (["HookedTransformer"], ".", "TransformerBridge"),
        (["AutoModelForCausalLM", "TransformerBridge"], NEOX, "TransformerBridge"),
    ],
)
def test_the_cfgs_choose_the_class_where_it_can_load_the_model(classes, model, expected):
    assert agreed_model([sae(str(i), kind) for i, kind in enumerate(classes)], model) == (expected, {})


def test_cfgs_that_contradict_each_other_need_a_choice():
    saes = [sae("one", "HookedTransformer"), sae("two", "TransformerBridge")]
    with pytest.raises(UsageError, match="different classes") as caught:
        agreed_model(saes, NEOX)
    assert "one: HookedTransformer; two: TransformerBridge" in str(caught.value)
    assert agreed_model(saes, NEOX, "TransformerBridge") == ("TransformerBridge", {})


def test_only_options_that_change_the_activations_reach_the_model():
    said = {"center_writing_weights": True, "fold_ln": False, "dtype": "bfloat16", "n_devices": 1, "revision": "step3"}
    assert agreed_model([sae("one", "HookedTransformer", **said)], NEOX) == ("HookedTransformer", {"revision": "step3"})
    assert agreed_model([sae("one", None, center_writing_weights=True), sae("two")], NEOX)[1] == {}


def test_different_options_are_different_models():
    with pytest.raises(UsageError, match="different options"):
        agreed_model([sae("one", None, revision="step3"), sae("two")], NEOX)


def test_a_cfg_cannot_ask_for_code_to_be_run():
    with pytest.raises(UsageError, match="trust_remote_code"):
        agreed_model([sae("one", "HookedTransformer", trust_remote_code=True)], NEOX)


def test_an_unknown_class_in_a_cfg_is_refused_unless_the_user_chooses():
    with pytest.raises(UsageError, match="HookedMamba"):
        agreed_model([sae("one", "HookedMamba")], NEOX)
    assert agreed_model([sae("one", "HookedMamba")], NEOX, "TransformerBridge")[0] == "TransformerBridge"


def test_a_model_that_is_nowhere_is_told(home):
    code = "from ingest.sources.models.model import load_model; load_model('EleutherAI/pythia-160m', 'cpu', model_class='HookedTransformer')"
    done = run_offline(home, code)
    assert "there is no model 'EleutherAI/pythia-160m'" in done.stderr
