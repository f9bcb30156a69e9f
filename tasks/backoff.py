"""How long a process waits before it tries again, once something around the work is wrong."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 60.0


class Backoff:
    """Counts failures since the last success: 2, 4, 8… seconds, `longest_s` at most.

    One for each process, whatever the work is: a single try tells what all of them would. The
    messages that wait meanwhile are there for others, whom the trouble may spare.
    """

    def __init__(
        self, longest_s: float = LONGEST_WAIT_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._longest_s = longest_s
        self._clock = clock
        self._failures = 0
        self._until_s = 0.0

    @property
    def left_s(self) -> float:
        """How long is still to be waited before the next try; 0.0 if all is well."""
        return max(0.0, self._until_s - self._clock()) if self._failures else 0.0

    def failed(self) -> float:
        """Take note of a failure; return how long is to be waited now."""
        wait_s = min(FIRST_WAIT_S * 2.0 ** min(self._failures, 30), self._longest_s)
        self._failures += 1
        self._until_s = self._clock() + wait_s
        return wait_s

    def succeeded(self) -> None:
        """Take note that all is well."""
        self._failures = 0
