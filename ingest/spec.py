"""What an ingest is asked for, and what decides the rows of one scan: equal specs have equal hashes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from ingest.accumulate import limits

if TYPE_CHECKING:
    from ingest.sources.tokens.contexts import Contexts

SHARD_TOKENS = 262_144
"""Counted tokens after which a shard ends, at the end of a context."""

_SETTINGS = {"store": "activations kept:", "seed": "--seed", "dtype": "--dtype", "labels_sha256": "labels"}


@dataclass(frozen=True, slots=True)
class IngestRequest:
    """One `featlas ingest`: a model, its SAEs and a text."""

    model: str
    """Local Hugging Face folder, or name on the hub."""
    saes: tuple[str, ...]
    """Each a local folder or `release/sae_id` of SAELens; one forward pass feeds them all."""
    corpus: str
    """A file of text or token ids, a folder or pattern of them, or `hf:NAME[:CONFIG]:SPLIT`."""
    hook: str | None = None
    """Point of the model whose activations are the input of the SAEs; None for what each SAE's cfg says."""
    names: tuple[str, ...] = ()
    """What the atlas shall call the SAEs, in their order; empty for folder names or `release/sae_id`."""
    corpus_name: str | None = None
    """What the atlas shall call the corpus; None for the name of the file or folder."""
    tokens: int | None = None
    """Stop after the first whole context with which this many tokens are counted; None for all."""
    context_length: int | None = None
    """Tokens of a context; None for the SAE's own, else min(128, the model's longest)."""
    text_field: str | None = None
    """Field with the text in `.jsonl`, Parquet and data sets; None for `text`."""
    label_field: str | None = None
    """Field with a number or boolean for each document; None to read none."""
    packing: str = "packed"
    """`packed` joins documents; with `document` no context spans two."""
    shuffle: int | None = None
    """Seed of a random order of the documents; None for the order in which they are stored."""
    prepend_bos: bool | None = None
    """Whether contexts begin with BOS; None for what the SAEs' cfgs say, else whether the tokenizer has one."""
    batch_size: int | None = 32
    """Contexts in one forward pass, None for what a trial finds fast; changes no more than the last float bits."""
    device: str | None = None
    """Device of PyTorch; None for a GPU if there is one."""
    dtype: str = "float32"
    """Number type of the model's weights and activations, one of `DTYPES`; the SAEs get them as float32."""
    model_class: str | None = None
    """Class that loads the model, one of `MODEL_CLASSES`; None for what the SAEs' cfgs say, else the bridge."""
    store: bool = True
    """Whether to keep the sparse activations beside the database; `correlate` needs them."""
    replace: bool = False
    """Whether to replace an earlier scan of the same SAE and corpus that was asked for differently."""
    dry_run: bool = False
    """Whether to stop before the measurement and only say what it would be."""
    seed: int = 0
    """Of the contexts that are chosen at random, by interval and by quantile."""
    memory: int | None = None
    """Bytes that the measurement may take, the model aside; None for 4 GiB. Decides how long a shard may be."""
    shard_tokens: int = SHARD_TOKENS
    """Counted tokens after which a shard ends, if memory allows; changes no more than the last float bits."""


@dataclass(frozen=True, slots=True)
class ScanSpec:
    """What decides the rows of one scan: one SAE on one corpus."""

    model_sha256: str
    """Of the model's weights, and of the options that it was loaded with."""
    sae_sha256: str
    """Of the SAE's weights."""
    hook: str
    """Point of the model whose activations are the input of the SAE."""
    centred: bool
    """Whether the model's writing weights count as centred, as the SAE's cfg asks for."""
    corpus_sha256: str
    """Of tokenizer and contexts."""
    labels_sha256: str | None
    """Of the documents' labels; None if they carry none."""
    decoder_norm: str
    """'folded' or 'as stored'."""
    store: bool
    """Whether activations are kept; quartiles are exact only then."""
    seed: int
    """Of the contexts that are chosen at random."""
    dtype: str
    """Number type of the model; the SAE runs in float32."""
    kept: tuple[int, ...] = limits.KEPT
    """How much is kept one by one of each feature."""
    format: int = 3
    """Raised when the meaning of stored rows changes."""

    @property
    def json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.json.encode()).hexdigest()

    def differs_only_in_corpus(self, other: str) -> bool:
        """Whether another spec, as JSON, asks for the same of another part of a corpus."""
        of_corpus = {"corpus_sha256": "", "labels_sha256": ""}
        return {**json.loads(other), **of_corpus} == {**json.loads(self.json), **of_corpus}

    def differences(self, other: str, *, beyond: bool) -> str:
        """In words, in what an earlier spec, as JSON, differs from this one.

        Args:
            other: The earlier spec.
            beyond: Whether it is of more of the corpus, so that its labels are more too.
        """
        theirs, mine = json.loads(other), json.loads(self.json)
        if theirs.get("format") != mine["format"]:
            return "that was an earlier featlas, which measured less or otherwise"
        words = {True: "yes", False: "no", None: "none"}
        said = []
        for name, value in mine.items():
            before = theirs.get(name)
            more = name == "labels_sha256" and beyond and None not in (before, value)
            if before != value and name != "corpus_sha256" and not more:
                shown = [words.get(one, one) if isinstance(one, bool | None) else one for one in (before, value)]
                shown = [str(one)[:12] if name.endswith("_sha256") else one for one in shown]
                said.append(f"{_SETTINGS.get(name, name)} {shown[0]} then and {shown[1]} now".replace("_sha256", ""))
        return "; ".join(said) or "the same text was tokenized differently"

    def on_first(self, n_contexts: int, contexts: Contexts) -> ScanSpec:
        hashes = contexts.prefix_sha256(n_contexts), contexts.labels_sha256(n_contexts)
        return replace(self, corpus_sha256=hashes[0], labels_sha256=hashes[1])

    @property
    def folder(self) -> str:
        return self.sha256[:12]


@dataclass(frozen=True, slots=True)
class ScanSummary:
    """What a scan found, for people."""

    sae: str
    """Name of the SAE in the atlas."""
    alias: str
    """Its letter."""
    corpus: str
    """Name of the corpus in the atlas."""
    scan_id: int
    """Number of the scan."""
    n_tokens: int
    """Tokens measured."""
    l0: float
    """Mean number of features that fire on a token."""
    n_alive: int
    """Features that fired."""
    n_dead: int
    """Features that never fired."""
    n_dense: int
    """Features that fired on more than 10 % of the tokens."""
    fvu: float | None
    """Fraction of variance unexplained; None if the activations were constant."""
    loss_recovered: float | None
    """Share of the loss that zeros at its hook cost and the SAE does not, 1 is perfect; None if it was not measured."""
    measured: bool
    """False if an equal scan was there before and nothing was done."""
