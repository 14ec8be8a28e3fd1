"""What a request leaves open, decided from what the SAEs were trained on and what the model can do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from atlas.errors import UsageError
from ingest.sources.models.model import Model
from ingest.sources.saes.sae import Sae
from ingest.sources.texts.corpora import CorpusText
from ingest.spec import IngestRequest

Note = Callable[[str], None]

_DEFAULT_CONTEXT = 128


def hook(sae: Sae, model: Model) -> str:
    """The point of the model whose activations are the input of an SAE, when its width fits."""
    if sae.hook is None:
        known = ", ".join(hook for hook in model.hooks if hook.endswith("hook_resid_post"))
        raise UsageError(
            f"the cfg of {sae.name} does not name its hook",
            why=f"{model.name} has {known}, …",
            hint=f"name the one it was trained on, for instance --hook {model.residual_hook}",
        )
    width = model.width(sae.hook)
    if width != sae.d_in:
        raise UsageError(
            f"{sae.name} does not fit {sae.hook} of {model.name}",
            why=f"its input has {sae.d_in} dimensions and the hook gives {width}",
            hint="give the model it was trained on, or another --hook",
        )
    return sae.hook


def row_length(source: CorpusText, request: IngestRequest, model: Model) -> int | None:
    """Tokens of a context of a corpus that is cut already; None if it is not."""
    length = source.row_length
    if length is None:
        return None
    if request.context_length not in (None, length):
        raise UsageError(
            f"--context-length {request.context_length} is not that of {source.source}",
            why=f"its contexts are cut already, at {length} tokens",
            hint="give no --context-length",
        )
    if model.n_ctx and length > model.n_ctx:
        raise UsageError(
            f"the contexts of {source.source} have {length} tokens",
            why=f"the longest context of {model.name} has {model.n_ctx}",
            hint="save the token ids as a stream, (tokens,), and they are cut shorter",
        )
    return length


def context_length(request: IngestRequest, saes: Sequence[Sae], model: Model, note: Note) -> int:
    """Tokens of a context: as asked for, as the SAEs were trained, or 128; never more than the model reads."""
    longest = model.n_ctx
    if request.context_length is not None:
        if longest and request.context_length > longest:
            raise UsageError(
                f"--context-length {request.context_length} is more than {model.name} reads",
                why=f"its longest context has {longest} tokens",
                hint=f"--context-length {longest}",
            )
        return request.context_length
    for sae in saes:
        if sae.context_size is not None and (type(sae.context_size) is not int or sae.context_size < 2):
            raise UsageError(
                f"the cfg of {sae.name} speaks of contexts of {sae.context_size!r} tokens",
                why="a context has two tokens or more",
                hint=f"--context-length {min(longest or _DEFAULT_CONTEXT, _DEFAULT_CONTEXT)}",
            )
    trained = sorted({sae.context_size for sae in saes if sae.context_size is not None})
    if len(trained) > 1:
        note(f"note: the SAEs were trained on contexts of {', '.join(map(str, trained))} tokens; taking {trained[0]}")
    length = trained[0] if trained else _DEFAULT_CONTEXT
    return min(length, longest) if longest else length


def prepend_bos(request: IngestRequest, saes: Sequence[Sae], model: Model) -> bool:
    """Whether contexts begin with BOS: as asked for, as the SAEs were trained, or if there is one."""
    if request.prepend_bos is not None:
        return request.prepend_bos
    trained = {sae.name: sae.prepend_bos for sae in saes if sae.prepend_bos is not None}
    if len(set(trained.values())) > 1:
        with_bos = ", ".join(name for name, bos in trained.items() if bos)
        without = ", ".join(name for name, bos in trained.items() if not bos)
        raise UsageError(
            "these SAEs were trained on contexts of different kinds",
            why=f"with BOS: {with_bos}; without: {without}",
            hint="ingest them in two commands, or choose with --prepend-bos or --no-prepend-bos",
        )
    return next(iter(trained.values()), model.words.bos_id is not None)
