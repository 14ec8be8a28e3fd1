"""From a filter to SQL over features `f` and their scans `c`; what the user wrote goes into parameters only."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import indent

from atlas.errors import UnknownName, UsageError
from atlas.filters.fields import FLAGS, JOINS, NEEDS, NUMBERS, SORTABLE, TEXTS
from atlas.filters.terms import Every, Filter, Flag, Match, Not, Number, Scope, Some, Sort, Term, Text
from atlas.filters.tokens import FilterError
from atlas.references import resolve_sae


@dataclass(frozen=True, slots=True)
class Names:
    """What an atlas holds that a filter may name, and what the browser has marked."""

    saes: Sequence[tuple[str, str]] = ()
    """(name, alias)"""
    models: Sequence[str] = ()
    corpora: Sequence[str] = ()
    marks: frozenset[tuple[str, int]] | None = None
    """(SAE, feature); None where nothing can be marked."""
    listed: frozenset[tuple[str, int]] | None = None
    """(SAE, feature) that another view of the browser handed over; None where there is no such list."""


@dataclass(slots=True)
class _Writer:
    """Collects parameters and joins while the SQL of the terms is written."""

    names: Names
    params: dict[str, object] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def value(self, value: object) -> str:
        name = f"filter_{len(self.params)}"
        self.params[name] = value
        return f"${name}"

    def needs(self, expression: str) -> str:
        """The expression; its joins are noted."""
        for letter in re.findall(r"\b([a-z])\.", expression):
            self.used |= {letter, *NEEDS.get(letter, ())}
        return expression

    def term(self, term: Term) -> str:
        """SQL that is true or false, never null, of a feature."""
        match term:
            case Every(of=parts):
                return f"({' and '.join(map(self.term, parts))})" if parts else "true"
            case Some(of=parts):
                return f"({' or '.join(map(self.term, parts))})"
            case Not(of=part):
                return f"not {self.term(part)}"
            case Number():
                expression = self.needs(NUMBERS[term.field])
                return f"coalesce({expression} {term.operator} {self.value(term.bound)}::double, false)"
            case Text():
                return self._text(term)
            case Flag(name="marked"):
                return self._among(self.names.marks, "no marks are known here", "space marks a feature in the browser")
            case Flag(name="listed"):
                return self._among(self.names.listed, "no list is known here", "b in the browser's SQL view makes one")
            case Flag():
                return f"coalesce({self.needs(FLAGS[term.name])}, false)"
            case Scope():
                return self._scope(term)
            case Match():
                return self._match(term)

    def _text(self, term: Text) -> str:
        """A condition on the label, or on any of the tokens."""
        wanted, column = self.value(term.wanted), self.needs(TEXTS[term.field])
        holds = {
            "exact": "({0} = {1} or trim({0}) = {1})",
            "contains": "contains(lower({0}), lower({1}))",
            "regex": "regexp_matches({0}, {1})",
        }[term.mode]
        if term.field == "token":
            return f"len(list_filter({column}, lambda t: {holds.format('t', wanted)})) > 0"
        return f"coalesce({holds.format(column, wanted)}, false)"

    def _among(self, features: frozenset[tuple[str, int]] | None, missing: str, hint: str) -> str:
        """One of some features."""
        if features is None:
            raise UsageError(missing, hint=hint)
        ordered = sorted(features)
        saes, ids = self.value([sae for sae, _ in ordered]), self.value([feature for _, feature in ordered])
        self.needs("s.name")
        return f"(s.name, f.feature_id) in (select unnest({saes}::varchar[]), unnest({ids}::bigint[]))"

    def _scope(self, term: Scope) -> str:
        """An SAE, a model or a corpus."""
        if term.kind == "sae":
            return f"{self.needs('s.name')} = {self.value(self._sae(term.wanted, term.column))}"
        known = self.names.models if term.kind == "model" else self.names.corpora
        low = term.wanted.lower()
        fits = [n for n in known if n == term.wanted] or [n for n in known if n.lower() == low]
        fits = fits or [n for n in known if low and n.lower().endswith(f"/{low}")]
        if len(fits) != 1:
            raise _at(term.column, UnknownName(term.kind, term.wanted, known))
        return f"{self.needs('m.name' if term.kind == 'model' else 'k.name')} = {self.value(fits[0])}"

    def _match(self, term: Match) -> str:
        """The best partner in one SAE."""
        other = self.value(self._sae(term.sae, term.column))
        bound = self.value(term.bound)
        return (
            "(f.scan_id, f.feature_id) in (select p.scan_id, p.feature_id from partners p"
            " join sae o on o.sae_id = p.other"
            f" where o.name = {other} and p.value {term.operator} {bound}::double)"
        )

    def _sae(self, wanted: str, column: int) -> str:
        """Full name of an SAE."""
        try:
            return resolve_sae(wanted, self.names.saes)
        except UsageError as error:
            raise _at(column, error) from error


@dataclass(frozen=True, slots=True)
class Compiled:
    """A query of (scan_id, feature_id) in order, without the values that it needs."""

    sql: str
    """Has the parameters `$scans` (scans to take features from, all if empty) and `$most` beside its own."""
    params: dict[str, object]
    words: tuple[str, ...]
    """Texts that the filter looks for."""

    def written_out(self, scan_ids: Sequence[int]) -> str:
        """The query with its values in it, to be read and changed by a person; made with `places`."""
        values = {**self.params, "scans": list(scan_ids)}
        inner = re.sub(r"\$(\w+)", lambda found: _literal(values[found[1]]), self.sql.replace("limit $most", ""))
        lines = [line.rstrip() for line in inner.split("\n")[1:] if line.strip()]
        joins = "join scan c using (scan_id)\njoin sae s using (sae_id)\norder by i.place"
        return f"select s.name as sae, i.feature_id\nfrom (\n{indent(chr(10).join(lines), '    ')}\n) i\n{joins}"


def compile_filter(parsed: Filter, names: Names, *, sort: Sort, places: bool = False) -> Compiled:
    """Write the query of a filter.

    Args:
        parsed: The filter.
        names: What it may name.
        sort: The order where the filter asks for none.
        places: Add a column `place`, the number of the row in the order.

    Raises:
        UsageError: It names an SAE, a model or a corpus that this atlas does not hold.
    """
    writer, order = _Writer(names), parsed.sort or sort
    where = writer.term(parsed.term)
    key = writer.needs(SORTABLE[order.field])
    joins = "\n    ".join(join for letter, join in JOINS.items() if letter in writer.used)
    sql = _file("order")
    number = ", row_number() over (order by k.key /* direction */ nulls last, k.scan_id, k.feature_id) as place"
    for place, text in {
        "/* before */": _before(where + joins),
        "/* joins */": joins,
        "/* where */": f"and {where}",
        "/* key */": key,
        "/* place */": number if places else "",
        "/* direction */": "desc" if order.descending else "asc",
    }.items():
        sql = sql.replace(place, text)
    return Compiled(sql, writer.params, parsed.words)


def _file(name: str) -> str:
    from atlas.db.sqlfiles import sql_text  # loads DuckDB, which the first paint of the browser need not wait for

    return sql_text(f"filters/{name}")


def _before(sql: str) -> str:
    """The subqueries that a query uses, each before those that use it."""
    used: list[str] = []
    for name in ("best", "partners", "labels"):
        if re.search(rf"\b{name}\b", sql):
            text = _file(name).split("\n", 1)[1].strip()
            used.insert(0, f"{name} as (\n{indent(text, '    ')}\n), ")
            sql += text
    return "".join(used)


def _literal(value: object) -> str:
    """A value as SQL writes it."""
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, float) and math.isinf(value):
        return f"'{'-' if value < 0 else ''}infinity'::double"
    return repr(value)


def _at(column: int, error: UsageError) -> FilterError:
    return FilterError(error.what, column, hint=error.why)
