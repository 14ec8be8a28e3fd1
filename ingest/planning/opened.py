"""What a request names, found and checked before anything heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atlas.errors import UsageError
from ingest.sources.folders import check_model
from ingest.sources.names import check_name, check_sae_name, check_text
from ingest.sources.saes.expand import SaeSource, expand_saes
from ingest.spec import IngestRequest

if TYPE_CHECKING:
    from ingest.sources.texts.corpora import CorpusText


@dataclass(frozen=True, slots=True)
class Opened:
    """A request with what it names."""

    request: IngestRequest
    """As asked for."""
    text: CorpusText
    """The corpus; none of its documents is read yet."""
    saes: list[SaeSource]
    """Every single SAE that is meant, in order."""


def open_sources(request: IngestRequest) -> Opened:
    """Find the text and the SAEs of a request; nothing of the model stack is loaded.

    Raises:
        AtlasError: Something is wrong that can be told without loading anything.
    """
    if not request.saes:
        raise UsageError("no SAE is given", hint="--sae FOLDER, or --sae RELEASE/SAE_ID")
    _check_words(request)
    for option, value, least in (
        ("--tokens", request.tokens, 1),
        ("--context-length", request.context_length, 2),
        ("--batch-size", request.batch_size, 1),
    ):
        if value is not None and value < least:
            raise UsageError(f"{option} {value} is too small", hint=f"give at least {least}")
    from ingest.sources.texts.corpora import open_corpus  # imports numpy, which asking for help does without

    text = open_corpus(
        request.corpus, text_field=request.text_field, label_field=request.label_field, shuffle=request.shuffle
    )
    check_model(request.model)
    saes = expand_saes(request.saes)
    if request.names and len(request.names) != len(saes):
        given = f"{len(request.names)} --name for {len(saes)} SAE{'s' if len(saes) > 1 else ''}"
        raise UsageError(given, hint="give one --name an SAE, in their order, or none")
    return Opened(request, text, saes)


def _check_words(request: IngestRequest) -> None:
    """Raise on a name or a path that is empty or cannot be stored."""
    check_text("--model", request.model)
    for sae in request.saes:
        check_text("--sae", sae)
    check_text("--corpus", str(request.corpus))
    for name in request.names:
        check_sae_name(name)
    if request.hook is not None:
        check_text("--hook", request.hook)
    if request.corpus_name is not None:
        check_name("--corpus-name", request.corpus_name)
