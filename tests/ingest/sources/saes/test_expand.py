"""Claims about folders of SAEs and patterns: what they stand for, in which order and under which names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from atlas.errors import AtlasError
from ingest.sources.saes.expand import expand_saes
from tests.support.sae_layouts import write_dictionary, write_sparsify


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    """layers of two widths in SAELens-like depth, a run of sparsify, and files that are no SAE."""
    for layer in (9, 10):
        for width in (256, 1024):
            write_dictionary(tmp_path / f"runs/layer{layer}/width{width}", "AutoEncoder")
        write_sparsify(tmp_path / f"eleuther/layers.{layer}")
    (tmp_path / "runs" / "notes").mkdir()
    (tmp_path / "runs" / "README.md").write_text("x")
    (tmp_path / "runs" / ".cache").mkdir()
    write_dictionary(tmp_path / "runs" / ".cache" / "hidden", "AutoEncoder")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pairs(*sources: str) -> list[tuple[str, str]]:
    """Source and name of what the sources stand for."""
    return [(sae.source, sae.name) for sae in expand_saes(sources)]


def test_an_sae_stands_for_itself(tree):
    assert pairs("eleuther/layers.9") == [("eleuther/layers.9", "layers.9")]


def test_a_folder_stands_for_the_saes_below_it_by_the_size_of_their_numbers(tree):
    assert [name for _, name in pairs("eleuther")] == ["layers.9", "layers.10"]
    found = pairs("runs")
    names = ["layer9/width256", "layer9/width1024", "layer10/width256", "layer10/width1024"]
    assert [name for _, name in found] == names
    assert [source for source, _ in found] == [f"runs/{name}" for name in names]


def test_names_are_short_where_they_differ_anyway(tree):
    assert [name for _, name in pairs("runs/layer9", "eleuther")] == ["width256", "width1024", "layers.9", "layers.10"]


def test_patterns_match_saes_and_folders_of_them_and_leave_the_rest(tree):
    assert [name for _, name in pairs("runs/layer*/width256")] == ["layer9/width256", "layer10/width256"]
    assert [name for _, name in pairs("runs/*9")] == ["width256", "width1024"]
    assert [name for _, name in pairs("runs/**/width1024")] == ["layer9/width1024", "layer10/width1024"]
    assert len(pairs("runs/*")) == 4
    assert [name for _, name in pairs(str(tree / "eleuther" / "layers.?"))] == ["layers.9"]


def test_what_two_sources_stand_for_is_given_once_and_what_is_named_twice_twice(tree):
    assert len(pairs("eleuther", "eleuther/*", "eleuther/layers.1*")) == 2
    assert len(pairs("eleuther/layers.9", "eleuther")) == 2
    assert len(pairs("eleuther/layers.9", "eleuther/layers.9")) == 2


def test_single_saes_of_one_name_are_told_by_the_folder_above(tree):
    found = pairs("runs/layer9/width256", "runs/layer10/width256")
    assert [name for _, name in found] == ["layer9/width256", "layer10/width256"]


def test_a_pattern_in_the_name_of_a_folder_that_exists_means_the_folder(tmp_path):
    write_sparsify(tmp_path / "layers[1]")
    assert [name for _, name in pairs(str(tmp_path / "layers[1]"))] == ["layers[1]"]


def test_a_release_of_saelens_is_expanded_and_one_of_its_saes_is_not(tree):
    found = pairs("gpt2-small-res-jb/*")
    assert len(found) == 13
    assert found[2] == ("gpt2-small-res-jb/blocks.2.hook_resid_pre",) * 2
    assert [name for name, _ in found][-2:] == [
        "gpt2-small-res-jb/blocks.11.hook_resid_post",
        "gpt2-small-res-jb/blocks.11.hook_resid_pre",
    ]
    one = "gpt2-small-res-jb/blocks.8.hook_resid_pre"
    assert pairs(one) == [(one, one)]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("runs/notes", "is not an SAE folder"),
        ("runs/READ*", "matches no SAE"),
        ("./nothing*", "nothing matches ./nothing*"),
        ("nothing*/x", "no path does, and no SAE in SAELens' list"),
        ("nothing", "there is no SAE folder nothing"),
    ],
)
def test_a_source_that_stands_for_nothing_is_one_message(tree, source, said):
    with pytest.raises(AtlasError) as error:
        expand_saes(["eleuther", source])
    assert said in str(error.value)


def test_nothing_heavy_is_imported(tree):
    code = (
        "import sys; from ingest.sources.saes.expand import expand_saes\n"
        "assert len(expand_saes(['runs', 'gpt2-small-res-jb/*'])) == 17\n"
        "assert not {'torch', 'sae_lens', 'transformers'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
