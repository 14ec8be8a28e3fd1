"""Claims about an ingest on real models, SAEs and text: hooks, codes and statistics equal independent computations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atlas.activations import open_scan, read_scan
from atlas.db import open_atlas
from ingest.job import ingest
from ingest.spec import IngestRequest

DATA = Path(__file__).parents[3] / "shared" / "data"
MODEL = DATA / "models" / "stories260k"
NARROW, WIDE = "stories260k_L2_topk256k8_s0", "stories260k_L2_topk1024_s0"
LAYER, LENGTH, TOKENS = 2, 128, 20_000

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"no real models, SAEs and text at {DATA}"),
]


@pytest.fixture(scope="module")
def scanned(tmp_path_factory) -> Path:
    """An atlas of two real SAEs, measured in one pass in four shards; one has its hook in its cfg, one has none."""
    db = tmp_path_factory.mktemp("real") / "real.duckdb"
    request = IngestRequest(
        model=str(MODEL),
        saes=(str(DATA / "saes" / NARROW), str(DATA / "saes" / WIDE)),
        corpus=str(DATA / "text" / "tinystories.txt"),
        hook=f"blocks.{LAYER}.hook_resid_post",
        tokens=TOKENS,
        shard_tokens=6_000,
        batch_size=16,
    )
    ingest(request, db=db)
    return db


@pytest.fixture(scope="module")
def contexts(scanned) -> tuple[np.ndarray, np.ndarray]:
    """Token ids and counted tokens of the full-length contexts, as the atlas holds them."""
    with open_atlas(scanned) as atlas:
        rows = atlas.rows("select token_ids, documents from context order by context_id").rows
    assert {len(row[0]) for row in rows} == {LENGTH}
    ids, documents = (np.array(column) for column in zip(*rows, strict=True))
    return ids, documents


@pytest.fixture(scope="module")
def hidden(contexts) -> np.ndarray:
    """What transformers says the output of block LAYER is, at the counted tokens: (tokens, d_model)."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32)
    ids, documents = contexts
    with torch.inference_mode():
        states = model(torch.from_numpy(ids.astype(np.int64)), output_hidden_states=True).hidden_states[LAYER + 1]
    return states.numpy()[documents >= 0]


def codes_of(name: str, x: np.ndarray) -> np.ndarray:
    """Codes that SAELens gives, (tokens, d_sae)."""
    import torch
    from sae_lens import SAE

    with torch.inference_mode():
        return SAE.load_from_disk(DATA / "saes" / name, device="cpu").encode(torch.from_numpy(x)).numpy()


@pytest.mark.parametrize("name", [NARROW, WIDE])
def test_stored_activations_are_the_saes_codes_of_the_output_of_the_block(scanned, hidden, name):
    stored = read_scan(scanned, name).toarray()
    np.testing.assert_allclose(stored, codes_of(name, hidden), atol=1e-4)


@pytest.mark.parametrize("name", [NARROW, WIDE])
def test_statistics_equal_a_dense_computation(scanned, name):
    dense = read_scan(scanned, name).toarray().astype(np.float64)
    with open_atlas(scanned) as atlas:
        query = "select * exclude (sae, corpus, top_tokens, is_concept, label) from features where sae = $sae order by feature_id"
        stats = atlas.rows(query, sae=name)
    by_column = {
        column: np.array(values, dtype=float)
        for column, values in zip(stats.columns, zip(*stats, strict=True), strict=True)
    }
    fired = dense > 0
    assert by_column["n_fired"].tolist() == fired.sum(axis=0).tolist()
    with np.errstate(all="ignore"):
        centred = dense - dense.mean(axis=0)
        expected = {
            "density": fired.mean(axis=0),
            "mean": dense.mean(axis=0),
            "std": dense.std(axis=0),
            "mean_active": dense.sum(axis=0) / fired.sum(axis=0),
            "std_active": np.sqrt(
                (dense**2).sum(axis=0) / fired.sum(axis=0) - (dense.sum(axis=0) / fired.sum(axis=0)) ** 2
            ),
            "skew": (centred**3).mean(axis=0) / dense.std(axis=0) ** 3,
            "kurtosis": (centred**4).mean(axis=0) / dense.std(axis=0) ** 4,
            "max": np.where(fired.any(axis=0), dense.max(axis=0), np.nan),
        }
    alive = fired.any(axis=0)
    for column, values in expected.items():
        np.testing.assert_allclose(by_column[column][alive], values[alive], rtol=1e-6, atol=1e-9, err_msg=column)
    for column, share in (("q25_active", 0.25), ("median_active", 0.5), ("q75_active", 0.75)):
        lower = [
            np.sort(a[a > 0])[int(np.ceil(share * (a > 0).sum())) - 1] if (a > 0).any() else np.nan for a in dense.T
        ]
        np.testing.assert_array_equal(by_column[column], lower)


