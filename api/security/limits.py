"""How often one caller may ask, and how many searches run at once."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from api.problems import Problem, problem_response
from api.security.access import caller
from indexer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask, Response
    from flask_limiter import RequestLimit

    from indexer.settings_api import ApiSettings

_SPARE_THREADS = 8
"""Threads that are never left waiting for a search, so that everything else is answered."""
_SIGN_IN = "20/minute"


def add_to(
    app: Flask, settings: ApiSettings, *, storage: str, searches: frozenset[str], sign_in: str
) -> None:
    """Limit how often a caller may ask: for anything, and for `searches`, which are endpoints.

    storage: `memory://`, or a Redis that several services share. Raises UsageError for a rate
    that is none.
    """
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address
    from limits import parse_many

    try:
        parse_many(settings.rate)
        parse_many(settings.search_rate)
    except ValueError as error:
        raise UsageError(
            f"api.rate ({settings.rate!r}) or api.search_rate ({settings.search_rate!r}) is no "
            "rate, such as 600/minute."
        ) from error

    def refused(limit: RequestLimit) -> Response:
        detail = f"At most {limit.limit.amount} in {limit.limit.get_expiry()} s are answered."
        wait_s = min(max(limit.reset_at - time.time(), 1.0), limit.limit.get_expiry())
        return problem_response(Problem("rate_limited", detail, retry_after_s=wait_s))

    limiter = Limiter(
        caller,
        app=app,
        application_limits=[settings.rate],
        storage_uri=storage,
        strategy="moving-window",
        on_breach=refused,
        # While Redis is out of reach each service counts for itself, and its log says so.
        in_memory_fallback_enabled=storage != "memory://",
    )
    views: dict[str, Any] = app.view_functions
    for endpoint in searches:
        views[endpoint] = limiter.limit(settings.search_rate)(views[endpoint])
    views[sign_in] = limiter.limit(_SIGN_IN, key_func=get_remote_address)(views[sign_in])


class Turns:
    """Lets some searches run at once, some wait a little, and refuses the rest at once."""

    def __init__(self, settings: ApiSettings) -> None:
        self._running = threading.BoundedSemaphore(settings.max_searches)
        self._may_wait = max(settings.threads - settings.max_searches - _SPARE_THREADS, 0)
        self._waiting = 0
        self._queue_s = settings.queue_s
        self._lock = threading.Lock()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a turn. Raises Problem `overloaded` if none gets free in time."""
        if not self._running.acquire(blocking=False):
            self._wait()
        try:
            yield
        finally:
            self._running.release()

    def _wait(self) -> None:
        with self._lock:
            if self._waiting >= self._may_wait:
                raise _overloaded()
            self._waiting += 1
        try:
            if not self._running.acquire(timeout=self._queue_s):
                raise _overloaded()
        finally:
            with self._lock:
                self._waiting -= 1


def _overloaded() -> Problem:
    return Problem("overloaded", "As many searches as may run are running; try again shortly.")
