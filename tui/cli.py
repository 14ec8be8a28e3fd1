"""`featlas tui`: browse an atlas in the terminal."""

from __future__ import annotations

import sys

import click

from atlas.cli._group import Session


@click.command()
@click.argument("reference", metavar="[REF|PAIR]", required=False)
@click.pass_obj
def tui(session: Session, reference: str | None) -> None:
    """Browse features and matched pairs; start at a feature A:1081 or at a pair A:1081=B:3169 if one is given.

    The atlas is opened read-only, and let go of while another program wants to write.

    \b
    Examples:
      featlas --db demo.duckdb tui
      featlas --db demo.duckdb tui A:663=I:903
    """
    from atlas.errors import UsageError
    from atlas.references import parse_reference

    start = parse_reference(reference) if reference else None
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        raise UsageError("the browser needs a terminal", hint="featlas show A:1081, featlas pairs A B, featlas ls saes")
    if not session.db.exists():
        session.read()  # says what is missing before the screen is taken over
    from tui.app import FeatlasApp

    FeatlasApp(session.db, wait=session.wait, start=start).run()
