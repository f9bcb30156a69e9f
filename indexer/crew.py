"""Threads that share the work of a run: each takes the next file, idle ones join others' videos.

So a folder of photos keeps several processors busy, and so does a single long video.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")


class Stopped(BaseException):
    """The run has been stopped: no error of what is being worked on, so not an Exception."""


class Job(Protocol):
    """A part of the work in which several threads can join."""

    def work(self) -> None:
        """Work until nothing is left that nobody works on; called by several threads at once."""
        ...

    def finish(self) -> None:
        """End the job; called once, when all who joined have returned, and nobody raised."""
        ...


def work_together(
    items: Iterable[Item],
    begin: Callable[[Item], Job | None],
    *,
    threads: int,
    stopped: threading.Event,
) -> None:
    """Begin each item and work on the jobs that come of it, in several threads.

    begin: returns a job, or None if the item needs no more. Items are begun in their order. If any
    call raises, or this is interrupted, `stopped` is set, which who works should look at (and raise
    Stopped); the first error is raised here, when all threads have returned.
    """
    crew = _Crew(items, begin, stopped)
    with ThreadPoolExecutor(threads, thread_name_prefix="crew") as pool:
        try:
            for done in as_completed([pool.submit(crew.work) for _ in range(threads)]):
                done.result()
        except BaseException:
            crew.stop()
            raise


class Room:
    """Room for many at once, or for one alone; who wants to be alone goes before the many."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._alone = False
        self._wait_to_be_alone = 0

    @contextmanager
    def enter(self, *, alone: bool) -> Iterator[None]:
        """Wait for room, and keep it during a block."""
        with self._changed:
            if alone:
                self._wait_to_be_alone += 1
                self._changed.wait_for(lambda: not self._inside and not self._alone)
                self._wait_to_be_alone -= 1
                self._alone = True
            else:
                self._changed.wait_for(lambda: not self._alone and not self._wait_to_be_alone)
                self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                if alone:
                    self._alone = False
                else:
                    self._inside -= 1
                self._changed.notify_all()


class _Joined:
    """A job and how many threads are at it; exhausted: nothing is left to join for.

    failed: somebody raised, so that it cannot be finished.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.threads = 1
        self.exhausted = False
        self.failed = False


class _Crew(Generic[Item]):
    def __init__(
        self,
        items: Iterable[Item],
        begin: Callable[[Item], Job | None],
        stopped: threading.Event,
    ) -> None:
        self._items = iter(items)
        self._begin = begin
        self._stopped = stopped
        self._changed = threading.Condition()
        self._beginning = 0
        self._under_way: list[_Joined] = []

    def work(self) -> None:
        """Be one of the threads."""
        while (item := self._next()) is not None:
            joined = None
            try:
                job = self._begin(item[0])
                joined = None if job is None else _Joined(job)
            finally:
                with self._changed:
                    self._beginning -= 1
                    if joined is not None:
                        self._under_way.append(joined)
                    self._changed.notify_all()
            if joined is not None:
                self._work_on(joined)
        while (joined := self._to_join()) is not None:
            self._work_on(joined)

    def stop(self) -> None:
        """Let threads that wait return."""
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()

    def _next(self) -> tuple[Item] | None:
        """Return the next item, wrapped, as it may be None itself."""
        with self._changed:
            if self._stopped.is_set():
                return None
            for item in self._items:
                self._beginning += 1
                return (item,)
            return None

    def _to_join(self) -> _Joined | None:
        """Wait for a job that has work for one more; None if there is none any more."""
        with self._changed:
            while not self._stopped.is_set():
                for joined in self._under_way:
                    if not joined.exhausted:
                        joined.threads += 1
                        return joined
                if not self._beginning:
                    return None
                self._changed.wait()
            return None

    def _work_on(self, joined: _Joined) -> None:
        try:
            joined.job.work()
        except BaseException:
            joined.failed = True
            raise
        finally:
            with self._changed:
                joined.exhausted = True
                joined.threads -= 1
                is_last = not joined.threads
                if is_last:
                    self._under_way.remove(joined)
        if is_last and not joined.failed:
            joined.job.finish()
