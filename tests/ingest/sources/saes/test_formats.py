"""Claims about SAEs in other projects' formats: what is loaded gives the codes of that format's own forward pass."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from atlas.errors import AtlasError
from ingest.sources.saes.sae import load_sae
from tests.support.hub_cache import REVISION, run_offline
from tests.support.sae_layouts import (
    D_IN,
    D_SAE,
    DICTIONARIES,
    K,
    check_codes,
    decoder_norms,
    inputs,
    random_arrays,
    relu,
    run_dictionary,
    run_sparsify,
    tensors,
    write_dictionary,
    write_sparsify,
)


@pytest.mark.parametrize("size", [{}, {"d_in": 16, "d_sae": 16}, {"num_latents": D_SAE}, {"multi_topk": True}])
def test_a_sparsify_folder_gives_the_codes_of_sparsify(tmp_path, size):
    weights = write_sparsify(tmp_path / "layers.3", **size)
    x = inputs(d_in=size.get("d_in", D_IN))
    sae = load_sae(str(tmp_path / "layers.3"), "cpu")
    check_codes(sae, run_sparsify(weights, x), decoder_norms(weights), x)
    assert (sae.name, sae.architecture, sae.decoder_norm) == ("layers.3", "topk", "folded")
    assert (sae.hook, sae.prepend_bos) == ("blocks.3.hook_resid_post", False)
    rows, columns, biases = sae.vectors()
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(columns, weights["encoder.weight"] * decoder_norms(weights)[:, None], rtol=1e-5)
    np.testing.assert_allclose(biases, weights["encoder.bias"] * decoder_norms(weights), rtol=1e-5)
    np.testing.assert_allclose(sae.encoder_norms(), np.linalg.norm(columns, axis=1), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "hook"),
    [
        ("layers.0", "blocks.0.hook_resid_post"),
        ("layers.11.mlp", "blocks.11.hook_mlp_out"),
        ("layers.2.attention", "blocks.2.hook_attn_out"),
        ("h.7", "blocks.7.hook_resid_post"),
        ("gpt_neox.layers.4.mlp", "blocks.4.hook_mlp_out"),
        ("embed_tokens", "hook_embed"),
        ("layers.3/seed1", "blocks.3.hook_resid_post"),
        ("layers.3.mlp.act", None),
        ("best", None),
    ],
)
def test_the_folder_of_a_sparsify_hookpoint_says_which_hook_it_is(tmp_path, name, hook):
    write_sparsify(tmp_path / name)
    assert load_sae(str(tmp_path / name), "cpu").hook == hook
    assert load_sae(str(tmp_path / name), "cpu", hook="blocks.1.hook_mlp_out").hook == "blocks.1.hook_mlp_out"


def test_the_config_of_a_sparsify_run_says_what_it_was_trained_on(tmp_path):
    write_sparsify(tmp_path / "layers.3")
    run = {"sae": {"k": K}, "model": "EleutherAI/pythia-70m", "dataset": "the/pile", "ctx_len": 2048}
    (tmp_path / "config.json").write_text(json.dumps(run))
    sae = load_sae(str(tmp_path / "layers.3"), "cpu")
    assert (sae.model_name, sae.dataset_path, sae.context_size) == ("EleutherAI/pythia-70m", "the/pile", 2048)


HUB = """
import sys
from ingest.sources.folders import check_sae
from atlas.errors import AtlasError
check_sae(sys.argv[1])
assert "torch" not in sys.modules
from ingest.sources.saes.sae import load_sae
sae = load_sae(sys.argv[1], "cpu")
print(sae.name, sae.hook, sae.d_sae, sae.architecture, sae.model_name)
try:
    check_sae(sys.argv[1].replace("layers.3", "layers.4"))
except AtlasError as error:
    print(error)
