"""Messages that cross widgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from textual.message import Message
from textual.worker import Worker


@dataclass
class Answered(Message, bubble=False):
    """A worker has read what a view asked for; `then` shows it, unless a newer question has taken its place."""

    worker: Worker[Any]
    then: Callable[[Any], None]
    answer: Any

    def deliver(self) -> None:
        """Show the answer, or drop it if it is stale."""
        if not self.worker.is_cancelled:
            self.then(self.answer)
