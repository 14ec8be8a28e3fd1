"""Copying: by the terminal's own escape code, by the system's clipboard if there is a way to it, else by a file."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import App


def copy(app: App[None], text: str, *, beside: Path | None) -> str:
    """Copy a text every way there is; most terminals take OSC 52, none says whether it did.

    Args:
        app: The application, which holds the terminal.
        text: What to copy.
        beside: Folder for a file to fall back on; None for none.

    Returns:
        Where else it can be found, for the status line; empty if the system's clipboard has it.
    """
    app.copy_to_clipboard(text)
    if _to_system(text) or beside is None:
        return ""
    path = beside / "copied.txt"
    try:
        beside.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError:
        return ""
    return f"also in {path}"


def _to_system(text: str) -> bool:
    """Copy through pyperclip, if it is installed and finds a clipboard."""
    try:
        pyperclip = import_module("pyperclip")
    except ImportError:
        return False
    try:
        pyperclip.copy(text)
    except pyperclip.PyperclipException:
        return False
    return True
