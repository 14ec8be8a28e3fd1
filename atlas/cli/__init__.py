"""The `featlas` command. Importing it loads click and nothing else of weight."""

from __future__ import annotations

import os
import sys

import click

from atlas import __version__
from atlas.cli._group import LazyGroup, Session

COMMANDS = {
    "demo": ("ingest.demo:demo", "Build a small atlas from the built-in models, offline, and say what is in it."),
    "ingest": ("ingest.cli:ingest", "Run a model and its SAEs over a corpus and write every feature's statistics."),
    "correlate": ("atlas.cli.correlate:correlate", "Find the best partners between the features of two SAEs."),
    "metric": ("atlas.cli.metric:metric", "Compare two feature spaces on matched features, with a null."),
    "ls": ("atlas.cli.ls:ls", "List SAEs, scans, features, concepts, models or corpora."),
    "show": ("atlas.cli.show:show", "Show one feature: statistics, histogram, matches, contexts."),
    "pairs": ("atlas.cli.pairs:pairs", "List matched pairs of two SAEs and why others were dropped."),
    "scores": ("atlas.cli.scores:scores", "List the stored scores."),
    "runs": ("atlas.cli.runs:runs", "List the commands that wrote to this atlas."),
    "sql": ("atlas.cli.sql:sql", "Run SQL over the views, read-only unless --write is given."),
    "tui": ("tui.cli:tui", "Browse features and matched pairs in the terminal."),
    "status": ("atlas.cli.status:status", "Say what this atlas holds and what to do next."),
    "migrate": ("atlas.cli.migrate:migrate", "Bring an atlas of an older featlas up to date."),
}


@click.group(cls=LazyGroup, commands_at=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, envvar="FEATLAS_DEBUG", help="Show tracebacks.")
@click.version_option(__version__, prog_name="featlas")
@click.pass_context
def featlas(context: click.Context, debug: bool) -> None:
    """Compare the features that sparse autoencoders find in language models.

    \b
    One file holds everything. Start with the built-in models:
      featlas demo
      featlas --db demo.duckdb tui
    """
    context.ensure_object(Session).debug = debug


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exit 0 ok, 1 failed, 2 usage, 3 database, 4 a check failed, 130 interrupted."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    from atlas.errors import AtlasError

    try:
        result = featlas.main(arguments, standalone_mode=False, prog_name="featlas")
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        kept = str(error.__cause__ or error)
        click.echo(f"interrupted: {kept}" if kept else "interrupted", err=True)
        return 130
    except AtlasError as error:
        if _debugging(arguments):
            raise
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output (head, less) has left: nothing is wrong, and nothing more may be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _debugging(arguments: list[str] | None) -> bool:
    """Whether tracebacks were asked for."""
    return "--debug" in (sys.argv if arguments is None else arguments) or bool(os.environ.get("FEATLAS_DEBUG"))