def test_documents_histograms_and_top_tokens_equal_a_dense_computation(scanned, contexts):
    dense = read_scan(scanned, NARROW).toarray()
    ids, documents = contexts
    token_ids, document = ids[documents >= 0], documents[documents >= 0]
    with open_atlas(scanned) as atlas:
        text = dict(atlas.rows("select token_id, text from vocab").rows)
        doc_density = [
            r[0] for r in atlas.rows("select doc_density from features where sae = $s order by feature_id", s=NARROW)
        ]
        tops = [
            r[0] for r in atlas.rows("select top_tokens from features where sae = $s order by feature_id", s=NARROW)
        ]
        bins = atlas.rows("select feature_id, lo, hi, n from histograms where sae = $s", s=NARROW).rows
    in_documents = [len(np.unique(document[dense[:, feature] > 0])) for feature in range(256)]
    assert np.allclose(doc_density, np.array(in_documents) / len(np.unique(document)))
    for feature in (0, 17, 100, 255):
        strongest = np.lexsort((np.arange(len(dense)), -dense[:, feature]))[:20]
        assert tops[feature] == [text[token_ids[i]] for i in strongest if dense[i, feature] > 0]
    assert sum(row[3] for row in bins) == np.count_nonzero(dense)
    for feature, low, high, n in bins[::50]:
        assert n == np.count_nonzero((dense[:, feature] >= low) & (dense[:, feature] < high))


def test_top_contexts_are_the_strongest_with_every_activation_of_the_window(scanned, contexts):
    ids, documents = contexts
    grid = np.zeros((*ids.shape, 256), np.float32)
    grid[documents >= 0] = read_scan(scanned, NARROW).toarray()
    with open_atlas(scanned) as atlas:
        text = dict(atlas.rows("select token_id, text from vocab").rows)
        query = """select f.feature_id, f.rank, f.context_id, f.start, c.activations, c.tokens, c.peak, c.activation
                   from feature_context f join scan using (scan_id) join sae s using (sae_id)
                   join contexts c on c.sae = s.name and c.feature_id = f.feature_id and c.rank = f.rank
                       and c.kind = f.kind
                   where s.name = $s and f.kind = 'top' and f.feature_id in (3, 40, 200) order by all"""
        found = atlas.rows(query, s=NARROW).rows
    for feature in (3, 40, 200):
        peaks = np.sort(grid[:, :, feature].max(axis=1))[::-1][:20]
        assert [row[7] for row in found if row[0] == feature] == peaks[peaks > 0].tolist()
    for feature, _, context, start, activations, tokens, peak, activation in found:
        window = slice(start, start + len(activations))
        assert activations == grid[context, window, feature].tolist()
        assert tokens == [text[i] for i in ids[context, window]]
        assert activations[peak] == activation


def test_fraction_of_variance_unexplained_equals_the_direct_formula(scanned, hidden):
    import torch
    from sae_lens import SAE

    sae = SAE.load_from_disk(DATA / "saes" / NARROW, device="cpu")
    with torch.inference_mode():
        error = hidden - sae(torch.from_numpy(hidden)).numpy()
    covariance = open_scan(scanned, NARROW).input_covariance()
    np.testing.assert_allclose(covariance, np.cov(hidden.T, bias=True), rtol=1e-4, atol=1e-5)
    with open_atlas(scanned) as atlas:
        fvu, l0 = atlas.rows("select fvu, l0 from scans where sae = $s", s=NARROW).rows[0]
    assert fvu == pytest.approx(np.sum(error**2) / np.sum((hidden - hidden.mean(axis=0)) ** 2), rel=1e-4)
    assert l0 == pytest.approx(8, abs=0.05)


def test_one_token_set_feeds_both_saes_and_special_tokens_are_not_in_it(scanned, contexts):
    ids, documents = contexts
    assert np.array_equal(documents < 0, np.isin(ids, (0, 1, 2)))
    assert np.all(ids[:, 0] == 1)
    with open_atlas(scanned) as atlas:
        counted = atlas.rows("select distinct n_tokens from scan").rows
        assert atlas.rows("select count(*) from corpus").rows == [(1,)]
    assert counted == [(int((documents >= 0).sum()),)]


def test_jsonl_of_the_web_is_read_too(tmp_path):
    request = IngestRequest(
        model=str(DATA / "models" / "llama2xs"),
        saes=(str(DATA / "saes" / "llama2xs_L2_topk256k8_s0"),),
        corpus=str(DATA / "text" / "openwebtext.jsonl"),
        hook="blocks.2.hook_resid_post",
        tokens=3_000,
        context_length=64,
    )
    (scan,) = ingest(request, db=tmp_path / "web.duckdb")
    assert 3_000 <= scan.n_tokens < 3_064
    assert (scan.sae, scan.corpus, scan.alias) == ("llama2xs_L2_topk256k8_s0", "openwebtext", "A")
