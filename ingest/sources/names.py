"""Which names an SAE, a corpus or a path may have, so that every name can be typed, printed and told from an alias."""

from __future__ import annotations

import re

from atlas.errors import UsageError

_LIKE_AN_ALIAS = re.compile(r"[A-Za-z]{1,2}")


def check_text(option: str, value: str) -> None:
    """Raise if what was given for an option is empty or cannot be stored.

    Raises:
        UsageError: It is empty or has bytes that are not valid UTF-8.
    """
    if not value.strip():
        raise UsageError(f"{option} is empty", hint=f"give {option} a value")
    if any(0xD800 <= ord(char) < 0xE000 for char in value):
        raise UsageError(f"{option} {value!a} is not UTF-8", hint="rename it, or make a link with another name")


def check_name(option: str, name: str) -> None:
    """Raise if something cannot be called this.

    Raises:
        UsageError: As `check_text`, or it has spaces around it or control characters in it.
    """
    check_text(option, name)
    if name != name.strip():
        raise UsageError(f"{option} {name!r} begins or ends with a space", hint=f"{option} {name.strip()!r}")
    if any(ord(char) < 32 or 127 <= ord(char) < 160 for char in name):
        raise UsageError(f"{option} {name!r} holds control characters", hint="give it without them")


def check_sae_name(name: str) -> None:
    """Raise if an SAE cannot be called this.

    Raises:
        UsageError: As `check_name`, or it reads like an alias or like a pair of features.
    """
    check_name("--name", name)
    if _LIKE_AN_ALIAS.fullmatch(name):
        raise UsageError(
            f"an SAE cannot be called {name!r}",
            why="names of one or two letters are kept for the aliases that featlas gives: A, B, …, AA, …",
            hint=f"give it a longer name: --name {name}-sae",
        )
    if "=" in name:
        raise UsageError(
            f"an SAE cannot be called {name!r}",
            why="'=' stands between the two features of a pair, as in A:1081=B:3169",
            hint=f"--name {name.replace('=', '-')}",
        )
