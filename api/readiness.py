"""Whether the parts that requests need can be reached: each is asked once at a time."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PATIENCE_S = 2.0
"""What does not answer by then is not ready."""


class Readiness:
    """Asks parts whether they are well, without waiting long for any; threads may share it."""

    def __init__(self, parts: Mapping[str, Callable[[], bool]]) -> None:
        self._parts = parts
        self._asked: dict[str, Future[bool]] = {}
        self._lock = threading.Lock()

    def look(self) -> dict[str, bool]:
        """Return whether each part is well now."""
        with self._lock:
            asked = {name: self._ask(name) for name in self._parts}
        wait(asked.values(), _PATIENCE_S)
        return {name: answer.done() and answer.result() for name, answer in asked.items()}

    def _ask(self, name: str) -> Future[bool]:
        """Ask a part in a thread of its own, unless somebody waits for its answer already."""
        under_way = self._asked.get(name)
        if under_way is not None and not under_way.done():
            return under_way
        answer: Future[bool] = Future()
        self._asked[name] = answer

        def asking() -> None:
            try:
                answer.set_result(self._parts[name]())
            except BaseException as error:
                answer.set_exception(error)

        threading.Thread(target=asking, name=f"ask {name}", daemon=True).start()
        return answer
