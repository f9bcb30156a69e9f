"""Ctrl-C and SIGTERM that wait for a place where they can end the work in order."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HELD = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupted_between() -> Iterator[Callable[[], None]]:
    """Hold a signal back until the block calls what it is given, or ends.

    A second one is not held back. Python raises KeyboardInterrupt wherever it is, also in what C
    code has called, such as what tidies up after objects. There it is lost, and the signal with it:
    NumPy's arrays of texts and Matplotlib's figures do that every few dozen times; or the C code
    goes on with what it did not get. Only handlers in Python are held back, and only in the main
    thread, where they run.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    handlers: dict[int, Any] = {number: signal.getsignal(number) for number in HELD}
    waiting: list[int] = []

    def hold(number: int, frame: Any) -> None:
        if waiting:
            waiting.clear()
            handlers[number](number, frame)
        else:
            waiting.append(number)

    def let_through() -> None:
        if waiting:
            number = waiting.pop()
            handlers[number](number, None)

    for number, handler in handlers.items():
        if callable(handler):
            signal.signal(number, hold)
    try:
        yield let_through
    finally:
        for number, handler in handlers.items():
            if callable(handler):
                signal.signal(number, handler)
        let_through()
