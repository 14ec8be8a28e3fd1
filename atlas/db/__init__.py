"""The one door to DuckDB: connections, the schema and its SQL files, and what is written of every run."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from atlas.db.connection import Atlas, Rows, first_line, open_atlas, store_of, user_error

__all__ = ["Atlas", "Rows", "first_line", "open_atlas", "store_of", "user_error"]


def __getattr__(name: str) -> Any:
    """Import DuckDB only for those who open something: the browser reads SQL files before it paints."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from atlas.db import connection

    return getattr(connection, name)
