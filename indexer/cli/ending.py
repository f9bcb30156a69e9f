"""Ctrl-C: the first one ends a command in order, the next ones do not get in the way of that."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

INTERRUPTED = 130
"""Typer's exit code for Ctrl-C, as shells have it."""

_PATIENCE = (
    "sightings: ending; what is in hand is given back. Once more ends at once, and the next run "
    "goes on with it.\n"
)
_SHOW_CURSOR = "\x1b[?25h"  # progress bars hide it


def end_in_order() -> None:
    """Let SIGINT, and SIGTERM, which is Ctrl-C from afar, raise KeyboardInterrupt once.

    What cleans up then waits for threads: interrupted again, it would leave them to a process that
    is taken down around them. The second signal is told so, and the third ends the process at once,
    as a kill does, which indexes are made for.
    """
    asked = 0

    def on_signal(_number: int, _frame: Any) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise KeyboardInterrupt
        if asked == 2:
            _tell(_PATIENCE)
            return
        _tell(_SHOW_CURSOR if sys.stderr.isatty() else "")
        os._exit(INTERRUPTED)

    for number in (signal.SIGINT, signal.SIGTERM):
        # Shells let what they start in the background pass over SIGINT.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, on_signal)


def _tell(text: str) -> None:
    """Write past the stream, which may be in the middle of a line of its own."""
    try:
        os.write(2, text.encode())
    except OSError:  # nobody reads it any more
        return
