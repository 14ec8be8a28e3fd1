"""The names that a filter may use, and where in the atlas each is found."""

from __future__ import annotations

NUMBERS = {
    "feature_id": "f.feature_id",
    "n_fired": "f.n_fired",
    "density": "f.n_fired / c.n_tokens",
    "mean": "f.total / c.n_tokens",
    "mean_active": "f.total / nullif(f.n_fired, 0)",
    "median_active": "f.median_active",
    "q25_active": "f.q25_active",
    "q75_active": "f.q75_active",
    "max": "f.max",
    "n_documents": "f.n_documents",
    "doc_density": "f.n_documents / c.n_documents",
    "n_tokens": "c.n_tokens",
    "layer": "s.layer",
    "match": "b.value",
    "std": "x.std",
    "std_active": "x.std_active",
    "skew": "x.skew",
    "kurtosis": "x.kurtosis",
    "skew_active": "x.skew_active",
    "kurtosis_active": "x.kurtosis_active",
    "encoder_norm": "x.encoder_norm",
    "encoder_bias": "x.encoder_bias",
    "decoder_norm": "x.decoder_norm",
    "logit_mean": "x.logit_mean",
    "logit_std": "x.logit_std",
    "logit_skew": "x.logit_skew",
    "logit_kurtosis": "x.logit_kurtosis",
}
"""Numbers, named as in the view `features`; `match` is the value of the best partner in any other SAE."""

TEXTS = {"label": "l.label", "token": "f.top_tokens"}
"""Texts: the labels of a feature as one text, and its top tokens one by one."""

FLAGS = {
    "dead": "f.n_fired = 0",
    "labelled": "l.label is not null",
    "matched": "b.value is not null",
    "mutual": "b.mutual",
    "concept": "x.is_concept",
    "marked": "marked",
    "listed": "listed",
}
"""Yes or no: never fires, has a label, has a best partner in another SAE, each is the other's best, fires and none of
its strongest tokens is on the non-concept list, marked in the browser, in the list that another view handed over."""

SCOPES = ("sae", "model", "corpus")

SHORT = {
    "d": "density",
    "m": "mean_active",
    "active": "mean_active",
    "median": "median_active",
    "fires": "n_fired",
    "n": "n_fired",
    "docs": "n_documents",
    "feature": "feature_id",
    "feat": "feature_id",
    "id": "feature_id",
    "tok": "token",
    "tokens": "token",
    "top_tokens": "token",
    "labeled": "labelled",
    "is_dead": "dead",
    "is_concept": "concept",
}
"""Other names of the same."""

SORTABLE = {**NUMBERS, "label": "l.label", "token": "f.top_tokens[1]", "sae": "s.sae_id"}
"""What an order may go by."""

TERMS = ("re", "match", "nomatch", "sort")
"""Names with a meaning of their own before a colon."""

JOINS = {
    "s": "join sae s on s.sae_id = c.sae_id",
    "m": "join model m on m.model_id = s.model_id",
    "k": "join corpus k on k.corpus_id = c.corpus_id",
    "x": "join features x on x.sae = s.name and x.corpus = k.name and x.feature_id = f.feature_id",
    "l": "left join labels l on l.sae_id = c.sae_id and l.feature_id = f.feature_id",
    "b": "left join best b on b.scan_id = f.scan_id and b.feature_id = f.feature_id",
}
"""What an expression needs beside features `f` and their scans `c`, by the letter before its dot."""

NEEDS = {"x": ("s", "k"), "m": ("s",)}
"""Joins that a join needs."""


def full_name(name: str) -> str:
    """The name that a short one stands for, letter case aside."""
    name = name.lower()
    return SHORT.get(name, name)


def known_names() -> list[str]:
    """Every name that may stand before an operator."""
    return [*NUMBERS, *TEXTS, *SCOPES, *TERMS, *(short for short, long in SHORT.items() if long not in FLAGS)]
