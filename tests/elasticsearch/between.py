"""What others do between two requests of one's own: every interleaving, one after the other.

Without transactions a change is as fine as its requests, reading ones included. So a change that
stays right with others' work before each of its requests in turn stays right with it at any time.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from elastic_transport import Urllib3HttpNode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Ask = Callable[..., Any]


@contextmanager
def asking(perform: Callable[[Ask, Urllib3HttpNode, str, str, Any, Any], Any]) -> Iterator[None]:
    """Have all requests of this process go through `perform`.

    It gets what asks, and with what: ask, node, method, target, body, headers.
    """
    ask = Urllib3HttpNode.perform_request

    def patched(
        node: Urllib3HttpNode,
        method: str,
        target: str,
        body: Any = None,
        headers: Any = None,
        **options: Any,
    ) -> Any:
        def ask_with(*args: Any) -> Any:
            return ask(*args, **options)

        return perform(ask_with, node, method, target, body, headers)

    Urllib3HttpNode.perform_request = patched  # type: ignore[method-assign]
    try:
        yield
    finally:
        Urllib3HttpNode.perform_request = ask  # type: ignore[method-assign]


@contextmanager
def between(*steps: tuple[int, Callable[[], object]]) -> Iterator[list[str]]:
    """Let others take their steps, each before the request of its number, counted from 0.

    Steps whose request is never made are taken at the end. Gives the list of requests.
    """
    made: list[str] = []
    due = list(steps)
    others: list[bool] = []

    def take(number: float) -> None:
        while due and due[0][0] <= number:
            others.append(True)
            try:
                due.pop(0)[1]()
            finally:
                others.pop()

    def perform(ask: Ask, node: Any, method: str, target: str, body: Any, headers: Any) -> Any:
        if not others:
            take(len(made))
            made.append(f"{method} {target}")
        return ask(node, method, target, body, headers)

    with asking(perform):
        yield made
        take(float("inf"))
