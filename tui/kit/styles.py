"""From the roles and levels of spans to terminal styles, with colour and without."""

from __future__ import annotations

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from atlas.render.palette import ink, ramp
from atlas.render.spans import Span
from atlas.render.text import harmless

_MONO_TONES = {
    "dim": Style(dim=True),
    "strong": Style(bold=True),
    "badge": Style(reverse=True, bold=True),
    "accent": Style(bold=True),
    "warn": Style(bold=True),
    "bar": Style(),
    "": Style(),
}
_DARK_TONES = {
    "dim": Style(color="#8f9aa3"),
    "strong": Style(bold=True),
    "badge": Style(color="#101418", bgcolor="#d7dde2", bold=True),
    "accent": Style(color="#f4b13b", bold=True),
    "warn": Style(color="#ff8f6b", bold=True),
    "bar": Style(color="#56b4e9"),
    "": Style(),
}
_LIGHT_TONES = _DARK_TONES | {
    "dim": Style(color="#5a646c"),
    "badge": Style(color="#ffffff", bgcolor="#2b3440", bold=True),
    "accent": Style(color="#975b0c", bold=True),
    "warn": Style(color="#b3401a", bold=True),
    "bar": Style(color="#0072b2"),
}


class Styler:
    """Styles of spans for one kind of terminal; remembers those it made."""

    def __init__(self, *, colour: bool, dark: bool) -> None:
        """Without `colour`, bold, underline and reverse carry the meaning of the shades."""
        self.colour = colour
        self._ramp = ramp(dark=dark)
        self._tones = (_DARK_TONES if dark else _LIGHT_TONES) if colour else _MONO_TONES
        self._known: dict[tuple[str, int, bool, int, int, int], Style] = {}

    @property
    def brackets(self) -> bool:
        return not self.colour

    @property
    def cursor(self) -> Style:
        return Style(bgcolor="#14507a", color="#ffffff", bold=True) if self.colour else Style(reverse=True)

    def style(self, span: Span) -> Style:
        """How one span looks."""
        key = (span.tone, span.level, span.peak, span.ink, span.ground, span.effect)
        if key not in self._known:
            self._known[key] = self._tones[span.tone] + self._shade(span) + self._painted(span) + self._underlined(span)
        return self._known[key]

    def _shade(self, span: Span) -> Style:
        """Activation: a background, or bold and underline; the peak has both and more."""
        if self.colour:
            shade = Style(color=ink(self._ramp[span.level]), bgcolor=self._ramp[span.level]) if span.level else Style()
            return shade + Style(bold=True, underline=True) if span.peak else shade
        if span.peak:
            return Style(bold=True, underline=True, reverse=True)
        return Style(bold=True) if span.level >= 4 else Style(underline=True) if span.level >= 2 else Style()

    def _painted(self, span: Span) -> Style:
        """Cells of a grid, which their characters tell as well."""
        if not self.colour or not (span.ink or span.ground):
            return Style()
        ground = self._ramp[span.ground] if span.ground else None
        letters = self._ramp[span.ink] if span.ink else ink(ground or "#000000")
        return Style(color=letters, bgcolor=ground)

    def _underlined(self, span: Span) -> Style:
        """What a feature does to a token: one line where it helped, two where it hurt, coloured without shade."""
        if not self.colour or not span.effect:
            return Style()
        letters = None if span.level else self._tones["bar" if span.effect < 0 else "warn"].color
        return Style(color=letters, underline=span.effect < 0, underline2=span.effect > 0)

    def strip(self, line: Iterable[Span], cells: int, base: Style) -> Strip:
        """A line as Textual draws it, exactly `cells` wide. Nothing in it is read as markup or does what it says.

        Who makes a line cleans what comes from the atlas, so that it is counted as it looks; here it is made sure of.
        """
        strip = Strip([Segment(harmless(span.text), self.style(span)) for span in line])
        return strip.adjust_cell_length(cells).apply_style(base)
