"""Write the measures into their SQL files, and docs/schema.md from the headers of all: python docs/schema.py"""

from __future__ import annotations

from pathlib import Path

from atlas.db.sqlfiles import contract, sql_files, sql_root
from atlas.pairing import MEASURES
from atlas.pairing.measures.measure import Measure

TARGET = Path(__file__).with_name("schema.md")

OPENING = """# Views and macros

Everything below can be queried with `featlas sql`, from Python (`open_atlas(path).sql(…)`), or from any SQL client that
opens the DuckDB file. The database itself carries these texts as comments. Written by `docs/schema.py` from the headers
of the files in `sql/`; columns are only ever added.
"""


def measure_files() -> dict[Path, str]:
    """The SQL files that list measures, as the registry would have them."""
    lists = {
        "has_direction": [name for name, known in MEASURES.items() if not known.symmetric],
        "is_bounded": [name for name, known in MEASURES.items() if not known.bounded],
        "unit_of": [name for name, known in MEASURES.items() if known.unit() == "documents"],
    }
    files = {}
    for name, measures in lists.items():
        path = sql_root() / "functions" / f"00_{name}.sql"
        files[path] = _filled(path, " in (", ", ".join(map(_literal, measures)), ")")
    view = sql_root() / "views" / "39_measures.sql"
    rows = (f"    ({', '.join(map(_literal, _row(measure)))})" for measure in MEASURES.values())
    return files | {view: _filled(view, "(values\n", ",\n".join(rows), "\n)")}


def _filled(path: Path, opening: str, middle: str, closing: str) -> str:
    """The text of a file with something else between two marks."""
    before, _, rest = path.read_text(encoding="utf-8").partition(opening)
    return before + opening + middle + closing + rest.partition(closing)[2]


def _row(measure: Measure) -> list[object]:
    values = [not measure.symmetric, measure.low, measure.high if measure.bounded else None]
    about = [measure.needs, measure.space, measure.unit(), measure.chance]
    return [measure.name, list(measure.aliases), measure.meaning, *values, *about]


def _literal(value: object) -> str:
    """A value as SQL writes it."""
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "null" if value is None else str(value).lower()


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
    for path, text in measure_files().items():
        path.write_text(text, encoding="utf-8")
    TARGET.write_text(schema_page(), encoding="utf-8")
