"""What can be chosen: names of rules and orders, and how an option is declared once for every front end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal

from atlas.errors import UnknownName, UsageError

DEFAULT_MEASURE = "activation"
"""What is meant where no measure is named: one of `atlas.pairing.MEASURES`. All others exchange values with it."""

MATCH_RULES = ("one-to-one", "best", "mutual", "singletons", "first-seen", "assignment", "greedy")
"""As of the macro `matches` and of `Subset.match`, where they are explained."""

STORED_RULES = ("assignment", "greedy")
"""Those that no view can follow: `featlas match` computes and stores their pairs."""

DIRECTIONS = ("a_to_b", "b_to_a")
"""Whose features choose a partner: those of A, or those of B."""

CONCEPT_RULES = ("share", "paper", "word")
"""`share`: some of the ten strongest tokens are keywords. `paper`: one of the five strongest is, and stands there as a
word, as in the code of arXiv 2410.06981. `word`: the word at one of the five strongest positions is a keyword, whether
the tokenizer writes it as one token or as several."""

PAIR_SORTS = ("value", "joint", "margin", "n a", "n b", "feature", "partner")
"""Orders of the pair list; `joint` by the tokens on which both fire, `n a` and `n b` by those of one feature, `feature`
and `partner` by the ids of the SAE that chooses and of the other."""

SVCCA_DIRECTIONS = 10
"""Leading directions that SVCCA keeps of each SAE by default."""


@dataclass(frozen=True, slots=True)
class Option:
    """How a field of a record is set by a person; `option` puts it into the field's metadata."""

    default: Any
    """Value where the option is left out."""
    help: str
    """For `--help`."""
    flags: tuple[str, ...] = ()
    """On the command line, the usual one first."""
    kind: type = str
    """Of the value; bool is a flag."""
    choices: tuple[str, ...] = ()
    """The values there are; empty for any."""
    low: float | None = None
    """Smallest value; None for any."""
    high: float | None = None
    """Largest value."""
    share: bool = False
    """Above 0 and at most 1."""
    metavar: str | None = None
    """Stands for the value in `--help`."""
    called: str = ""
    """For messages, where the name of the field does not say it."""
    parameter: str = ""
    """Of the macro `matches_by`; after `not ` it is the opposite of the field. Empty if the macro has none."""
    bound: str = ""
    """What a number bounds, such as `value>=`: the macro `matches_by` keeps to it, and filter lines may say it."""
    words: str = ""
    """Format of what a record in words says where the value is not the default."""
    otherwise: str = ""
    """Format of what it says at the default."""
    term: str = ""
    """In the filter line of the pair list: `top:` stands before a number, another word stands alone."""
    example: str = ""
    """Value of the term or the bound in the example of a filter line."""
    added: bool = False
    """Stored specs leave it out at its default: scores from before there was this option keep their identity."""
    sets: tuple[str, str] = ("", "")
    """The metric that it belongs to, and the keyword of the function of that metric."""


def option(default: Any, help: str, *flags: str, **more: Any) -> Any:
    """A field of a frozen record that is an option; `more` as the fields of `Option`."""
    kind = more.pop("kind", str if default is None else type(default))
    return field(default=default, metadata={"option": Option(default, help, flags, kind, **more)})


def options_of(record: type) -> dict[str, Option]:
    declared = {f.name: f.metadata["option"] for f in fields(record) if "option" in f.metadata}
    return {name: _with_flag(name, declaration) for name, declaration in declared.items()}


def _with_flag(name: str, declared: Option) -> Option:
    return declared if declared.flags else replace(declared, flags=(f"--{name.replace('_', '-')}",))


def check_options(record: Any) -> None:
    """Refuse a value that an option of the record cannot have.

    Raises:
        UnknownName: A name that is none of the choices.
        UsageError: A number below the smallest.
    """
    for name, declared in options_of(type(record)).items():
        value = getattr(record, name)
        if declared.choices and value not in declared.choices:
            raise UnknownName(declared.called or name.replace("_", " "), value, declared.choices)
        if declared.kind is int and (type(value) is not int or value < (declared.low or 0)):
            raise UsageError(f"{name} must be at least {declared.low or 0}, a whole number, not {value!r}")


def typed(
    options: Mapping[str, Option], values: Mapping[str, Any], *, always: Sequence[str] = (), without: Sequence[str] = ()
) -> list[str]:
    """The words of a command line that set some values.

    Args:
        options: As `options_of` gives them.
        values: By name; one that is missing is the default.
        always: Names that are said even at their default.
        without: Names that are not said.
    """
    words: list[str] = []
    for name, declared in options.items():
        value = values.get(name, declared.default)
        if name not in without and (value != declared.default or name in always):
            words += [declared.flags[0]] if value is True else [declared.flags[0], str(value)]
    return words


def spec_of(record: Any) -> dict[str, Any]:
    """A record as its run stores it, without options that it was not asked for and that older specs do not know."""
    spec = {}
    for f in fields(record):
        value, declared = getattr(record, f.name), f.metadata.get("option")
        if declared is None or not declared.added or value != declared.default:
            spec[f.name] = spec_of(value) if is_dataclass(value) else value
    return spec


Unit = Literal["tokens", "documents", "spans"]
"""`spans`: pieces of a text that two tokenizers cut, as `atlas.pairing.tokens.alignment` finds them."""


def variant(space: str, options: Mapping[str, Any]) -> str:
    """Which rows, and which of a metric's variants, in words."""
    chosen = ", ".join(
        name if value is True else f"{name} {value}" for name, value in options.items() if value is not False
    )
    return f"{space} rows" + (f", {chosen}" if chosen else "")
