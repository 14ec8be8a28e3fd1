"""A tiny atlas written by hand, small enough to read: every table has rows."""

from __future__ import annotations

import datetime

from atlas.db import Atlas

NOW = datetime.datetime(2026, 1, 1)

WORDS = ["<s>", " the", " sad", " happy", " Monday", " Tuesday", ".", " dog"]
CLASSES = ["special", "word", "word", "word", "word", "word", "punctuation", "word"]

# Strongest tokens of each feature; feature 4 of both SAEs never fires.
TOP_A = [[" sad", " happy"], [" Monday", " Tuesday"], [".", " the"], [" dog"], []]
TOP_B = [[" Monday"], [" happy", " sad"], [".", " the"], [" sad", " the"], []]


def write_tiny(atlas: Atlas) -> None:
    """Fill every table a reader needs, by hand."""
    atlas.insert(
        "run",
        {
            "run_id": [1],
            "command": ["featlas ingest"],
            "spec": ["{}"],
            "spec_sha256": ["r"],
            "software": ['{"featlas": "0"}'],
            "started_at": [NOW],
            "finished_at": [NOW],
            "status": ["done"],
        },
    )
    atlas.insert("tokenizer", {"tokenizer_id": [1], "sha256": ["t"], "n_vocab": [len(WORDS)]})
    atlas.insert(
        "vocab", {"tokenizer_id": [1] * len(WORDS), "token_id": range(len(WORDS)), "text": WORDS, "class": CLASSES}
    )
    atlas.insert(
        "model",
        {
            "model_id": [1],
            "name": ["little"],
            "source": ["little"],
            "sha256": ["m"],
            "architecture": ["GPTNeoX"],
            "d_model": [3],
            "n_layers": [2],
            "n_ctx": [8],
            "tokenizer_id": [1],
        },
    )
    atlas.insert(
        "corpus",
        {
            "corpus_id": [1],
            "name": ["words"],
            "source": ["words.txt"],
            "sha256": ["c"],
            "tokenizer_id": [1],
            "context_length": [6],
            "prepend_bos": [True],
            "n_documents": [4],
            "n_contexts": [2],
            "n_tokens": [100],
        },
    )
    atlas.insert(
        "context",
        {
            "corpus_id": [1, 1],
            "context_id": [0, 1],
            "first_token": [0, 5],
            "token_ids": [[0, 1, 2, 6, 3, 4], [0, 7, 5, 6, 1, 2]],
            "documents": [[-1, 0, 0, 0, 1, 1], [-1, 2, 2, 2, 3, 3]],
        },
    )
    atlas.insert(
        "document",
        {
            "corpus_id": [1] * 4,
            "document_id": range(4),
            "first_token": [0, 3, 5, 8],
            "n_tokens": [3, 2, 3, 92],
            "label": [1.0, 0.0, None, 1.0],
        },
    )
    for sae_id, (name, alias, top) in enumerate([("little/one", "A", TOP_A), ("little/two", "B", TOP_B)], start=1):
        _write_sae(atlas, sae_id, name, alias, top)
    _write_pairs(atlas)


def _write_sae(atlas: Atlas, sae_id: int, name: str, alias: str, top: list[list[str]]) -> None:
    """One SAE with its scan: feature i fires 10 * (4 - i) times with activation 2."""
    atlas.insert(
        "sae",
        {
            "sae_id": [sae_id],
            "name": [name],
            "alias": [alias],
            "model_id": [1],
            "hook_name": [f"blocks.{sae_id - 1}.hook_resid_post"],
            "layer": [sae_id - 1],
            "architecture": ["standard"],
            "d_in": [3],
            "d_sae": [5],
            "source": [name],
            "sha256": [name],
            "decoder_norm": ["folded"],
            "cfg": ["{}"],
        },
    )
    rows = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.6, 0.8, 0.0], [0.0, 0.6, 0.8]]
    atlas.insert(
        "feature_vector",
        {
            "sae_id": [sae_id] * 5,
            "feature_id": range(5),
            "w_dec": rows,
            "w_enc": rows,
            "b_enc": [0.0] * 5,
            "decoder_norm": [1.0] * 5,
        },
    )
    atlas.insert(
        "scan",
        {
            "scan_id": [sae_id],
            "sae_id": [sae_id],
            "corpus_id": [1],
            "run_id": [1],
            "n_tokens": [100],
            "n_contexts": [2],
            "n_documents": [4],
            "n_nonzero": [100],
            "fvu": [0.1],
            "exact_quantiles": [True],
            "store": [None],
            "spec": ["{}"],
            "spec_sha256": [name],
            "finished_at": [NOW],
        },
    )
    fired = [40, 30, 20, 10, 0]
    live = [2.0, 2.0, 2.0, 2.0, None]
    atlas.insert(
        "feature_stat",
        {
            "scan_id": [sae_id] * 5,
            "feature_id": range(5),
            "n_fired": fired,
            "n_documents": [4, 3, 2, 1, 0],
            "total": [2.0 * n for n in fired],
            "total_2": [4.0 * n for n in fired],
            "total_3": [8.0 * n for n in fired],
            "total_4": [16.0 * n for n in fired],
            "max": live,
            "q25_active": live,
            "median_active": live,
            "q75_active": live,
            "top_tokens": top,
            "top_activations": [[2.0] * len(tokens) for tokens in top],
        },
    )
    atlas.insert("histogram", {"scan_id": [sae_id] * 4, "feature_id": range(4), "bin": [2048] * 4, "n": fired[:4]})
    atlas.insert(
        "feature_context",
        {
            "scan_id": [sae_id] * 2,
            "feature_id": [0, 0],
            "kind": ["top"] * 2,
            "bin": [0, 0],
            "rank": [1, 2],
            "activation": [2.0, 1.5],
            "context_id": [0, 1],
            "position": [2, 5],
            "start": [0, 0],
            "length": [6, 6],
            "places": [[2, 4], [4, 5]],
            "activations": [[2.0, 0.5], [0.5, 1.5]],
        },
    )
    _write_finer_statistics(atlas, sae_id)


