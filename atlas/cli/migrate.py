"""`featlas migrate`: bring an older atlas up to date."""

from __future__ import annotations

import click

from atlas.cli.kit.group import Session


@click.command()
@click.pass_obj
def migrate(session: Session) -> None:
    """Bring an atlas that an older featlas wrote up to this one's schema; nothing in it is lost.

    \b
    Example:
      featlas --db demo.duckdb migrate
    """
    session.write().close()
    click.echo(f"{session.db} is up to date")
