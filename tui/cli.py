"""`featlas tui`: browse an atlas in the terminal."""

from __future__ import annotations

import os
import sys

import click

from atlas.cli.kit.group import Session


@click.command()
@click.argument("reference", metavar="[REF|PAIR]", required=False)
@click.option("--view", metavar="NAME", help="Show a view first: browse, pairs, overview, matrix …")
@click.option("--filter", "line", metavar="FILTER", help="Filter of the feature table, e.g. 'max>8 -dead sort:-match'.")
@click.option("--fresh", is_flag=True, help="Start fresh: neither use nor change the remembered state.")
@click.option("--theme", metavar="NAME", help="Colours, e.g. textual-light, nord, ansi-dark.")
@click.option("--web", is_flag=True, help="Serve the browser to a web browser on this machine.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port of --web.")
@click.pass_obj
def tui(
    session: Session,
    reference: str | None,
    view: str | None,
    line: str | None,
    fresh: bool,
    theme: str | None,
    web: bool,
    port: int,
) -> None:
    """Browse features and matched pairs; start at a feature A:1081 or at a pair A:1081=B:3169 if one is given.

    The atlas is opened read-only, and closed while another program wants to write. The state of the browser is
    remembered for each atlas.

    \b
    Examples:
      featlas --db demo.duckdb tui
      featlas --db demo.duckdb tui A:663=I:903
      featlas --db demo.duckdb tui --filter "tok~day density<1% sort:-match"
    """
    from atlas.errors import UsageError
    from atlas.filters.parser import parse_filter
    from atlas.references import parse_reference

    start = parse_reference(reference) if reference else None
    if line is not None:
        parse_filter(line)
    if web:
        from tui.web import serve

        serve(session.db, [*([reference] if reference else []), *_options(view, line, theme)], port)
        return
    served = "TEXTUAL_DRIVER" in os.environ  # a page of textual-serve is not a terminal
    if not served and not (sys.stdout.isatty() and sys.stdin.isatty()):
        raise UsageError("the browser needs a terminal", hint="featlas show A:1081, featlas pairs A B, featlas ls saes")
    if not session.db.exists():
        session.read()  # says what is missing before the screen is taken over
    from atlas.catalog.remembered import state_path
    from tui.app.app import FeatlasApp
    from tui.app.keys import config_path, read_keys

    state = None if fresh else state_path(session.db)
    app = FeatlasApp(session.db, wait=session.wait, start=start, view=view, line=line, theme=theme, state=state)
    app.use_keys(*read_keys(config_path()))
    app.run()


def _options(view: str | None, line: str | None, theme: str | None) -> list[str]:
    given = {"--view": view, "--filter": line, "--theme": theme}
    return [word for name, value in given.items() if value is not None for word in (name, value)]
