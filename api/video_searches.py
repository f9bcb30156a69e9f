"""Searches for the people of a video: jobs, one at a time, kept in memory for a while."""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from api.decoding.decoders import Decoders
from api.problems import Problem, log, of_error, problem_document
from indexer.errors import SightingsError
from indexer.query import PictureQueries
from indexer.reports import Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from api.service import Service
    from indexer.query import Query
    from indexer.results import Result

MOST_WAITING = 8
_KEPT = 100
_KEPT_S = 3600.0

State = Literal["queued", "working", "done", "failed"]


@dataclass(frozen=True)
class Outcome:
    """What has come of a search: with query and results when it is `done`."""

    state: State
    query: Query | None = None
    results: tuple[Result, ...] = ()
    error: dict[str, Any] | None = None


@dataclass(eq=False)
class VideoSearch:
    """A search for the people of an uploaded video.

    outcome: replaced as a whole, so that others never see half of it.
    """

    id: str
    path: Path
    name: str
    duration_s: float | None
    find: Callable[[Query], list[Result]] = field(repr=False)
    outcome: Outcome = Outcome("queued")
    reached_s: float = 0.0
    ended_s: float | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)


class _Cancelled(Exception):
    """The search is not wanted any more."""


class VideoSearches:
    """Runs searches in a thread of its own; others look at them by id."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._decoders = Decoders(service.settings.api, count=1)
        self._waiting: deque[VideoSearch] = deque()
        self._known: dict[str, VideoSearch] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def add(
        self,
        path: Path,
        name: str,
        duration_s: float | None,
        find: Callable[[Query], list[Result]],
    ) -> VideoSearch:
        """Queue a search; the file is taken over. Raises Problem `overloaded` if many wait."""
        search = VideoSearch(secrets.token_hex(16), path, name, duration_s, find)
        with self._changed:
            if len(self._waiting) >= MOST_WAITING:
                raise Problem(
                    "overloaded", "Many videos wait to be searched for.", retry_after_s=30
                )
            self._drop_old()
            self._known[search.id] = search
            self._waiting.append(search)
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="video-searches", daemon=True
                )
                self._thread.start()
        return search

    def get(self, search_id: str) -> VideoSearch:
        """Return a search. Raises Problem `search_not_found`."""
        with self._changed:
            self._drop_old()
            search = self._known.get(search_id)
        if search is None:
            raise Problem("search_not_found", "No search has this id, or it ended long ago.")
        return search

    def remove(self, search_id: str) -> None:
        """Stop a search, if it still runs, and forget it. Raises Problem `search_not_found`."""
        search = self.get(search_id)
        with self._changed:
            self._known.pop(search_id, None)
            self._cancel(search)

    def close(self) -> None:
        """Stop what runs and wait for it, for a while."""
        with self._changed:
            self._closed = True
            for search in self._known.values():
                self._cancel(search)
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout=30)
        self._decoders.close()

    def _cancel(self, search: VideoSearch) -> None:
        """Stop a search; one that still waits gives up its place and its file at once."""
        search.cancelled.set()
        if search in self._waiting:
            self._waiting.remove(search)
            search.path.unlink(missing_ok=True)

    def _drop_old(self) -> None:
        now = time.monotonic()
        ended = [s for s in self._known.values() if s.ended_s is not None]
        too_many = sorted(ended, key=lambda s: s.ended_s or 0.0)[: max(len(ended) - _KEPT, 0)]
        for search in ended:
            if search in too_many or now - (search.ended_s or now) > _KEPT_S:
                self._known.pop(search.id, None)

    def _work(self) -> None:
        while (search := self._next()) is not None:
            self._settle(search)

    def _next(self) -> VideoSearch | None:
        """Wait for the next search; None when no more come."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            return self._waiting.popleft() if self._waiting else None

    def _settle(self, search: VideoSearch) -> None:
        """Run a search and note how it ended, whatever happens."""
        try:
            self._run(search)
        except _Cancelled:
            search.outcome = Outcome("failed")
        except SightingsError as error:
            self._fail(search, of_error(error))
        except Problem as problem:
            self._fail(search, problem)
        except Exception:
            log.exception("a search for a video failed")
            self._fail(search, Problem("internal", "This is an error of the service's own."))
        finally:
            search.path.unlink(missing_ok=True)
            search.ended_s = time.monotonic()

    def _run(self, search: VideoSearch) -> None:
        _Reached(search).reach("", 0.0)
        search.outcome = Outcome("working")
        service, limits = self._service, self._service.settings.api
        model = service.index.model
        if model is None:
            raise Problem("index_empty", "Nothing has been indexed yet.")
        queries = PictureQueries(
            service.index,
            service.settings,
            networks=service.networks.load(model),
            progress=_Reached(search),
            opened=lambda path: self._decoders.opened(
                path, name=search.name, max_pixels=limits.max_query_pixels
            ),
            called=lambda _: search.name,
        )
        with service.metrics.searches.labels("video").time():
            query = queries.video(search.path)
            results = search.find(query)
        search.outcome = Outcome("done", query, tuple(results))

    def _fail(self, search: VideoSearch, problem: Problem) -> None:
        search.outcome = Outcome("failed", error=problem_document(problem))


class _Reached(Progress):
    """Notes how far a video is looked at, and stops where it is not wanted any more."""

    def __init__(self, search: VideoSearch) -> None:
        self._search = search

    def reach(self, path: str, done_s: float) -> None:  # noqa: ARG002
        self._search.reached_s = done_s
        if self._search.cancelled.is_set():
            raise _Cancelled
