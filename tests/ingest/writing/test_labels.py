"""Claims about feature labels: every way of writing them is read, what is wrong is named, nothing is half written."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.cli import run
from atlas.db import open_atlas
from atlas.errors import AtlasError, UsageError
from ingest.sources.labels import layer_of_part, read_labels
from ingest.writing.labels import add_labels

LABELS = {0: "feelings", 1: "days, of the week", 3: 'a "quoted" dog\non two lines'}


def objects(feature: str = "feature", label: str = "label") -> list[dict]:
    return [{feature: number, label: text} for number, text in LABELS.items()]


def write_table(path: Path, mark: str) -> None:
    quoted = ['{}{}"{}"'.format(n, mark, text.replace('"', '""')) for n, text in LABELS.items()]
    path.write_text("\n".join([f"index{mark}explanation", *quoted]) + "\n")


def write_neuronpedia(folder: Path, layer: str = "0-little-res") -> Path:
    """Explanations as Neuronpedia publishes them: one feature a file, numbers as strings."""
    folder.mkdir(parents=True)
    for batch, (number, text) in enumerate(LABELS.items()):
        row = {
            "id": f"x{batch}",
            "modelId": "little",
            "layer": layer,
            "index": str(number),
            "description": text,
            "embedding": [0.5] * 256,
            "typeName": "oai_token-act-pair",
            "explanationModelName": "gpt-4o-mini",
        }
        with gzip.open(folder / f"batch-{batch}.jsonl.gz", "wt") as file:
            file.write(json.dumps(row) + "\n")
    return folder


def write_delphi(folder: Path, hookpoint: str = "layers.0") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, text in LABELS.items():
        (folder / f"{hookpoint}_latent{number}.txt").write_text(json.dumps(text))
    return folder


def stored(db: Path) -> list[tuple]:
    with open_atlas(db) as atlas:
        return atlas.rows("select sae_id, feature_id, source, label from feature_label order by all").rows


def n_runs(db: Path) -> int:
    with open_atlas(db) as atlas:
        return atlas.rows("select count(*) from runs").rows[0][0]


@pytest.fixture(params=["csv", "tsv", "jsonl", "json", "csv.gz", "jsonl.gz", "json.gz", "neuronpedia", "delphi"])
def source(request, tmp_path) -> Path:
    """The same labels, as each format has them."""
    kind = request.param
    if kind == "neuronpedia":
        return write_neuronpedia(tmp_path / "0-little-res" / "explanations")
    if kind == "delphi":
        return write_delphi(tmp_path / "my-run" / "explanations").parent
    plain = tmp_path / f"mine.{kind.removesuffix('.gz')}"
    if plain.suffix in (".csv", ".tsv"):
        write_table(plain, "," if plain.suffix == ".csv" else "\t")
    elif plain.suffix == ".jsonl":
        plain.write_text("\n".join(map(json.dumps, objects("feature_id", "description"))))
    else:
        plain.write_text(json.dumps(objects()))
    if not kind.endswith(".gz"):
        return plain
    packed = tmp_path / f"mine.{kind}"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    return packed


def test_every_format_gives_the_same_labels(tiny, source):
    found = add_labels(source, sae="A", db=tiny, command="featlas ingest labels")
    assert {feature: text for _, feature, _, text in stored(tiny)} == LABELS
    assert {row[0] for row in stored(tiny)} == {1}
    assert (found.sae, found.alias, found.n_features, found.n_written) == ("little/one", "A", 3, 3)
    assert found.example == (0, "feelings")
    names = {"neuronpedia": "oai_token-act-pair/gpt-4o-mini", "delphi": "my-run"}
    kind = "delphi" if source.name == "my-run" else "neuronpedia" if source.is_dir() else "mine"
    assert found.sources == (names.get(kind, "mine"),)


def test_a_label_is_seen_by_ls_show_and_sql(tiny, tmp_path, capsys):
    write_table(tmp_path / "mine.csv", ",")
    featlas = ["--db", str(tiny)]
    assert run([*featlas, "ingest", "labels", str(tmp_path / "mine.csv"), "--sae", "A"]) == 0
    out, err = capsys.readouterr()
    assert "3 features got a label, from mine" in out
    assert "for example A:0  feelings" in out
    assert f"next:  featlas --db {tiny} show A:0" in err
    assert run([*featlas, "ls", "features", "A", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {row["feature_id"]: row["label"] for row in rows} == {i: LABELS.get(i) for i in range(5)}
    assert run([*featlas, "show", "A:0"]) == 0
    assert "feelings" in capsys.readouterr().out
    query = "select label from features where sae = 'little/one' and label like '%week'"
    assert run([*featlas, "sql", query, "--format", "csv"]) == 0
    assert '"days, of the week"' in capsys.readouterr().out


def test_shared_options_stand_before_and_after_the_command(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("feature,label\n0,x\n")
    words = [["--db", str(tiny), "-q"], ["ingest"], ["labels", "a.csv", "--sae", "A"]]
    for order in ((0, 1, 2), (1, 0, 2), (1, 2, 0)):
        assert run([word for i in order for word in words[i]]) == 0
        assert capsys.readouterr().err == ""
    assert len(stored(tiny)) == 1
    assert not (tmp_path / "atlas.duckdb").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Missing option '--model'"),
        (["--model", "m", "--corpus", "c.txt"], "Missing option '--sae'"),
        (["--model", "m", "--sae", "s"], "Missing option '--corpus'"),
        (["label"], "Did you mean 'labels'?"),
        (["--model", "m", "labels", "a.csv", "--sae", "A"], "--model is no option of featlas ingest labels"),
        (["labels", "a.csv"], "Missing option '--sae'"),
    ],
)
def test_ingest_asks_for_its_own_options_only_where_it_runs_itself(arguments, says, capsys):
    assert run(["ingest", *arguments]) == 2
    assert says in capsys.readouterr().err


def test_the_same_labels_twice_leave_nothing_to_do(tiny, source, capsys):
    add_labels(source, sae="A", db=tiny)
    before, runs = stored(tiny), n_runs(tiny)
    for replace in (False, True):
        assert add_labels(source, sae="little/one", db=tiny, replace=replace).n_written == 0
    assert run(["--db", str(tiny), "ingest", "labels", str(source), "--sae", "A"]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert (stored(tiny), n_runs(tiny)) == (before, runs)


def test_other_labels_of_one_source_are_refused_unless_they_replace_the_first(tiny, tmp_path):
    path = tmp_path / "mine.csv"
    write_table(path, ",")
    add_labels(path, sae="A", db=tiny)
    before = stored(tiny)
    path.write_text("feature,label\n0,sadness\n4,new\n")
    with pytest.raises(UsageError, match="other labels to 1 of these features") as refused:
        add_labels(path, sae="A", db=tiny)
    assert "'feelings'" in str(refused.value)
    assert "'sadness'" in str(refused.value)
    assert stored(tiny) == before
    assert add_labels(path, sae="A", db=tiny, replace=True).n_written == 2
    assert stored(tiny) == [(1, 0, "mine", "sadness"), (1, 4, "mine", "new")]


def test_other_features_other_sources_and_other_saes_stay_beside(tiny, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("feature,label\n0,first\n")
    add_labels(path, sae="A", db=tiny)
    add_labels(path, sae="B", db=tiny)
    path.write_text("feature,label\n0,second\n")
    add_labels(path, sae="A", db=tiny, source="people")
    path.write_text("feature,label\n2,third\n")
    add_labels(path, sae="A", db=tiny)
    add_labels(path, sae="A", db=tiny, source="people", replace=True)
    assert stored(tiny) == [
        (1, 0, "mine", "first"),
        (1, 2, "mine", "third"),
        (1, 2, "people", "third"),
        (2, 0, "mine", "first"),
    ]


def test_an_import_leaves_a_record(tiny, tmp_path):
    write_table(tmp_path / "mine.csv", ",")
    add_labels(tmp_path / "mine.csv", sae="A", db=tiny, command="featlas ingest labels mine.csv")
    with open_atlas(tiny) as atlas:
        *_, (command, spec, status) = atlas.rows("select command, spec, status from runs order by run_id").rows
    assert (command, status) == ("featlas ingest labels mine.csv", "done")
    assert json.loads(spec)["sae"] == "little/one"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", "feature,label\n0,ok\n5,far\n", r"a\.csv:3 labels feature 5 of little/one"),
        ("a.csv", "feature,label\n-1,far\n", r"a\.csv:2 labels feature -1"),
        ("a.csv", "feature,label\n0,ok\n1, \n", r"a\.csv:3 has an empty label"),
        ("a.csv", "feature,label\n0\n", r"a\.csv:2 has an empty label"),
        ("a.csv", "feature,label\n1.5,x\n", r"a\.csv:2 has '1\.5' where the number"),
        ("a.csv", "feature,label\nx,x\n", r"a\.csv:2 has 'x' where the number"),
        ("a.csv", "feature,text\n0,x\n", r"a\.csv:1 has no column label, description or explanation"),
        ("a.csv", "feature;label\n0;x\n", r"a\.csv:1 has no column feature, feature_id or index"),
        ("a.csv", 'feature,label\n0,"x\n', r"a\.csv:\d is not a row of a table"),
        ("a.csv", "", r"a\.csv:1 has no column"),
        ("a.csv", "feature,label\n", "holds no label"),
        ("a.jsonl", '{"index": 0, "description": "x"}\n\n{"index": 1}\n', r"a\.jsonl:3 has no key label"),
        ("a.jsonl", '{"index": 0, "description": "x"}\n{"ind', r"a\.jsonl:2 is not JSON"),
        ("a.jsonl", '{"index": true, "label": "x"}', r"a\.jsonl:1 has True where"),
        ("a.jsonl", '{"index": 0, "label": 7}', r"a\.jsonl:1 has 7 for a label"),
        ("a.jsonl", '{"index": 0, "label": "\\ud800"}', r"a\.jsonl:1 is not text"),
        ("a.jsonl", "[1]", r"a\.jsonl:1 is not an object"),
        ("a.json", '[{"index": 0, "label": "x"}, {"index": 99, "label": "y"}]', r"a\.json, item 2, labels feature 99"),
        ("a.json", '{"index": 0}', r"a\.json holds no list"),
        ("a.txt", "0 x", r"a\.txt is not a file of labels"),
        ("a.csv.gz", "feature,label", r"a\.csv\.gz is damaged"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_nothing_is_written(tiny, tmp_path, name, content, says):
    (tmp_path / name).write_text(content)
    runs = n_runs(tiny)
    with pytest.raises(AtlasError, match=says):
        add_labels(tmp_path / name, sae="A", db=tiny)
    assert (stored(tiny), n_runs(tiny)) == ([], runs)


def test_what_cannot_be_opened_is_a_message(tiny, tmp_path):
    (tmp_path / "latin.csv").write_bytes("feature,label\n0,caf\u00e9\n".encode("latin1"))
    (tmp_path / "empty").mkdir()
    for name, says in (("latin.csv", "not UTF-8"), ("empty", "holds no file of labels"), ("none.csv", "no labels at")):
        with pytest.raises(AtlasError, match=says):
            add_labels(tmp_path / name, sae="A", db=tiny)
    write_table(tmp_path / "mine.csv", ",")
    with pytest.raises(UsageError, match="no SAE named 'C'"):
        add_labels(tmp_path / "mine.csv", sae="C", db=tiny)
    with pytest.raises(UsageError, match="--source is empty"):
        add_labels(tmp_path / "mine.csv", sae="A", db=tiny, source=" ")
    with pytest.raises(AtlasError, match="there is no atlas"):
        add_labels(tmp_path / "mine.csv", sae="A", db=tmp_path / "none.duckdb")
    assert not (tmp_path / "none.duckdb").exists()


def test_labels_of_another_layer_are_taken_with_a_note(tiny, tmp_path):
    notes: list[str] = []
    add_labels(write_neuronpedia(tmp_path / "n"), sae="A", db=tiny, on_note=notes.append)
    add_labels(write_delphi(tmp_path / "d"), sae="A", db=tiny, on_note=notes.append)
    assert notes == []
    add_labels(tmp_path / "n", sae="B", db=tiny, on_note=notes.append)
    add_labels(tmp_path / "d", sae="B", db=tiny, on_note=notes.append)
    assert [note.split(" (")[0] for note in notes] == ["note: the labels are of layer 0"] * 2
    assert notes[0].endswith("and little/two reads layer 1")


def test_labels_of_several_saes_in_one_folder_are_refused(tiny, tmp_path):
    write_delphi(write_delphi(tmp_path / "d"), "layers.1.mlp")
    with pytest.raises(AtlasError, match=r"several SAEs: layers\.0, layers\.1\.mlp"):
        add_labels(tmp_path / "d", sae="A", db=tiny)


def test_reading_labels_loads_no_model_stack(tiny, tmp_path):
    write_table(tmp_path / "mine.csv", ",")
    code = (
        "import sys\nfrom atlas.cli import run\n"
        f"assert run(['--db', {str(tiny)!r}, 'ingest', 'labels', {str(tmp_path / 'mine.csv')!r}, '--sae', 'A']) == 0\n"
        "assert not {'torch', 'sae_lens', 'transformer_lens', 'transformers'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("part", "layer"),
    [
        ("5-res-jb", 5), ("12", 12), ("layers.5.mlp", 5), ("transformer.h.7", 7), ("blocks.3.hook_mlp_out", 3),
        ("embed", None), ("", None), (None, None), ("gpt2", None), ("5x", None),
    ],
)  # fmt: skip
def test_the_layer_is_read_from_a_source_or_a_hookpoint(part, layer):
    assert layer_of_part(part) == layer


TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\x00"), min_size=1).filter(str.strip)


@given(labels=st.dictionaries(st.integers(0, 10**9 - 1), TEXTS, min_size=1, max_size=8))
def test_any_text_comes_back_from_json_and_from_a_table(tmp_path_factory, labels):
    folder = tmp_path_factory.mktemp("labels")
    (folder / "a.jsonl").write_text("\n".join(json.dumps({"index": k, "label": v}) for k, v in labels.items()))
    with (folder / "a.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("feature", "label"), *labels.items()])
    for name in ("a.jsonl", "a.csv"):
        found = {label.feature_id: label.text for label in read_labels(folder / name)}
        assert found == {feature: text.strip() for feature, text in labels.items()}
