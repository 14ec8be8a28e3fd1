"""Write docs/schema.md from the headers of the SQL files: python docs/schema.py"""

from __future__ import annotations

from pathlib import Path

from atlas.db.sqlfiles import contract, sql_files

TARGET = Path(__file__).with_name("schema.md")

OPENING = """# Views and macros

Everything below can be queried with `featlas sql`, from Python (`open_atlas(path).sql(…)`), or from any SQL client that
opens the DuckDB file. The database itself carries these texts as comments. Written by `docs/schema.py` from the headers
of the files in `sql/`; columns are only ever added.
"""


def schema_page() -> str:
    """The page: a section for each view and table macro."""
    parts = [OPENING]
    for folder, title in (("views", "Views"), ("macros", "Table macros")):
        parts.append(f"## {title}\n")
        for path in sql_files(folder):
            text = path.read_text(encoding="utf-8")
            promised = contract(text)
            heading = text.splitlines()[0].split(":", 1)[1].strip()
            parts.append(f"### `{heading}`\n")
            grain = ", ".join(promised.grain)
            parts.append(f"{promised.about[0].upper()}{promised.about[1:]}. One row for each ({grain}).\n")
            rows = [f"| `{name}` | {meaning.replace('|', '¦')} |" for name, meaning in promised.columns.items()]
            parts.append("\n".join(["| column | meaning |", "|---|---|", *rows]) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    TARGET.write_text(schema_page(), encoding="utf-8")
