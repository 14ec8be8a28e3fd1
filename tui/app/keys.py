"""Custom keys: the table `[keys]` of the configuration file, the id of a key = "key,key"."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from atlas.errors import nearest
from atlas.render.text import clean
from tui.kit.keys import BY_ID, KEYS, TOGETHER, each_key, readable


def config_path() -> Path:
    from platformdirs import user_config_path

    return user_config_path("featlas", appauthor=False) / "config.toml"


def read_keys(path: Path) -> tuple[dict[str, str], str]:
    """The keys that a file asks for, and why they cannot be read; a missing file asks for none."""
    import tomllib

    try:
        keys = tomllib.loads(path.read_text(encoding="utf-8")).get("keys", {})
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError) as error:
        return {}, f"{path.name} cannot be read and is ignored: {path}: {clean(str(error))}"
    if not isinstance(keys, dict) or not all(isinstance(value, str) and value.strip() for value in keys.values()):
        return {}, f'{path}: [keys] takes lines such as "list.sort" = "s,f6"; all are ignored'
    return keys, ""


def trouble_with(own: Mapping[str, str]) -> str:
    """An id that no key has, or a key that means two things in one view since it was remapped; empty if none."""
    unknown = next((name for name in own if name not in BY_ID), None)
    if unknown is not None:
        near = nearest(unknown, list(BY_ID))
        return f"[keys] names {clean(unknown)}, which does not exist" + (f"; did you mean {near}?" if near else "")
    for places in TOGETHER:
        taken: dict[str, str] = {}
        for name, keys in ((one.id, one.keys) for place in places for one in KEYS[place]):
            for key in each_key(own.get(name, keys)):
                other = taken.setdefault(key, name)
                if other != name and (name in own or other in own):
                    return f"the key {readable(key)} is both {other} and {name}"
    return ""
