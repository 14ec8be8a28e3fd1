"""The `featlas` command. Importing it loads click and nothing else of weight."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import click

from atlas import __version__
from atlas.cli.kit.group import LazyGroup, Session, shared_options

COMMANDS = {
    "demo": ("ingest.cli.demo:demo", "Build a small atlas from the built-in models, offline, and say what is in it."),
    "ingest": (
        "ingest.cli.ingest:ingest",
        "Run a model and its SAEs over a corpus and write every feature's statistics.",
    ),
    "correlate": ("atlas.cli.correlate:correlate", "Find the best partners between the features of two SAEs."),
    "match": ("atlas.cli.match:match", "Match the features of two SAEs by a rule: mutual, one-to-one, assignment …"),
    "metric": ("atlas.cli.metric:metric", "Compare two feature spaces on matched features, with a null."),
    "matrix": ("atlas.cli.matrix:matrix", "Score every SAE of one list against every SAE of another, as a grid."),
    "ls": ("atlas.cli.ls:ls", "List SAEs, scans, features, concepts, models or corpora."),
    "show": ("atlas.cli.show:show", "Show one feature: statistics, histogram, matches, contexts."),
    "pairs": ("atlas.cli.pairs:pairs", "List matched pairs of two SAEs and why others were dropped."),
    "orphans": ("atlas.cli.orphans:orphans", "List features of an SAE without a counterpart in others."),
    "families": ("atlas.cli.families:families", "List families of features: inside one SAE or over many."),
    "disagreements": ("atlas.cli.disagreements:disagreements", "List pairs that two measures see differently."),
    "concepts": ("atlas.cli.concepts:concepts", "Count the features of concepts; add concepts of your own."),
    "study": ("atlas.cli.studies:study", "Ask what the field asks of SAEs: distribution, geometry, seeds …"),
    "figure": ("atlas.cli.studies:figure", "Draw a study as PNG, SVG or PDF."),
    "report": ("atlas.cli.report:report", "Write one page of HTML: status, scores, grids and chosen studies."),
    "scores": ("atlas.cli.scores:scores", "List the stored scores."),
    "runs": ("atlas.cli.runs:runs", "List the commands that wrote to this atlas."),
    "sql": ("atlas.cli.sql:sql", "Run SQL over the views, read-only unless --write is given."),
    "tui": ("tui.cli:tui", "Browse features and matched pairs in the terminal."),
    "status": ("atlas.cli.status:status", "Say what this atlas holds and what to do next."),
    "migrate": ("atlas.cli.migrate:migrate", "Bring an atlas of an older featlas up to date."),
}


@click.group(
    cls=LazyGroup,
    commands_at=COMMANDS,
    params=shared_options(envvar="FEATLAS_DB"),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="featlas")
def featlas() -> None:
    """Compare the features that sparse autoencoders find in language models.

    \b
    One file holds everything. Start with the built-in models:
      featlas demo
      featlas --db demo.duckdb tui
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exit 0 ok, 1 failed, 2 usage, 3 database, 4 a check failed, 130 interrupted."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    from atlas.errors import AtlasError

    session = Session()
    try:
        return _invoke(sys.argv[1:] if arguments is None else arguments, session)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        _let_the_reader_go()
        return 0
    except (click.Abort, KeyboardInterrupt) as error:
        return _interrupted(str(error) or str(error.__cause__ or ""))
    except AtlasError as error:
        if session.debug:
            raise
        error.hint = session.with_db(error.hint)
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except (OSError, *_database_errors()) as error:
        if _is_interrupt(error):
            return _interrupted("")
        if session.debug or type(error) is RuntimeError:
            raise
        return _failed(error)


def run_within(arguments: list[str]) -> None:
    """Run a command inside another program: nothing is printed about errors, they are raised.

    Raises:
        AtlasError: The command refused, or could not do it.
    """
    from atlas.errors import UsageError

    try:
        _invoke(arguments, Session())
    except click.ClickException as error:
        raise UsageError(error.format_message()) from error


def _invoke(arguments: list[str], session: Session) -> int:
    """Parse and run. Not through `featlas.main`, which ends a broken pipe with exit code 1."""
    if "_FEATLAS_COMPLETE" in os.environ:
        featlas.main(arguments, prog_name="featlas")
    with featlas.make_context("featlas", list(arguments), obj=session) as context:
        result = featlas.invoke(context)
    return result if isinstance(result, int) else 0


def _database_errors() -> tuple[type[Exception], ...]:
    duckdb = sys.modules.get("duckdb")
    return (duckdb.Error, RuntimeError) if duckdb else ()


def _is_interrupt(error: Exception) -> bool:
    return type(error).__name__ == "InterruptException" or (
        type(error) is RuntimeError and "interrupted" in str(error).lower()
    )


def _interrupted(kept: str) -> int:
    click.echo(f"interrupted: {kept}" if kept else "interrupted", err=True)
    return 130


def _failed(error: Exception) -> int:
    """One message for what nothing else has explained: 3 if the database file is the trouble, else 1."""
    from atlas.errors import disk_full

    if full := disk_full(error):
        click.echo(f"error: {full}", err=True)
        return full.exit_code
    first, *_ = str(error).strip().splitlines() or [type(error).__name__]
    click.echo(f"error: {first}\n  try: the same with --debug, which shows where it comes from", err=True)
    trouble = {"IOException", "ConnectionException", "SerializationException", "FatalException", "InternalException"}
    return 3 if type(error).__name__ in trouble else 1


def _let_the_reader_go() -> None:
    """Write no more: the reader of our output (head, less) has left, and nothing is wrong with that."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # a stream that is closed or no file has nothing left to flush
            os.dup2(nowhere, stream.fileno())