"""


def test_a_sparsify_sae_on_the_hub_is_read_from_the_cache_and_a_wrong_layer_names_the_others(tmp_path):
    repo = tmp_path / "hub" / "models--EleutherAI--sae-pythia-70m-32k"
    (repo / "refs").mkdir(parents=True)
    (repo / "refs" / "main").write_text(REVISION)
    write_sparsify(repo / "snapshots" / REVISION / "layers.3")
    (repo / "snapshots" / REVISION / "config.json").write_text('{"sae": {}, "model": "EleutherAI/pythia-70m"}')
    done = run_offline(tmp_path, HUB, "EleutherAI/sae-pythia-70m-32k/layers.3")
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.splitlines()
    name = "EleutherAI/sae-pythia-70m-32k/layers.3"
    assert first == f"{name} blocks.3.hook_resid_post {D_SAE} topk EleutherAI/pythia-70m"
    assert rest[0] == "there is no SAE at EleutherAI/sae-pythia-70m-32k/layers.4 on the Hugging Face hub"
    assert "layers.3" in rest[1]


@pytest.mark.parametrize("kind", DICTIONARIES)
def test_a_dictionary_gives_the_codes_of_its_class_in_dictionary_learning(tmp_path, kind):
    weights, x = write_dictionary(tmp_path / "trainer_0", kind), inputs()
    sae = load_sae(str(tmp_path / "trainer_0"), "cpu")
    check_codes(sae, run_dictionary(kind, weights, x), decoder_norms(weights), x)
    assert (sae.d_in, sae.d_sae, sae.context_size) == (D_IN, D_SAE, 128)
    assert (sae.hook, sae.model_name) == ("blocks.3.hook_resid_post", "EleutherAI/pythia-70m-deduped")
    assert json.loads(sae.cfg)["metadata"]["training_architecture"] == kind
    if sae.architecture == "jumprelu":
        expected = np.broadcast_to(weights["threshold"], D_SAE) * decoder_norms(weights)
        np.testing.assert_allclose(sae.thresholds(), expected, rtol=1e-5)
    else:
        assert sae.thresholds() is None


def test_a_batch_topk_dictionary_without_an_estimated_threshold_is_a_relu_as_its_encode_is(tmp_path):
    weights, x = write_dictionary(tmp_path, "BatchTopKSAE"), inputs()
    weights["threshold"] = np.array(-1.0, np.float32)
    torch.save(
        {**torch.load(tmp_path / "ae.pt", weights_only=True), "threshold": torch.tensor(-1.0)}, tmp_path / "ae.pt"
    )
    check_codes(load_sae(str(tmp_path), "cpu"), run_dictionary("BatchTopKSAE", weights, x), decoder_norms(weights), x)


@pytest.mark.parametrize(
    ("said", "hook"),
    [
        ({"submodule_name": "mlp_out_layer3"}, "blocks.3.hook_mlp_out"),
        ({"submodule_name": "resid_post"}, "blocks.3.hook_resid_post"),
        ({"submodule_name": "attn_out_layer3"}, "blocks.3.hook_attn_out"),
        ({"submodule_name": "elsewhere"}, None),
        ({"submodule_name": None}, None),
    ],
)
def test_the_submodule_of_a_dictionary_says_which_hook_it_is(tmp_path, said, hook):
    write_dictionary(tmp_path, "AutoEncoder", **said)
    assert load_sae(str(tmp_path), "cpu").hook == hook


def test_a_checkpoint_is_given_as_a_file_and_named_after_its_step(tmp_path):
    weights, x = write_dictionary(tmp_path / "trainer_0", "AutoEncoderTopK", file="checkpoints/ae_500.pt"), inputs()
    sae = load_sae(str(tmp_path / "trainer_0" / "checkpoints" / "ae_500.pt"), "cpu")
    assert sae.name == "trainer_0/ae_500"
    check_codes(sae, run_dictionary("AutoEncoderTopK", weights, x), decoder_norms(weights), x)


def described(folder: Path, arrays: dict[str, np.ndarray], **facts) -> str:
    """A folder with a description and the weights it names."""
    folder.mkdir(exist_ok=True)
    save_file(tensors(arrays), folder / "my.safetensors")
    (folder / "featlas_sae.json").write_text(json.dumps(facts))
    return str(folder)


MATRICES = {"W_enc": {"name": "enc", "axes": ["d_sae", "d_in"]}, "W_dec": {"name": "dec", "axes": ["d_in", "d_sae"]}}


@pytest.mark.parametrize("subtract", [True, False])
@pytest.mark.parametrize("scale", [None, 0.25])
def test_a_description_names_tensors_of_any_orientation(tmp_path, subtract, scale):
    w = random_arrays(3, enc=(D_SAE, D_IN), dec=(D_IN, D_SAE), shift=(D_IN,))
    facts = {"architecture": "jumprelu", "apply_b_dec_to_input": subtract, "threshold": 0.5, "input_scale": scale}
    facts |= {"tensors": {**MATRICES, "b_dec": "shift"}, "hook": "blocks.2.hook_mlp_out", "prepend_bos": True}
    sae = load_sae(described(tmp_path / "mine", w, **facts), "cpu")
    x, factor = inputs(), scale or 1.0
    pre = (x * factor - subtract * w["shift"]) @ w["enc"].T
    codes = relu(pre) * (pre > 0.5)
    norms = np.linalg.norm(w["dec"], axis=0) / factor
    check_codes(sae, (codes, (codes @ w["dec"].T + w["shift"]) / factor), norms, x)
    assert (sae.name, sae.hook, sae.prepend_bos) == ("mine", "blocks.2.hook_mlp_out", True)


def test_a_description_of_topk_may_choose_by_decoder_norm_and_has_a_name_of_its_own(tmp_path):
    w = random_arrays(4, enc=(D_SAE, D_IN), dec=(D_IN, D_SAE), bias=(D_SAE,))
    facts = {"architecture": "topk", "k": 3, "apply_b_dec_to_input": False, "rescale_acts_by_decoder_norm": True}
    described(tmp_path / "mine", w, **facts, tensors={**MATRICES, "b_enc": "bias"}, weights="my.safetensors")
    (tmp_path / "mine" / "featlas_sae.json").rename(tmp_path / "mine" / "small.json")
    sae = load_sae(str(tmp_path / "mine" / "small.json"), "cpu")
    norms, x = np.linalg.norm(w["dec"], axis=0), inputs()
    scaled = (x @ w["enc"].T + w["bias"]) * norms
    chosen = scaled >= np.sort(scaled, axis=1)[:, -3:-2]
    codes = relu(scaled) * chosen / norms
    check_codes(sae, (codes, codes @ w["dec"].T), norms, x)
    assert sae.name == "mine/small"


@pytest.mark.parametrize("bias", ["b_enc", "b_dec"])
def test_a_bias_that_a_description_names_and_the_file_lacks_is_not_taken_for_zero(tmp_path, bias):
    w = random_arrays(4, enc=(D_SAE, D_IN), dec=(D_IN, D_SAE))
    facts = {"architecture": "standard", "apply_b_dec_to_input": False}
    load_sae(described(tmp_path, w, **facts, tensors=MATRICES), "cpu")
    with pytest.raises(AtlasError, match=r"lacks the tensor typo\n  why: its tensors are: dec, enc"):
        load_sae(described(tmp_path, w, **facts, tensors={**MATRICES, bias: "typo"}), "cpu")


def test_the_same_weights_in_two_formats_are_one_sae(tmp_path):
    w = write_sparsify(tmp_path / "layers.3")
    tensors_of = {"W_enc": {"name": "encoder.weight", "axes": ["d_sae", "d_in"]}, "b_enc": "encoder.bias"}
    tensors_of |= {"W_dec": {"name": "W_dec", "axes": ["d_sae", "d_in"]}, "b_dec": "b_dec"}
    other = described(tmp_path / "o", w, architecture="topk", k=K, apply_b_dec_to_input=True, tensors=tensors_of)
    assert load_sae(other, "cpu").sha256 == load_sae(str(tmp_path / "layers.3"), "cpu").sha256


def test_every_example_of_the_documentation_is_a_description_that_loads(tmp_path):
    text = (Path(__file__).parents[4] / "docs" / "sae-formats.md").read_text(encoding="utf-8")
    examples = [json.loads(part.split("```")[0]) for part in text.split("```json\n")[1:]]
    assert len(examples) >= 2
    for number, facts in enumerate(examples):
        shape = {"d_in": D_IN, "d_sae": 2 * D_SAE}
        named = {
            role: (n["name"], n["axes"]) if isinstance(n, dict) else (n, None) for role, n in facts["tensors"].items()
        }
        sizes = {name: tuple(shape[axis] for axis in axes) if axes else () for name, axes in named.values()}
        for role, (name, axes) in named.items():
            sizes[name] = sizes[name] if axes else (D_IN,) if role == "b_dec" else (2 * D_SAE,)
        folder = Path(described(tmp_path / str(number), random_arrays(5, **sizes), **facts))
        (folder / "my.safetensors").rename(folder / facts.get("weights", "my.safetensors"))
        load_sae(str(folder), "cpu").try_out()


def test_weights_of_half_precision_are_read_as_float32(tmp_path):
    write_sparsify(tmp_path / "layers.3")
    halves = {k: v.bfloat16() for k, v in load_file(tmp_path / "layers.3" / "sae.safetensors").items()}
    save_file(halves, tmp_path / "layers.3" / "sae.safetensors")
    weights, x = {k: v.float().numpy() for k, v in halves.items()}, inputs()
    check_codes(load_sae(str(tmp_path / "layers.3"), "cpu"), run_sparsify(weights, x), decoder_norms(weights), x)


def test_weights_that_are_not_finite_are_named(tmp_path):
    write_dictionary(tmp_path, "AutoEncoder")
    state = torch.load(tmp_path / "ae.pt", weights_only=True)
    state["decoder.weight"][3, 7] = float("nan")
    torch.save(state, tmp_path / "ae.pt")
    with pytest.raises(AtlasError, match=r"W_dec of the SAE .* not finite\n  why: the first feature with one is 7"):
        load_sae(str(tmp_path), "cpu")
