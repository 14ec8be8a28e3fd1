"""`featlas sql`: any SQL over the views."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from atlas.cli.kit.group import Session
from atlas.cli.kit.output import Out, Taken, output_options, take, write
from atlas.cli.kit.text import visible

if TYPE_CHECKING:
    import duckdb

    from atlas.db import Atlas


@click.command()
@click.argument("query", required=False)
@click.option(
    "-f", "--file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Read the SQL from a file."
)
@click.option("-p", "--param", nargs=2, multiple=True, metavar="NAME VALUE", help="Value of $NAME in the SQL.")
@click.option("--write", "writing", is_flag=True, help="Open for writing, with access to files.")
@output_options
@click.pass_obj
def sql(
    session: Session,
    query: str | None,
    file: Path | None,
    param: tuple[tuple[str, str], ...],
    writing: bool,
    out: Out,
) -> None:
    """Run SQL; `-` reads it from stdin. Without --write nothing can be changed and no other file reached.

    Of several statements, the result of the last is printed. With --write, all of them are kept or none.

    \b
    Examples:
      featlas --db demo.duckdb sql "select sae, count(*) from features where is_dead group by sae"
      featlas --db demo.duckdb sql "from kept_matches('A', 'B', min_value := 0.5) limit 10"
      featlas --db demo.duckdb sql "describe features"
    """
    import duckdb

    from atlas.db import user_error
    from atlas.errors import AtlasError

    text = _text(query, file)
    try:
        statements = duckdb.extract_statements(text)
        parameters = _checked(statements, dict(param), writing)
        with (
            session.write() if writing else session.read() as atlas,
            atlas.transaction() if writing else nullcontext(),
        ):
            taken = _heeding_ctrl_c(atlas, lambda: _run(atlas, statements, parameters, out))
            meant = _aliases_in(atlas, text) if taken and not taken.rows and taken.table is None else ""
    except duckdb.Error as error:
        if "pytz" in str(error):
            raise AtlasError(
                "times with a time zone cannot be printed", hint="cast them: my_column::timestamp"
            ) from error
        raise user_error(error) from error
    if len(statements) > 1:
        session.note(f"ran {len(statements)} statements; the result of the last:")
    if taken:
        write(taken, session, out, schema="featlas.sql/1")
    if meant:
        session.note(f"note: in the views an SAE goes by its full name: {visible(meant)}")


def _aliases_in(atlas: Atlas, text: str) -> str:
    quoted = set(re.findall(r"'([A-Z]{1,3})'", text))
    known = atlas.rows("select s.alias, s.name from sae s order by s.sae_id")
    return ", ".join(f"{alias} is {name}" for alias, name in known if alias in quoted)


def _text(query: str | None, file: Path | None) -> str:
    """The SQL, from the argument, the file or stdin."""
    from atlas.errors import UsageError

    if (query is None) == (file is None):
        raise UsageError(
            "give the SQL once", hint='featlas sql "from saes", featlas sql -f query.sql, or featlas sql - < query.sql'
        )
    if query != "-" and query is not None:
        return query
    if file is None and sys.stdin is None:
        raise UsageError("stdin is closed, so there is no SQL to read", hint='featlas sql "from saes"')
    try:
        return file.read_text(encoding="utf-8") if file else sys.stdin.read()
    except UnicodeDecodeError as error:
        raise UsageError(f"{file or 'stdin'} is no text in UTF-8", why=str(error), hint="give a file of SQL") from error


def _checked(statements: list[duckdb.Statement], parameters: dict[str, str], writing: bool) -> dict[str, str]:
    """Refuse what cannot be run before anything is; the parameters as given."""
    import duckdb

    from atlas.errors import UsageError

    if not statements:
        raise UsageError("there is no SQL to run", hint='featlas sql "from saes"')
    if writing and any(statement.type == duckdb.StatementType.TRANSACTION for statement in statements):
        raise UsageError(
            "--write is one transaction already: all statements are kept or none",
            hint="leave out BEGIN, COMMIT and ROLLBACK",
        )
    named = {name for statement in statements for name in statement.named_parameters}
    stray = sorted(parameters.keys() - named)
    if stray:
        raise UsageError(f"the SQL has no parameter ${stray[0]}", why=f"it names: {', '.join(sorted(named)) or 'none'}")
    return parameters


def _heeding_ctrl_c(atlas: Atlas, work: Callable[[], Taken | None]) -> Taken | None:
    """Work in a thread. In the main one Python hears of Ctrl-C only between the tasks of DuckDB, which may never be."""
    from concurrent.futures import ThreadPoolExecutor, wait

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        try:
            return working.result()
        except KeyboardInterrupt:
            while not working.done():
                atlas.con.interrupt()
                wait([working], timeout=0.05)
            raise


def _run(atlas: Atlas, statements: list[duckdb.Statement], parameters: dict[str, str], out: Out) -> Taken | None:
    """Run the statements in order; the result of the last, or None if it has none."""
    import duckdb

    if atlas.writable:
        atlas.con.execute("set python_enable_replacements = false")  # a table's name is never a variable of ours
    found = None
    for statement in statements:
        given = {name: parameters[name] for name in statement.named_parameters if name in parameters}
        found = atlas.sql(statement, params=given or None)  # type: ignore[arg-type]
        if found is not None and statement is not statements[-1]:
            found.fetchall()
    selects = (duckdb.StatementType.SELECT, duckdb.StatementType.MULTI)
    return None if found is None else take(found, out, cut=statements[-1].type in selects)
