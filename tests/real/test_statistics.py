"""Claims about an ingest of three real SAEs on two real corpora: every statistic equals a dense computation.

The codes are judged first: the stored ones equal those of an independent forward pass and TopK to 1e-5, but for the few
tokens whose eighth and ninth feature tie within float32, where either may fire. The statistics are then taken densely
from the stored codes, so that counts can be held to be exact.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from atlas.activations import read_scan
from atlas.db import open_atlas
from ingest.job import ingest
from ingest.spec import IngestRequest
from tests.support import dense_oracle as oracle

LAYER = 2
SAES = ("stories260k_L2_topk1024_s0", "stories260k_L2_topk256k8_s0", "stories260k_L2_topk256k8_s1")
CORPORA = {"tinystories": 500_000, "wikitext2": 200_000}
CASES = [(sae, corpus) for corpus in CORPORA for sae in SAES]
TIED = 1e-5
"""Difference of two pre-activations below which float32 may order them either way."""

MOST_TIED = 20
"""Tokens of a corpus that may be tied."""

EXACT = ("n_tokens", "n_fired", "is_dead", "max", "q25_active", "median_active", "q75_active")
SHAPES = ("std_active", "skew_active", "kurtosis_active")
"""Statistics over firing tokens, whose digits are those of the mean: as many are lost as mean / std has."""

Columns = dict[str, Any]

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def db(shared_data, tmp_path_factory) -> Path:
    """The three SAEs on TinyStories, whose documents carry a label, and then on WikiText."""
    folder = tmp_path_factory.mktemp("statistics")
    stories = (shared_data / "text" / "tinystories.txt").read_text(encoding="utf-8").split("<|endoftext|>")
    rows = ({"text": text, "happy": text.count("happy")} for text in stories if text.strip())
    (folder / "tinystories.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    for corpus, label in ((folder / "tinystories.jsonl", "happy"), (shared_data / "text" / "wikitext2.txt", None)):
        request = IngestRequest(
            model=str(shared_data / "models" / "stories260k"),
            saes=tuple(str(shared_data / "saes" / sae) for sae in SAES),
            corpus=str(corpus),
            label_field=label,
            hook=f"blocks.{LAYER}.hook_resid_post",
            tokens=CORPORA[corpus.stem],
        )
        ingest(request, db=folder / "a.duckdb")
    return folder / "a.duckdb"


@pytest.fixture(scope="module")
def texts(db) -> dict[str, oracle.Text]:
    """The corpora as they were cut."""
    with open_atlas(db) as atlas:
        sql = """select c.token_ids, c.documents from context c join corpus k using (corpus_id)
                 where k.name = $corpus order by c.context_id"""
        return {corpus: oracle.Text.of(atlas.rows(sql, corpus=corpus).rows) for corpus in CORPORA}


@pytest.fixture(scope="module")
def hidden(shared_data, texts) -> dict[str, np.ndarray]:
    """What transformers says that the block puts out."""
    model = shared_data / "models" / "stories260k"
    return {corpus: oracle.hidden_states(model, LAYER, text) for corpus, text in texts.items()}


def rows(db: Path, sql: str, **params: object) -> Columns:
    """Columns of a query; null is NaN in a column of numbers."""
    with open_atlas(db) as atlas:
        found = atlas.con.execute(sql, params).fetchnumpy()
    return {
        name: np.ma.filled(column.astype(float), np.nan)
        if np.ma.isMA(column) and column.dtype.kind in "iuf"
        else column
        for name, column in found.items()
    }


def of(db: Path, view: str, sae: str, corpus: str, order: str = "feature_id") -> Columns:
    """Rows of a view for one SAE on one corpus."""
    return rows(
        db, f"select * from {view} where sae = $sae and corpus = $corpus order by {order}", sae=sae, corpus=corpus
    )


@pytest.mark.parametrize(("sae", "corpus"), CASES)
def test_stored_codes_are_the_top_k_of_an_independent_forward_pass(db, shared_data, hidden, sae, corpus):
    values, features = oracle.TopK.load(shared_data / "saes" / sae).encode(hidden[corpus])
    stored = read_scan(db, sae, corpus)
    token = np.repeat(np.arange(len(values)), oracle.K)
    fires = (np.maximum(values[:, : oracle.K], 0).ravel(), (token, features[:, : oracle.K].ravel()))
    expected = sp.csr_array(fires, shape=stored.shape)
    furthest = abs(stored - expected).max(axis=1).toarray().ravel()
    wrong = furthest > 1e-5 * (1 + values[:, 0])
    tied = values[:, oracle.K - 1] - values[:, oracle.K] < TIED
    assert not np.any(wrong & ~tied)
    assert np.count_nonzero(wrong) <= MOST_TIED
    assert np.all(stored.sum(axis=1) > 0)


@pytest.mark.parametrize(("sae", "corpus"), CASES)
def test_counts_moments_and_quartiles_of_every_feature(db, texts, sae, corpus):
    found, text = of(db, "features", sae, corpus), texts[corpus]
    rows_ = [oracle.statistics(column, text) for _, column in oracle.columns(read_scan(db, sae, corpus))]
    assert found["feature_id"].tolist() == list(range(len(rows_)))
    expected = {name: np.array([row[name] for row in rows_], float) for name in rows_[0]}
    spread = np.maximum(expected["std_active"], 1e-8 * expected["mean_active"])
    for name in expected.keys() - {"var", "var_active"}:  # their roots are there
        rtol = np.full(len(rows_), 0.0 if name in EXACT else 1e-6)
        rtol += 1e-15 * (name in SHAPES) * expected["mean_active"] / spread
        value = found[name].astype(float)
        assert np.array_equal(np.isnan(value), np.isnan(expected[name])), name
        scale = np.maximum(abs(expected[name]), name in SHAPES)
        assert np.nanmax(abs(value - expected[name]) - rtol * scale) <= 1e-12, name


@pytest.mark.parametrize(("sae", "corpus"), CASES)
def test_histograms_hold_every_firing_token_once(db, sae, corpus):
    found = of(db, "histograms", sae, corpus, "feature_id, bin")
    codes = read_scan(db, sae, corpus).tocoo()
    # A sixteenth of an octave: the exponent and the first four bits of the fraction.
    bins, n = np.unique(codes.col.astype(np.int64) << 32 | codes.data.view(np.int32) >> 19, return_counts=True)
    assert (found["feature_id"].astype(np.int64) << 32 | found["bin"]).tolist() == bins.tolist()
    assert found["n"].tolist() == n.tolist()


@pytest.mark.parametrize(("sae", "corpus"), CASES)
def test_the_strongest_tokens_of_every_third_feature(db, texts, sae, corpus):
    found = of(db, "features", sae, corpus)["top_tokens"]
    words = dict(zip(*rows(db, "select token_id, text from vocab").values(), strict=True))
    for feature, column in oracle.columns(read_scan(db, sae, corpus)):
        if feature % 3 == 0:
            fires = np.flatnonzero(column)
            strongest = fires[np.lexsort((fires, -column[fires]))][:20]
            assert list(found[feature]) == [words[texts[corpus].token_id[i]] for i in strongest]


@pytest.mark.parametrize(("sae", "corpus"), CASES)
def test_positions_of_every_third_feature(db, texts, sae, corpus):
    found, text = of(db, "positions", sae, corpus, "feature_id, position"), texts[corpus]
    for feature, column in oracle.columns(read_scan(db, sae, corpus)):
        if feature % 3 == 0:
            n_tokens, n_fired, total, total_2 = oracle.by_key(column, text.position, text.ids.shape[1])
            here, fires = found["feature_id"] == feature, n_fired > 0
            assert found["position"][here].tolist() == np.flatnonzero(fires).tolist()
            assert found["n_tokens"][here].tolist() == n_tokens[fires].tolist()
            assert found["n_fired"][here].tolist() == n_fired[fires].tolist()
            mean = total[fires] / n_tokens[fires]
            np.testing.assert_allclose(found["mean"][here], mean, rtol=1e-6)
            std = np.sqrt(total_2[fires] / n_tokens[fires] - mean**2)
            np.testing.assert_allclose(found["std"][here], std, rtol=1e-6)


@pytest.mark.parametrize(("sae", "corpus"), CASES)
def test_tokens_of_every_third_feature_by_lift_and_by_sum(db, texts, sae, corpus):
    found, text = of(db, "token_stats", sae, corpus, "feature_id, token_id"), texts[corpus]
    words = dict(zip(*rows(db, "select token_id, text from vocab").values(), strict=True))
    for feature, column in oracle.columns(read_scan(db, sae, corpus)):
        if feature % 3 == 0:
            n_tokens, n_fired, total, _ = oracle.by_key(column, text.token_id, len(words))
            lift = n_fired / np.maximum(n_tokens, 1) * len(text) / max(n_fired.sum(), 1)
            by_lift, by_sum = (oracle.first(50, value, n_fired) for value in (lift, total))
            kept = np.array(sorted({*by_lift, *by_sum}), int)
            here = {name: column[found["feature_id"] == feature] for name, column in found.items()}
            assert here["token_id"].tolist() == kept.tolist()
            assert here["token"].tolist() == [words[token] for token in kept]
            assert here["n_tokens"].tolist() == n_tokens[kept].tolist()
            assert here["n_fired"].tolist() == n_fired[kept].tolist()
            np.testing.assert_allclose(here["lift"], lift[kept], rtol=1e-6)
            np.testing.assert_allclose(here["mean"], total[kept] / n_fired[kept], rtol=1e-6)
            for name, order in (("rank_by_lift", by_lift), ("rank_by_sum", by_sum)):
                place = {token: rank for rank, token in enumerate(order, start=1)}
                np.testing.assert_array_equal(here[name], [place.get(token, np.nan) for token in kept])


@pytest.mark.parametrize(("sae", "corpus"), CASES)
def test_activations_pooled_over_documents_of_every_twelfth_feature(db, texts, sae, corpus):
    found, text = of(db, "document_pooling", sae, corpus, "feature_id, truncation"), texts[corpus]
    documents = rows(db, "select * from documents where corpus = $corpus order by document", corpus=corpus)
    assert documents["n_tokens"].tolist() == np.bincount(text.document).tolist()
    leading = {truncation: text.leading(truncation) for truncation in oracle.TRUNCATIONS}
    for feature, column in oracle.columns(read_scan(db, sae, corpus)):
        for truncation, kept in leading.items() if feature % 12 == 0 and column.any() else ():
            length = np.bincount(text.document[kept])
            largest, mean = oracle.pooled(column, text, kept)
            at = np.isnan(found["truncation"]) if truncation is None else found["truncation"] == truncation
            (row,) = np.flatnonzero(at & (found["feature_id"] == feature))
            here = {name: found[name][row] for name in found}
            assert here["n_documents"] == text.n_documents
            assert here["n_labelled"] == (text.n_documents if corpus == "tinystories" else 0)
            for name, values in (("max", largest), ("mean", mean)):
                expected = {"mean": values.mean(), "std": values.std()}
                expected |= {"r_length": oracle.correlation(values, length)}
                expected |= {"r_label": oracle.correlation(values, documents["label"])}
                for column_name, value in expected.items():
                    assert here[f"{name}_{column_name}"] == pytest.approx(value, rel=1e-6, abs=1e-9, nan_ok=True), (
                        name,
                        truncation,
                    )


@pytest.mark.parametrize(("sae", "corpus"), CASES)
def test_contexts_of_every_kind_of_every_thirty_second_feature(db, texts, sae, corpus):
    sql = """select v.*, f.context_id, f.start from contexts v join sae s on s.name = v.sae
             join corpus k on k.name = v.corpus join scan c using (sae_id, corpus_id)
             join feature_context f using (scan_id, feature_id, kind, bin, rank)
             where v.sae = $sae and v.corpus = $corpus and v.feature_id % 32 = 0 order by feature_id, kind, bin, rank"""
    found, text = rows(db, sql, sae=sae, corpus=corpus), texts[corpus]
    for feature, column in oracle.columns(read_scan(db, sae, corpus)):
        if feature % 32 == 0:
            grid = np.zeros(text.ids.shape)
            grid[text.context, text.position] = column
            for (kind, bin_), (most, among) in oracle.eligible_contexts(grid).items():
                here = (found["feature_id"] == feature) & (found["kind"] == kind) & (found["bin"] == bin_)
                shown, peak = found["context_id"][here], found["activation"][here]
                assert len(set(shown)) == len(shown) == min(most, len(among))
                assert set(shown) <= set(among)
                assert found["rank"][here].tolist() == list(range(1, len(shown) + 1))
                np.testing.assert_array_equal(peak, grid[shown].max(axis=1))
                assert np.all(np.diff(peak) <= 0)
                assert kind != "top" or shown.tolist() == among.tolist()
                places = zip(
                    shown, found["position"][here], found["start"][here], found["activations"][here], strict=True
                )
                for context, position, start, activations in places:
                    assert text.documents[context, position] >= 0
                    assert grid[context, position] == grid[context].max()
                    assert list(activations) == grid[context, start : start + len(activations)].tolist()


def test_logit_weights_norms_and_biases(db, shared_data):
    for sae in SAES:
        weights = oracle.TopK.load(shared_data / "saes" / sae)
        found, ends = (
            of(db, "features", sae, "wikitext2"),
            rows(db, "select * from logit_tokens where sae = $sae order by feature_id, sign, rank", sae=sae),
        )
        logits = oracle.logits(shared_data / "models" / "stories260k", weights)
        expected = [oracle.moments(row) for row in logits]
        for name in ("mean", "skew", "kurtosis"):
            values = [row[name] for row in expected]
            np.testing.assert_allclose(found[f"logit_{name}"], values, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(found["logit_std"], [np.sqrt(row["var"]) for row in expected], rtol=1e-5)
        np.testing.assert_allclose(found["decoder_norm"], weights.norms, rtol=1e-6)
        np.testing.assert_allclose(found["encoder_norm"], np.linalg.norm(weights.w_enc, axis=0), rtol=1e-6)
        np.testing.assert_allclose(found["encoder_bias"], weights.b_enc, rtol=1e-6, atol=1e-7)
        at_tokens = logits[ends["feature_id"], ends["token_id"]]
        np.testing.assert_allclose(ends["logit"], at_tokens, rtol=1e-4, atol=1e-6)
        for feature in range(0, len(logits), 7):
            for sign, best in ((1, np.sort(logits[feature])[::-1][:20]), (-1, np.sort(logits[feature])[:20])):
                here = (ends["feature_id"] == feature) & (ends["sign"] == sign)
                np.testing.assert_allclose(ends["logit"][here], best, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("sae", "corpus"), CASES)
def test_what_a_scan_says_of_the_whole_sae(db, shared_data, texts, hidden, sae, corpus):
    found, text = {name: column[0] for name, column in of(db, "scans", sae, corpus, "scan_id").items()}, texts[corpus]
    weights, codes = oracle.TopK.load(shared_data / "saes" / sae), read_scan(db, sae, corpus)
    n_fired = np.bincount(codes.indices, minlength=codes.shape[1])
    assert found["n_tokens"] == len(text)
    assert found["n_documents"] == text.n_documents
    assert found["l0"] == pytest.approx(codes.nnz / len(text), rel=1e-12)
    assert (found["n_alive"], found["n_dead"]) == (np.count_nonzero(n_fired), np.count_nonzero(n_fired == 0))
    assert found["n_dense"] == np.count_nonzero(n_fired > 0.1 * len(text))
    x = hidden[corpus].astype(float)
    error = float(np.square(x - weights.decode(codes)).sum() / np.square(x - x.mean(axis=0)).sum())
    assert found["fvu"] == pytest.approx(error, rel=1e-4)
    assert found["explained_variance"] == pytest.approx(1 - error, rel=1e-4)


@pytest.mark.parametrize("corpus", CORPORA)
def test_the_loss_that_each_sae_recovers(db, shared_data, texts, corpus):
    found, text = of(db, "scans", SAES[0], corpus, "scan_id"), texts[corpus]
    n_predicted = int(found["loss_tokens"][0])
    contexts = oracle.spread(text, n_predicted)
    assert n_predicted == np.count_nonzero(text.documents[contexts, 1:] >= 0)
    saes = [oracle.TopK.load(shared_data / "saes" / sae) for sae in SAES]
    model = shared_data / "models" / "stories260k"
    clean, ablated, *spliced = oracle.cross_entropies(model, LAYER, saes, text, contexts)
    for sae, with_sae in zip(SAES, spliced, strict=True):
        found = of(db, "scans", sae, corpus, "scan_id")
        assert found["loss_tokens"][0] == n_predicted
        losses = [found[name][0] for name in ("ce", "ce_ablated", "ce_spliced")]
        # One tied token whose other feature is spliced in moves the loss by a few millionths.
        assert losses == pytest.approx([clean, ablated, with_sae], rel=5e-5)
        assert found["loss_recovered"][0] == pytest.approx((ablated - with_sae) / (ablated - clean), rel=5e-5)
