"""What a second measure, matchings and families add to the tiny atlas."""

from __future__ import annotations

from atlas.db import Atlas
from tests.support.tiny_atlas import NOW, write_pairing


def write_more(atlas: Atlas) -> None:
    """What `match`, `families` and a second measure leave: logit weights disagree on the pair (0, 1)."""
    write_pairing(
        atlas, 2, "logit", [(0, 1, 0.1, None, None, 40, 30, None), (0, 2, 0.95, 1, 1, 40, 20, None)], shift=None
    )
    keys = {"sae_a": [1], "sae_b": [2], "corpus_id": [1], "corpus_b": [None], "run_id": [1], "n_tokens": [100]}
    matched = {"total": [2.1], "gap": [0.0], "certified": [True], "chance": [0.05], "spec_sha256": ["m"]}
    pairs = {"feature_a": [0, 1, 2, 3], "feature_b": [1, 0, 2, 3], "n_a": [40, 30, 20, 10], "n_b": [30, 40, 20, 10]}
    for number, (method, measure, values) in enumerate(
        [
            ("assignment", "activation", [0.9, 0.8, 0.7, 0.2]),
            ("greedy", "activation", [0.9, 0.8, 0.7, 0.2]),
            ("assignment", "decoder", [0.95, 0.75, 0.6, 0.9]),
            ("assignment", "encoder", [0.72, 0.75, 0.9, 0.9]),
        ],
        start=1,
    ):
        atlas.insert("matching", {"matching_id": [number], "method": [method], "measure": [measure], **keys, **matched})
        atlas.insert("matching_pair", {"matching_id": [number] * 4, **pairs, "value": values, "n_ab": [25, 22, 15, 2]})
    atlas.rows("update matching_pair set feature_b = 4 where matching_id = 4 and feature_a = 3")
    atlas.insert(
        "feature_family",
        {
            "scan_id": [1] * 4,
            "run_id": [1] * 4,
            "family": [1] * 4,
            "round": [1] * 4,
            "feature_id": [0, 1, 2, 3],
            "parent_id": [None, 0, 0, 1],
            "depth": [0, 1, 1, 2],
            "weight": [None, 0.6, 0.5, 0.4],
            "mean_with_head": [0.5] * 4,
            "mean_below": [0.2] * 4,
        },
    )
    effects = {"effects": [[None, 0.1, -0.2, -0.9, 0.0, 0.1]], "chance": [[None, 0.0, 0.1, -0.1, 0.0, 0.0]]}
    place = {"rank": [1], "context_id": [0], "position": [2], "start": [0]}
    atlas.insert("ablation", {"scan_id": [1], "run_id": [1], "feature_id": [0], **place, **effects})
    _write_grid(atlas)


def _write_grid(atlas: Atlas) -> None:
    """One score, and a grid that it is the only cell of."""
    row = {
        "score_id": 1,
        "run_id": 1,
        "metric": "rsa",
        "sae_a": 1,
        "sae_b": 2,
        "corpus_id": 1,
        "subset": "best",
        "n": 4,
    }
    row |= {
        "subset_sha256": "x",
        "features_a": [0, 1, 2, 3],
        "features_b": [1, 0, 2, 3],
        "value": 0.6,
        "null_mean": 0.1,
    }
    row |= {"null_std": 0.1, "null_n": 99, "z": 5.0, "p_value": 0.01, "options": "{}", "seed": 0, "spec_sha256": "s"}
    row |= {"steps": '{"candidates": 5, "left": 4}', "created_at": NOW}
    atlas.insert("score", {name: [value] for name, value in row.items()})
    atlas.insert("grid", {"grid_id": [1], "run_id": [1], "metric": ["rsa"], "spec_sha256": ["g"], "created_at": [NOW]})
    cell = {"grid_id": 1, "sae_a": 1, "sae_b": 2, "score_id": 1, "problem": None, "p_adjusted": 0.02}
    atlas.insert("grid_cell", {name: [value] for name, value in cell.items()})
