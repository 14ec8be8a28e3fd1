"""Claims about data sets that are streamed: which split is read, and what is said when there is none."""

from __future__ import annotations

import json
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from atlas.errors import AtlasError, UsageError
from ingest.sources.texts.corpora import open_corpus
from ingest.sources.tokens.vocabulary import vocabulary

TOKENIZER = PreTrainedTokenizerFast(
    tokenizer_object=Tokenizer(models.WordLevel({"<s>": 0, "a": 1}, unk_token="a")), bos_token="<s>"
)
WORDS = vocabulary(TOKENIZER)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data set of two splits."""
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    where = tmp_path / "stories"
    where.mkdir()
    rows = [{"body": f"text {i}", "score": i / 4, "ids": [1, 1], "other": "x"} for i in range(60)]
    pq.write_table(pa.Table.from_pylist(rows[:40]), where / "train.parquet")
    pq.write_table(pa.Table.from_pylist(rows[40:]), where / "test.parquet")
    return where


def read(source, **options):
    return list(open_corpus(source, **options).documents(TOKENIZER, WORDS))


def test_a_split_is_streamed_with_its_texts_and_labels(folder):
    found = read(f"hf:{folder}:test", text_field="body", label_field="score")
    assert [document.text for document in found] == [f"text {i}" for i in range(40, 60)]
    assert [document.label for document in found] == [i / 4 for i in range(40, 60)]
    assert [d.token_ids.tolist() for d in read(f"hf:{folder}:default:test", text_field="ids")] == [[1, 1]] * 20


def test_a_folder_of_jsonl_is_a_data_set_too(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.jsonl").write_text(json.dumps({"text": " one "}) + "\n" + json.dumps({"text": ""}))
    assert [document.text for document in read(f"hf:{tmp_path}/data:train")] == ["one"]


def test_a_shuffled_stream_has_the_order_of_its_seed(folder):
    orders = [[d.text for d in read(f"hf:{folder}:train", text_field="body", shuffle=seed)] for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2])


def test_the_name_of_a_data_set_is_that_of_its_split(folder):
    assert open_corpus("hf:roneneldan/TinyStories:train").name == "TinyStories-train"
    assert open_corpus("hf:allenai/c4:en:validation").name == "c4-en-validation"


@pytest.mark.parametrize("source", ["hf:", "hf:name", "hf:a:b:c:d", "hf::train", "hf:name:"])
def test_a_name_of_another_form_is_refused_before_anything_is_loaded(source):
    with pytest.raises(UsageError, match="hf:NAME:SPLIT or hf:NAME:CONFIG:SPLIT"):
        open_corpus(source)


def test_what_a_data_set_lacks_is_named(folder):
    with pytest.raises(UsageError, match=r'has no field "text"\n.*its fields are body, score, ids, other') as error:
        read(f"hf:{folder}:train")
    assert "--text-field body" in str(error.value)
    with pytest.raises(UsageError, match='has no field "y"'):
        read(f"hf:{folder}:train", text_field="body", label_field="y")
    with pytest.raises(AtlasError, match=r"Available splits: \['train', 'test'\]"):
        read(f"hf:{folder}:dev", text_field="body")
    with pytest.raises(AtlasError, match="'nothing' not found"):
        read(f"hf:{folder}:nothing:train", text_field="body")


def test_a_hub_that_is_not_there_is_one_message_soon(monkeypatch, capfd):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    began = time.monotonic()
    with pytest.raises(AtlasError, match="there is no data set 'nobody/nothing'") as error:
        read("hf:nobody/nothing:train")
    assert time.monotonic() - began < 10
    assert "HF_HUB_OFFLINE" in str(error.value)
    assert capfd.readouterr() == ("", "")
