"""The index of the service: opened once, by one thread, while the others are not kept waiting."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import TYPE_CHECKING

from indexer.errors import IndexFailure, SightingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.engines.base import Index

_PATIENCE_S = 1.0
"""How long after an attempt began others wait for it: a file is open by then."""
_LONGEST_PAUSE_S = 10.0


class OpenedIndex:
    """An index that is opened when it is first needed; threads may share it.

    A cluster that is out of reach keeps one thread waiting; the others fail at once. After an
    attempt that failed nobody tries again for as long as that took, so one that failed at once is
    repeated at once.
    """

    def __init__(self, open_index: Callable[[], Index]) -> None:
        self._open_index = open_index
        self._lock = threading.Lock()
        self._opened: Future[Index] | None = None
        self._began_s = 0.0
        self._again_s = 0.0

    def get(self) -> Index:
        """Return the index. Raises IndexFailure while it cannot be opened."""
        with self._lock:
            opened, now_s = self._opened, time.monotonic()
            mine = opened is None or (
                opened.done() and opened.exception() is not None and now_s >= self._again_s
            )
            if opened is None or mine:
                self._opened = opened = Future()
                self._began_s = now_s
        if mine:
            self._attempt(opened)
        try:
            return opened.result(max(self._began_s + _PATIENCE_S - now_s, 0.0))
        except NotYet as error:
            raise IndexFailure("The index is still being opened; try again shortly.") from error

    def close(self) -> None:
        """Close the index, if it is open."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None and opened.done() and opened.exception() is None:
            opened.result().close()

    def _attempt(self, opened: Future[Index]) -> None:
        try:
            opened.set_result(self._open_index())
        except BaseException as error:
            ended_s = time.monotonic()
            self._again_s = ended_s + min(ended_s - self._began_s, _LONGEST_PAUSE_S)
            opened.set_exception(error)
            if not isinstance(error, SightingsError):
                raise
