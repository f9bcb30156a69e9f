"""The two sides as processes of their own, so that neither's threads and memory are the other's."""

from __future__ import annotations

import multiprocessing
import time
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from types import TracebackType

    from benchmarks.ingest.records import Task

END_S = 30.0


class Worker:
    """A fresh process that holds one side; use it as a context manager.

    started_s: what it took from starting Python to having loaded all libraries and networks.
    """

    def __init__(self, side: str, task: Task) -> None:
        begun_s = time.perf_counter()
        context = multiprocessing.get_context("spawn")
        self._side = side
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, side, task), daemon=True)
        self._process.start()
        theirs.close()
        try:
            self._answer()
        except BaseException:
            self._end()
            raise
        self.started_s = time.perf_counter() - begun_s

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method over there and return its result.

        Raises RuntimeError with its traceback if it raises, or if the process is gone.
        """
        self._connection.send((method, arguments))
        return self._answer()

    def _answer(self) -> Any:
        try:
            failed, result = self._connection.recv()
        except EOFError:
            self._process.join(END_S)
            raise RuntimeError(
                f"The process of the {self._side} side ended with {self._process.exitcode}."
            ) from None
        if failed:
            raise RuntimeError(f"The {self._side} side failed.\n{result}")
        return result

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        self._connection.close()
        self._process.join(END_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _serve(connection: Connection, side: str, task: Task) -> None:
    """Answer calls until the other end is closed."""
    try:
        holder = _side(side, task)
        connection.send((False, None))
        while True:
            method, arguments = connection.recv()
            connection.send((False, getattr(holder, method)(*arguments)))
    except EOFError:
        return
    except Exception:  # whatever it is, the other end is to be told
        connection.send((True, traceback.format_exc()))


def _side(side: str, task: Task) -> Any:
    if side == "naive":
        from benchmarks.ingest.reference import Reference

        return Reference(task)
    if side == "memory":
        from benchmarks.ingest.memory import MemoryProject

        return MemoryProject(task)
    from benchmarks.ingest.ceiling import MeasuredProject

    return MeasuredProject(task)
