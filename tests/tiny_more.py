"""What a second measure, matchings and families add to the tiny atlas."""

from __future__ import annotations

from atlas.db import Atlas
from tests.tiny_atlas import write_pairing


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
            "with_head": [0.5] * 4,
            "below": [0.2] * 4,
        },
    )
