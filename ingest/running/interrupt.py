"""Ctrl-C in the middle of a shard: the first finishes it, the second stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stopping_between(note: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """Hold a first Ctrl-C back inside the block; the function that it gives raises it, where stopping costs nothing.

    Outside the main thread, where Python takes no signals, the function does nothing.

    Args:
        note: Is told that the shard is finished first.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    asked = False

    def hold(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, before)
        note("stopping after this shard; Ctrl-C again stops at once, and the shard is lost")

    def stop_if_asked() -> None:
        if asked:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, hold)
    try:
        yield stop_if_asked
    finally:
        signal.signal(signal.SIGINT, before)
