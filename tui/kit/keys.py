"""The one table of keys: bindings, the last line of the screen and the help are made from it.

The id of a key names it in the configuration file (`[keys]`) and in docs/browser.md; the place says where it works.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from textual.binding import Binding, BindingType

from atlas.render.feature import CHOICES

Hints = tuple[tuple[str, str], ...]
"""(ids of keys, what they do in a word), the rarest last: narrow screens drop from the end."""

ALWAYS: Hints = (("app.help", "help"), ("app.quit", "quit"))
"""Keys that are never dropped."""


class Key(NamedTuple):
    """One key, or several that do the same."""

    id: str
    keys: str
    """As Textual writes them, the first one first."""
    action: str
    about: str
    priority: bool = False
    """Taken before the widget that has the focus."""

    @property
    def binding(self) -> Binding:
        return Binding(self.keys, self.action, self.about, id=self.id, priority=self.priority)


KEYS: dict[str, tuple[Key, ...]] = {
    "app": (
        Key("app.overview", "o,0", "view('overview')", "SAEs and comparisons"),
        Key("app.browse", "1", "view('browse')", "browse features"),
        Key("app.pairs", "2", "view('pairs')", "matched pairs"),
        Key("app.matrix", "3", "view('matrix')", "scores of many pairs of SAEs"),
        Key("app.sql", "4", "view('sql')", "SQL over the views"),
        Key("app.concepts", "5", "view('concepts')", "concepts and their features"),
        Key("app.scores", "6", "view('scores')", "stored scores"),
        Key("app.orphans", "7", "view('orphans')", "features without a counterpart"),
        Key("app.back", "escape", "back", "back"),
        Key("app.past", "left_square_bracket", "past(-1)", "back in history"),
        Key("app.future", "right_square_bracket", "past(1)", "forward in history"),
        Key("app.copy", "y", "copy", "copy the reference"),
        Key("app.copy_text", "c", "copy_text", "copy the text"),
        Key("app.export", "e", "export", "export what is shown"),
        Key("app.maximise", "plus", "maximise", "one pane on the whole screen, or all again"),
        Key("app.command", "colon", "command", "command line", priority=True),
        Key("app.palette", "ctrl+p", "command_palette", "palette of commands"),
        Key("app.help", "question_mark,f1", "help", "keys of this view"),
        Key("app.errors", "f12", "errors", "last error, versions, timings"),
        Key("app.quit", "q,ctrl+c", "quit", "quit"),
    ),
    "table": (
        Key("table.down", "j,down", "move(1)", "down"),
        Key("table.up", "k,up", "move(-1)", "up"),
        Key("table.page_down", "ctrl+d,pagedown", "page(1)", "page down"),
        Key("table.page_up", "ctrl+u,pageup", "page(-1)", "page up"),
        Key("table.top", "g,home", "top", "first row"),
        Key("table.bottom", "G,end", "bottom", "last row"),
        Key("table.open", "enter,l,right", "choose", "open"),
    ),
    "pane": (
        Key("feature.page_down", "ctrl+d,pagedown", "page_down", "scroll down"),
        Key("feature.page_up", "ctrl+u,pageup", "page_up", "scroll up"),
        Key("feature.top", "home,g", "scroll_home", "top"),
        Key("feature.bottom", "end,G", "scroll_end", "bottom"),
    ),
    "list": (
        Key("list.filter", "slash", "filter", "filter by text", priority=True),
        Key("list.sort", "s", "sort", "next sort order"),
        Key("list.reverse", "S", "reverse", "reverse the order"),
    ),
    "list with a pane": (Key("list.maximise", "plus", "maximise", "the pane on the whole screen, and back"),),
    "browse": (
        Key("browse.sae", "a", "next_sae", "next SAE, then all"),
        Key("browse.pair", "p", "pair", "pair with its best partner"),
        Key("browse.mark", "space", "mark", "mark or unmark"),
        Key("browse.marked", "asterisk", "marked", "only the marked ones"),
        Key("browse.random", "r", "random", "a random feature"),
        Key("browse.matrix", "m", "matrix", "cell of this SAE in the matrix"),
        Key("browse.coding", "v", "coding", "shade by colour, or underline and bold"),
        Key("browse.pane_down", "tab", "scroll_pane(1)", "scroll the pane beside the table"),
        Key("browse.pane_up", "shift+tab", "scroll_pane(-1)", "scroll it back"),
        Key("browse.next_hit", "n", "hit(1)", "next hit of the filter in the pane"),
        Key("browse.previous_hit", "N", "hit(-1)", "previous hit"),
    ),
    "feature": (
        Key("feature.next", "j,down,n", "step(1)", "next feature of the table"),
        Key("feature.previous", "k,up,N", "step(-1)", "previous feature"),
        Key("feature.pair", "p,enter", "pair", "pair with its best partner"),
        Key("feature.contexts_top", "t", "kind('top')", CHOICES["top"]),
        Key("feature.contexts_quantile", "u", "kind('quantile')", CHOICES["quantile"]),
        Key("feature.contexts_interval", "i", "kind('interval')", CHOICES["interval"]),
        Key("feature.contexts_random", "r", "kind('random')", CHOICES["random"]),
        Key("feature.contexts_silent", "s", "kind('silent')", CHOICES["silent"]),
        Key("feature.wrap", "w", "toggle('wrap')", "whole contexts"),
        Key("feature.scale", "z", "toggle('own_scale')", "shade by the context's own strongest token"),
        Key("feature.linear", "v", "toggle('linear')", "histogram: log or linear count"),
        Key("feature.describe", "d", "describe", "all numbers with their meaning, matches, tokens, neighbours"),
        Key("feature.back", "h,left,backspace", "app.back", "back"),
    ),
    "pairs": (
        Key("pairs.dropped", "d", "show_next", "kept, dropped or all candidates"),
        Key("pairs.swap", "x", "swap", "swap SAEs: the other one chooses"),
        Key("pairs.next", "a", "next_pairing", "next two SAEs that were compared"),
        Key("pairs.measure", "b", "next_measure", "next stored measure of these two"),
        Key("pairs.rule", "r", "next_rule", "next rule: best, mutual, one-to-one, assignment, greedy, …"),
    ),
    "pair": (
        Key("pair.next", "n,j,down", "step(1)", "next pair"),
        Key("pair.previous", "N,k,up", "step(-1)", "previous pair"),
        Key("pair.candidate", "right_square_bracket", "candidate(1)", "next candidate for the left feature"),
        Key("pair.previous_candidate", "left_square_bracket", "candidate(-1)", "previous candidate"),
        Key("pair.swap", "x", "swap", "swap left and right"),
        Key("pair.measure", "b", "next_measure", "candidates by the next stored measure"),
        Key("pair.axis", "equals_sign", "axis", "both histograms on one axis"),
        Key("pair.wrap", "w", "toggle('wrap')", "whole contexts, on wide screens"),
        Key("pair.scale", "z", "toggle('own_scale')", "shade by the context's own strongest token"),
        Key("pair.linear", "v", "toggle('linear')", "histogram: log or linear count"),
        Key("pair.back", "h,left,backspace", "app.back", "back"),
    ),
    "overview": (
        Key("overview.down", "tab", "scroll_rest(1)", "scroll what is below the table"),
        Key("overview.up", "shift+tab", "scroll_rest(-1)", "scroll it back"),
    ),
    "matrix": (
        Key("matrix.left", "h,left", "move(0, -1)", "left"),
        Key("matrix.right", "l,right", "move(0, 1)", "right"),
        Key("matrix.down", "j,down", "move(1, 0)", "down"),
        Key("matrix.up", "k,up", "move(-1, 0)", "up"),
        Key("matrix.top", "g,home", "edge(0)", "first row"),
        Key("matrix.bottom", "G,end", "edge(-1)", "last row"),
        Key("matrix.open", "enter", "open", "matched pairs of the cell"),
        Key("matrix.next", "greater_than_sign,tab", "other(1)", "next grid"),
        Key("matrix.previous", "less_than_sign,shift+tab", "other(-1)", "previous grid"),
        Key("matrix.look", "v", "look", "numbers, half blocks, shades"),
        Key("matrix.scale", "z", "scale('fit')", "shades from 0 to 1, or from minimum to maximum"),
        Key("matrix.rows", "r", "scale('rows')", "shades row by row"),
    ),
    "sql": (
        Key("sql.run", "f5,ctrl+j", "run", "run the SQL"),
        Key("sql.switch", "tab,shift+tab", "switch", "editor or result"),
        Key("sql.tables", "f2", "tables", "tables and columns with their meaning"),
        Key("sql.history", "ctrl+r", "history", "earlier SQL"),
        Key("sql.stop", "ctrl+c", "stop", "cancel the query"),
        Key("sql.left", "less_than_sign", "shift(-1)", "columns to the left"),
        Key("sql.right", "greater_than_sign", "shift(1)", "columns to the right"),
        Key("sql.browse", "b", "browse", "browse the features of the result"),
    ),
    "concepts": (
        Key("concepts.other", "a", "next_other", "compare with the next SAE"),
        Key("concepts.rule", "r", "rule", "membership rule: share, paper, word"),
        Key("concepts.pairs", "p", "pairs", "matched pairs of both SAEs"),
    ),
    "scores": (Key("scores.pairs", "p", "pairs", "matched pairs of both SAEs"),),
    "orphans": (
        Key("orphans.next", "a", "next_pairing", "next comparison"),
        Key("orphans.swap", "x", "swap", "features of the other SAE"),
        Key("orphans.all", "u", "others", "without a counterpart in this SAE, or in all it was compared with"),
        Key("orphans.threshold", "t", "threshold", "minimum value of a counterpart: .7, .9, .3, .5"),
        Key("orphans.rule", "r", "rule", "rule for a counterpart"),
        Key("orphans.browse", "b", "browse", "browse them in the feature table"),
    ),
    "command line": (
        Key("command.leave", "escape", "leave", "leave"),
        Key("command.earlier", "up", "recall(-1)", "an earlier command"),
        Key("command.later", "down", "recall(1)", "a later command"),
    ),
    "filter line": (
        Key("filter.earlier", "up", "recall(-1)", "an earlier filter"),
        Key("filter.later", "down", "recall(1)", "a later filter"),
    ),
    "editor": (Key("editor.stop", "ctrl+c", "stop", "cancel the query; copy what is selected"),),
    "help": (
        Key("help.close", "escape,f1", "dismiss", "close"),
        Key("help.down", "pagedown,ctrl+d,down", "scroll(1)", "scroll down"),
        Key("help.up", "pageup,ctrl+u,up", "scroll(-1)", "scroll up"),
    ),
    "notes": (Key("notes.close", "escape,q,enter,f1,f12", "dismiss", "close"),),
}
"""Keys by the place where they work. Keys 1 to 9 are for views: 3 matrix, 4 sql, 5 concepts, 6 scores, 7 orphans."""

TOGETHER = (
    *((place, "table", "list", "app") for place in ("browse", "pairs")),
    *((place, "table", "list", "list with a pane", "app") for place in ("concepts", "scores", "orphans")),
    *((place, "table", "app") for place in ("overview", "sql")),
    *((place, "pane", "app") for place in ("feature", "pair")),
    ("matrix", "app"),
    *((place,) for place in ("command line", "filter line", "editor", "help", "notes")),
)
"""Places whose keys work at once: one key may not mean two things in any of these rows."""

_HINTS = {
    "overview": "table.open: features · app.browse: browse · app.pairs: pairs · table.down table.up: move"
    " · overview.down: scroll · app.copy: copy name",
    "browse": "table.open: open · list.filter: filter · list.sort: sort · browse.pair: pair · browse.sae: SAE"
    " · app.command: command · browse.mark: mark · app.copy: copy · app.export: export"
    " · app.pairs: pairs · app.overview: SAEs",
    "pairs": "table.open: open · list.filter: filter · pairs.dropped: dropped · pairs.swap: swap"
    " · pairs.next: SAEs · pairs.measure: measure · pairs.rule: rule · list.sort: sort"
    " · app.copy: copy · app.browse: browse · list.reverse: reverse",
    "matrix": "matrix.left matrix.down matrix.up matrix.right: move · matrix.open: pairs"
    " · matrix.previous matrix.next: other grid · matrix.look: look · matrix.scale: scale"
    " · matrix.rows: by row · app.copy: copy · app.back: back",
    "sql": "table.open: open · sql.browse: browse · sql.switch: editor · sql.run: run · sql.tables: tables"
    " · sql.history: history · app.back: back · app.copy: copy · app.export: export"
    " · sql.left sql.right: columns",
    "editor": "sql.run: run · sql.switch: result · app.back: out · sql.tables: tables · sql.history: history"
    " · app.help: help",
    "concepts": "table.open: features · list.maximise: pane · concepts.other: other SAE · concepts.rule: rule"
    " · list.filter: filter · list.sort: sort · app.copy: copy command · concepts.pairs: pairs",
    "scores": "table.open: whole record · list.filter: filter · list.sort: sort · scores.pairs: pairs"
    " · app.copy: copy command · list.reverse: reverse · app.matrix: matrix",
    "orphans": "table.open: open · orphans.next: SAEs · orphans.swap: swap · orphans.all: all others"
    " · orphans.threshold: threshold · orphans.rule: rule · list.filter: filter · list.sort: sort"
    " · app.copy: copy · orphans.browse: browse",
    "feature": "feature.next feature.previous: next · app.back: back · feature.pair: pair"
    " · feature.contexts_top feature.contexts_quantile feature.contexts_interval"
    " feature.contexts_random feature.contexts_silent: contexts"
    " · feature.describe: meanings · feature.wrap: wrap · feature.scale: scale · feature.linear: log"
    " · app.copy: copy",
    "pair": "pair.next pair.previous: next/previous pair · app.back: back"
    " · pair.previous_candidate pair.candidate: other candidate · pair.swap: swap"
    " · pair.measure: measure · pair.axis: axis · pair.wrap: wrap · app.copy: copy"
    " · feature.page_down feature.page_up: scroll",
}

HINTS: dict[str, Hints] = {
    place: tuple((ids, word) for ids, _, word in (part.partition(": ") for part in text.split(" · ")))
    for place, text in _HINTS.items()
}
"""Keys for the last line of the screen by view, the rarest last; those of the SQL editor while it is typed into."""

BY_ID = {key.id: key for keys in KEYS.values() for key in keys}

_SHOWN = {
    "slash": "/",
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "plus": "+",
    "colon": ":",
    "asterisk": "*",
    "equals_sign": "=",
    "escape": "esc",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "enter": "⏎",
}


def bindings(place: str) -> list[BindingType]:
    return [key.binding for key in KEYS[place]]


def keys_of(kinds: Iterable[type], own: Mapping[str, str]) -> list[tuple[str, str]]:
    """(keys, what they do) of some widgets, nearest first: ours, not those of Textual; `own` has the custom keys."""
    found = [one for kind in kinds for base in kind.__mro__ for one in base.__dict__.get("BINDINGS", ())]
    ours = dict.fromkeys(one.id for one in found if isinstance(one, Binding) and one.id in BY_ID)
    return [(readable(own.get(name, BY_ID[name].keys)), BY_ID[name].about) for name in ours]


def hint(ids: str, own: Mapping[str, str], *, typing: bool = False) -> str:
    """The first key of each of some ids, as in `j/k`; while a text is typed, the first that is no letter of it."""
    shown = (readable(own.get(name, BY_ID[name].keys)).split() for name in ids.split())
    return "/".join(next((key for key in keys if len(key) > 1 or not typing), keys[0]) for keys in shown)


def each_key(keys: str) -> list[str]:
    """`ctrl+d, ?` as Textual names them: ctrl+d and question_mark."""
    return [one.key for one in Binding.make_bindings([Binding(keys, "")])]


def readable(keys: str) -> str:
    """`ctrl+d,pagedown` as it is read: `^d PgDn`."""
    return " ".join(_SHOWN.get(name) or _plain(name) for name in each_key(keys))


def _plain(name: str) -> str:
    return name.upper() if name[0] == "f" and name[1:].isdigit() else name.replace("ctrl+", "^")
