"""Stages of the pipeline in threads of their own, so that they overlap; order stays."""

from __future__ import annotations

import queue
import threading
from collections import deque
from concurrent.futures import wait
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from concurrent.futures import Executor, Future

Item = TypeVar("Item")
Result = TypeVar("Result")

WAIT_S = 0.25
"""How often who waits for an item looks about."""


def ahead(
    items: Generator[Item, None, None],
    threads: Executor,
    count: int,
    *,
    on_wait: Callable[[], None] = lambda: None,
) -> Generator[Item, None, None]:
    """Yield items that a thread takes from a generator, up to `count` before they are asked for.

    What the generator raises is raised here, after the items before it. Close this when it is not
    read to its end (`contextlib.closing`): the generator is then closed too, in its thread, before
    this returns. on_wait: called here, every WAIT_S in which no item has come.
    """
    stage = _Stage(items, count)
    running = threads.submit(stage.run)
    try:
        while True:
            try:
                made = stage.made.get(timeout=WAIT_S)
            except queue.Empty:
                on_wait()
                continue
            if isinstance(made, _End):
                if made.error is not None:
                    raise made.error
                return
            stage.room.release()
            yield made
    finally:
        stage.stop()
        wait([running])


def mapped(
    function: Callable[[Item], Result],
    items: Generator[Item, None, None],
    threads: Executor,
    count: int,
) -> Generator[Result, None, None]:
    """Yield function(item) of each item, in order; up to `count` are worked on at once.

    What the function raises is raised here, in its place. Close this when it is not read to its
    end: the generator is then closed too, and what has begun is waited for.
    """
    begun: deque[Future[Result]] = deque()
    with closing(items):
        try:
            for item in items:
                begun.append(threads.submit(function, item))
                while begun and (len(begun) >= count or begun[0].done()):
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for each in begun:
                each.cancel()
            wait(begun)


@dataclass(frozen=True)
class _End:
    error: BaseException | None = None


class _Stage(Generic[Item]):
    def __init__(self, items: Generator[Item, None, None], count: int) -> None:
        self._items = items
        self._stopped = threading.Event()
        self.made: queue.SimpleQueue[Item | _End] = queue.SimpleQueue()
        self.room = threading.Semaphore(count)

    def run(self) -> None:
        """Make items until there are no more, or nobody wants any."""
        try:
            with closing(self._items):
                self.room.acquire()
                if self._stopped.is_set():
                    return
                for item in self._items:
                    self.made.put(item)
                    self.room.acquire()
                    if self._stopped.is_set():
                        return
        except BaseException as error:  # whatever it is, it is the consumer's
            self.made.put(_End(error))
        else:
            self.made.put(_End())

    def stop(self) -> None:
        self._stopped.set()
        self.room.release()
