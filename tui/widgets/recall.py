"""What was typed before, to be stepped through."""

from __future__ import annotations

from collections.abc import Iterable


class Recall:
    """Texts of the past, the newest last; stepping past the newest comes back to what was being typed."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Begin with some texts."""
        self.texts = list(texts)
        self._place: int | None = None
        self._typed = ""

    def add(self, text: str) -> None:
        """Keep a text, once, as the newest."""
        self._place = None
        if text.strip():
            self.texts = [*(past for past in self.texts if past != text), text]

    def step(self, shown: str, step: int) -> str:
        """An earlier text (-1) or a later one (1)."""
        if self._place is None or shown != self._at(self._place):
            self._place, self._typed = len(self.texts), shown
        self._place = max(0, min(self._place + step, len(self.texts)))
        return self._at(self._place)

    def _at(self, place: int) -> str:
        """The text of a place; after the last one stands what was being typed."""
        return self.texts[place] if place < len(self.texts) else self._typed
