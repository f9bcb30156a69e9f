"""Processes that die between two requests to a cluster, and what others do between two of theirs.

A process that is killed stops at one point between two requests, or with a request on its way,
which the cluster then carries out or not: that is as if it had died after or before it. So one
that dies before each of its changing requests in turn has died in every way that matters.
"""

from __future__ import annotations

import os
import re
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from elastic_transport import Urllib3HttpNode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_READING = re.compile(r"/_(mget|search|msearch|count|refresh|flush|forcemerge)\b")
"""Refreshes, flushes and merges change no document: those that are repeated do it again."""


class Killed(BaseException):
    """Stands for the process's end: whatever it tries afterwards does not reach the cluster."""


def is_change(method: str, target: str) -> bool:
    """Whether a request changes what is stored."""
    return method != "GET" and not _READING.search(target)


def killed(number: int, change: Callable[[], object]) -> list[str]:
    """End a change at its changing request of this number, counted from 1.

    Nothing that it does on its way out reaches the cluster. Returns its changing requests: as many
    if it was killed, fewer if it came to its end.
    """

    def die() -> None:
        raise Killed

    with _watched(number, die) as made, suppress(Killed):
        change()
    return made


@contextmanager
def interrupted_before(number: int, others_work: Callable[[], None]) -> Iterator[list[str]]:
    """Let others work just before the changing request of this number, counted from 1.

    Gives the list of changing requests, which is that long if they did.
    """
    done: list[bool] = []

    def others() -> None:
        if not done:
            done.append(True)
            others_work()

    with _watched(number, others) as made:
        yield made


def die_before(number: int) -> None:
    """Have this process end, as by `kill -9`, at its changing request of this number."""
    _watch(number, [], lambda: os.kill(os.getpid(), signal.SIGKILL))


@contextmanager
def _watched(number: int, act: Callable[[], None]) -> Iterator[list[str]]:
    made: list[str] = []
    ask = _watch(number, made, act)
    try:
        yield made
    finally:
        Urllib3HttpNode.perform_request = ask  # type: ignore[method-assign]


def _watch(number: int, made: list[str], act: Callable[[], None]) -> Callable[..., Any]:
    """Act before the request of this number and each one after it; return what undoes that."""
    ask = Urllib3HttpNode.perform_request

    def perform(node: Urllib3HttpNode, method: str, target: str, *args: Any, **options: Any) -> Any:
        if is_change(method, target) and len(made) < number:
            made.append(f"{method} {target}")
        if len(made) == number:
            act()
        return ask(node, method, target, *args, **options)

    Urllib3HttpNode.perform_request = perform  # type: ignore[method-assign]
    return ask
