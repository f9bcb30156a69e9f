"""Turns at what only a few threads may do at once: searches, and decoding."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from api.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.settings_api import ApiSettings

_SPARE_THREADS = 8
"""Threads that never wait for a turn, so that what needs none is always answered; with few threads
at all, those that may wait are a quarter of them."""


class Waiting:
    """Counts the threads that wait for a turn, at whatever: some are always left."""

    def __init__(self, settings: ApiSettings) -> None:
        busy = settings.max_searches + settings.decoders
        self._at_most = max(settings.threads - busy - _SPARE_THREADS, settings.threads // 4)
        self._now = 0
        self._lock = threading.Lock()

    @contextmanager
    def counted(self, refusal: str) -> Iterator[None]:
        """Count this thread for as long as it waits. Raises Problem `overloaded` if too many do."""
        with self._lock:
            if self._now >= self._at_most:
                raise Problem("overloaded", refusal)
            self._now += 1
        try:
            yield
        finally:
            with self._lock:
                self._now -= 1


class Turns:
    """Lets some threads go on at once, some wait a little, and refuses the rest at once.

    refusal: what these are told.
    """

    def __init__(self, count: int, waiting: Waiting, *, queue_s: float, refusal: str) -> None:
        self._free = threading.BoundedSemaphore(count)
        self._waiting = waiting
        self._queue_s = queue_s
        self._refusal = refusal

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a turn. Raises Problem `overloaded` if none gets free in time."""
        if not self._free.acquire(blocking=False):
            with self._waiting.counted(self._refusal):
                if not self._free.acquire(timeout=self._queue_s):
                    raise Problem("overloaded", self._refusal)
        try:
            yield
        finally:
            self._free.release()