def _write_finer_statistics(atlas: Atlas, sae_id: int) -> None:
    """By position, by token and by logit, of feature 0 only."""
    atlas.insert("scan_position", {"scan_id": [sae_id] * 2, "position": [1, 2], "n_tokens": [60, 40]})
    cells = {"n_fired": [30, 10], "total": [60.0, 20.0], "total_2": [120.0, 40.0]}
    atlas.insert("feature_position", {"scan_id": [sae_id] * 2, "feature_id": [0, 0], "position": [1, 2], **cells})
    atlas.insert(
        "feature_token",
        {
            "scan_id": [sae_id] * 2,
            "feature_id": [0, 0],
            "token_id": [2, 3],
            "n_fired": [30, 10],
            "total": [60.0, 20.0],
            "n_tokens": [50, 20],
            "rank_by_lift": [1, None],
            "rank_by_sum": [1, 2],
        },
    )
    documents = {"scan_id": [sae_id], "truncation": [None], "n_documents": [4], "n_labelled": [3]}
    of_documents = ("length_sum", "length_sum_2", "label_sum", "label_sum_2", "labelled_length", "labelled_length_2")
    atlas.insert("scan_pooling", documents | {name: [10.0] for name in (*of_documents, "length_label")})
    pools = ("max_sum", "max_sum_2", "mean_sum", "mean_sum_2", "max_length", "mean_length")
    keys = {"scan_id": [sae_id], "feature_id": [0], "truncation": [None]}
    atlas.insert("feature_pooling", keys | {name: [2.0] for name in pools})
    atlas.insert(
        "logit_token",
        {
            "sae_id": [sae_id] * 2,
            "feature_id": [0, 0],
            "sign": [1, -1],
            "rank": [1, 1],
            "token_id": [2, 6],
            "logit": [1.5, -0.5],
        },
    )


def _write_pairs(atlas: Atlas) -> None:
    """A's features 0 and 3 both choose B's feature 1; feature 2 pairs on a full stop; feature 1 pairs with B's 0."""
    write_pairing(
        atlas,
        1,
        "activation",
        [
            (0, 1, 0.9, 1, 1, 40, 30, 25),
            (0, 3, 0.3, 2, 1, 40, 10, 8),
            (1, 0, 0.8, 1, 1, 30, 40, 22),
            (1, 2, 0.1, 2, 2, 30, 20, 3),
            (2, 2, 0.7, 1, 1, 20, 20, 15),
            (3, 1, 0.4, 1, 2, 10, 30, 6),
            (3, 3, 0.2, 2, 2, 10, 10, 2),
            (2, 0, -0.1, 2, 2, 20, 40, 1),
        ],
    )


def write_pairing(atlas: Atlas, number: int, measure: str, pairs: list[tuple], shift: int | None = 7) -> None:
    """One comparison of the two SAEs."""
    atlas.insert(
        "pairing",
        {
            "pairing_id": [number],
            "measure": [measure],
            "sae_a": [1],
            "sae_b": [2],
            "corpus_id": [1],
            "run_id": [1],
            "n_tokens": [100],
            "top_k": [2],
            "median_best": [0.75],
            "chance": [0.01],
            "median_best_ba": [0.7],
            "chance_ba": [0.02],
            "chance_shift": [shift],
            "spec_sha256": [f"p{number}"],
        },
    )
    names = ("feature_a", "feature_b", "value", "rank_ab", "rank_ba", "n_a", "n_b", "n_ab")
    columns = dict(zip(names, (list(column) for column in zip(*pairs, strict=True)), strict=True))
    atlas.insert("pair", {"pairing_id": [number] * len(pairs), **columns})
