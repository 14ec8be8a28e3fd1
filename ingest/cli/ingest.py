"""`featlas ingest`: a model, its SAEs and a text go in; every feature's statistics come out."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from atlas.cli.kit.group import LazyGroup, need
from atlas.cli.kit.params import Size, Whole
from ingest.sources.models import DTYPES, MODEL_CLASSES

if TYPE_CHECKING:
    from ingest.spec import ScanSummary


class BatchSize(click.ParamType):
    """A number of contexts, or `auto`, which is None."""

    name = "batch size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        return None if value == "auto" else click.INT.convert(value, param, ctx)


COMMANDS = {"labels": ("ingest.cli.labels:labels", "Give the features of an SAE the labels that a file holds.")}


@click.group(cls=LazyGroup, commands_at=COMMANDS, invoke_without_command=True, subcommand_metavar="[COMMAND …]")
@click.option("--model", metavar="MODEL", help="Local Hugging Face folder, or name on the hub.  [required]")
@click.option(
    "--sae",
    "saes",
    multiple=True,
    metavar="SAE",
    help="Folder of one SAE or many, of any format; a pattern in quotes; RELEASE/SAE_ID of SAELens; or ORG/REPO/FOLDER "
    "on the hub. Repeatable.  [required]",
)
@click.option(
    "--hook",
    metavar="HOOK",
    help="Hook name of the model: its activations are the input of the SAEs.  [default: as their cfg says]",
)
@click.option("--corpus", metavar="PATH", help="Text: file, folder, pattern, or hf:NAME:SPLIT.  [required]")
@click.option("--text-field", metavar="FIELD", help="Field with the text, or with token ids.  [default: text]")
@click.option("--label-field", metavar="FIELD", help="Field with a number or boolean for each document.")
@click.option(
    "--packing",
    type=click.Choice(["packed", "document"]),
    default="packed",
    show_default=True,
    help="packed joins documents; with document no context spans two, and a long one continues in the next.",
)
@click.option("--shuffle", type=int, metavar="SEED", help="Take the documents in a random order.")
@click.option("--name", "names", multiple=True, metavar="NAME", help="Name of each SAE.  [default: its folder's]")
@click.option("--corpus-name", metavar="NAME", help="Name of the corpus.  [default: its file's]")
@click.option("--tokens", type=int, metavar="N", help="Stop after N counted tokens.  [default: the whole text]")
@click.option(
    "--context-length", type=int, metavar="L", help="Tokens of a context.  [default: as the SAE's cfg says, else 128]"
)
@click.option(
    "--batch-size",
    type=BatchSize(),
    default=32,
    show_default=True,
    metavar="B",
    help="Contexts in a forward pass; auto finds out what is fast and fits.",
)
@click.option(
    "--prepend-bos/--no-prepend-bos",
    default=None,
    help="Whether a context begins with BOS.  [default: as the SAE's cfg says, else if the tokenizer has one]",
)
@click.option("--device", metavar="D", help="Device of PyTorch.  [default: a GPU if there is one]")
@click.option("--dtype", type=click.Choice(DTYPES), default=DTYPES[0], show_default=True, help="Numbers of the model.")
@click.option(
    "--model-class", type=click.Choice(MODEL_CLASSES), help="What loads the model.  [default: as the SAE's cfg says]"
)
@click.option(
    "--memory", type=Size(), metavar="SIZE", help="What the measurement may take, the model aside.  [default: 4GiB]"
)
@click.option("--seed", type=Whole(), default=0, show_default=True, metavar="N", help="Of contexts chosen at random.")
@click.option("--no-store", is_flag=True, help="Keep no activations; correlate will not work.")
@click.option("--replace", is_flag=True, help="Put this in the place of an earlier scan with other settings.")
@click.option("--dry-run", is_flag=True, help="Check everything and say what would be done.")
@click.pass_context
def ingest(ctx: click.Context, corpus: str, no_store: bool, **options: Any) -> None:
    """Run MODEL once over a text, and every SAE over what it computes.

    Density, moments, histogram, strongest tokens and contexts of every feature go into the atlas, sparse activations
    beside it. Special tokens (BOS, EOS, padding) never enter a statistic. An interrupted ingest resumes where it was
    when the same command is given again; a finished one is not done twice.

    \b
    Example:
      featlas --db mine.duckdb ingest --model gpt2 --sae gpt2-small-res-jb/blocks.8.hook_resid_pre \\
        --corpus stories.txt --tokens 1000000
      featlas --db mine.duckdb ingest --model ./model --sae ./sae-1 --sae ./sae-2 \\
        --hook blocks.2.hook_resid_post --corpus stories.txt
      featlas --db mine.duckdb ingest labels explanations.csv --sae A
    """
    if ctx.invoked_subcommand:
        return
    need(ctx, "model", "saes", "corpus")
    from atlas.cli.kit.output import visible
    from ingest.job import ingest as run
    from ingest.sources.names import check_text
    from ingest.spec import IngestRequest

    session: Any = ctx.obj

    def note(text: str) -> None:
        if not session.quiet:
            click.echo(visible(text), err=True)

    check_text("--corpus", corpus)  # an empty one would be the folder that the user is in
    request = IngestRequest(corpus=corpus, store=not no_store, **options)
    with ExitStack() as stack:
        stages = _Stages(stack, session.quiet)
        found = run(
            request,
            db=session.db,
            wait=session.wait,
            on_note=note,
            on_progress=stages.stage("measuring", "tokens"),
            on_reduced=stages.stage("putting together", "features"),
        )
    if not request.dry_run:
        _print(found)
        for scan in found:
            if scan.fvu is not None and scan.fvu > 1:
                note(f"note: {scan.sae} reconstructs worse than the mean does; is it the right model and hook?")
        note(_next_step(session, found[0], [scan.alias for scan in found[1:]]))


class _Stages:
    """Progress of one stage after another; the clock of each starts with its first report, not with the loading."""

    def __init__(self, stack: ExitStack, quiet: bool) -> None:
        """Prepare; the last display is closed with the stack."""
        self._display, self._quiet, self._now = stack.enter_context(ExitStack()), quiet, ""
        self._show: Callable[[int, int], None] = lambda done, total: None

    def stage(self, title: str, unit: str) -> Callable[[int, int], None]:
        """A function that shows how far this stage is, in the place of the one before."""

        def report(done: int, total: int) -> None:
            from atlas.cli.kit.progress import progress

            if self._now != title:
                self._display.close()
                self._now, self._show = title, self._display.enter_context(progress(title, unit, quiet=self._quiet))
            self._show(done, total)

        return report


def _print(found: list[ScanSummary]) -> None:
    """Print what each SAE showed."""
    from atlas.cli.kit.output import visible

    for scan in found:
        fvu = "undefined" if scan.fvu is None else f"{scan.fvu:.3f}" if scan.fvu < 1000 else f"{scan.fvu:.1e}"
        head = f"{scan.alias}  {visible(scan.sae)}  on {visible(scan.corpus)}"
        click.echo(head + ("" if scan.measured else "  (was there already)"))
        loss = "" if scan.loss_recovered is None else f"   loss recovered {scan.loss_recovered:.3f}"
        click.echo(f"   tokens {scan.n_tokens:,}   L0 {scan.l0:.2f}   FVU {fvu}{loss}")
        click.echo(f"   features: {scan.n_alive:,} alive, {scan.n_dead:,} dead, {scan.n_dense:,} dense (over 10 %)")


def _next_step(session: Any, scan: ScanSummary, others: list[str]) -> str:
    """The command that a user would type now: correlate with an SAE measured on the same tokens, if there is one."""
    featlas = f"featlas --db {shlex.quote(str(session.db))}"
    near, several = _measured_beside(session, scan)
    partner = next((alias for alias in others if alias in near), next(iter(near), None))
    if partner is None:
        return f"next:  {featlas} tui   or ingest another SAE on the same text, to correlate them"
    pair = " ".join(sorted((scan.alias, partner), key=lambda a: (len(a), a)))
    where = f" --corpus {shlex.quote(scan.corpus)}" if several else ""
    return f"next:  {featlas} correlate {pair}{where}"


def _measured_beside(session: Any, scan: ScanSummary) -> tuple[list[str], bool]:
    """Aliases of the SAEs with which one can be correlated, and whether the atlas has several corpora."""
    from atlas.db import open_atlas
    from atlas.errors import AtlasUnavailable

    try:
        with open_atlas(session.db, wait=session.wait) as atlas:
            asked = {"sae": scan.sae, "corpus": scan.corpus, "n_tokens": scan.n_tokens}
            found = atlas.fetch("catalog/measured_beside", **asked).rows
            several = len(atlas.rows("select k.corpus_id from corpus k")) > 1
    except AtlasUnavailable:  # all is written; that somebody else reads it now is not a failure
        return [], False
    others = [alias for alias, is_itself in found if not is_itself]
    return (others if any(row[1] for row in found) else []), several
