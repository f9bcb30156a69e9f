"""A worker that is to end: its processes begin nothing more, and give back what takes too long."""

from __future__ import annotations

import mmap
import struct
import time
from typing import Any

from celery import bootsteps

POLL_S = 0.2


class Stopping:
    """When a worker was told to end, as all of its processes see it.

    It lies in memory that they share: a process has to learn of it in the middle of its work, when
    it takes no message. Make it before the processes are.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._begun_s = mmap.mmap(-1, 8)  # on the clock of time.monotonic, which is the machine's

    def begin(self) -> None:
        """Tell all processes of the worker that it is to end."""
        if not self.begun:
            struct.pack_into("d", self._begun_s, 0, time.monotonic())

    @property
    def begun(self) -> bool:
        """Whether no other segment may be begun."""
        return self._when_s() > 0.0

    @property
    def overdue(self) -> bool:
        """Whether the segment in hand is to be given back."""
        return self.begun and time.monotonic() >= self._when_s() + self._patience_s

    def wait(self, seconds: float) -> bool:
        """Wait, but not when the worker is to end; return whether it is."""
        until_s = time.monotonic() + seconds
        while not self.begun and (left_s := until_s - time.monotonic()) > 0:
            time.sleep(min(left_s, POLL_S))
        return self.begun

    def _when_s(self) -> float:
        return float(struct.unpack_from("d", self._begun_s)[0])


def stopper(stopping: Stopping) -> type[bootsteps.StartStopStep]:
    """Return the part of a worker that tells its processes when it is to end, however it learns."""

    class Stopper(bootsteps.StartStopStep):  # type: ignore[misc]
        """Runs in the worker's main process."""

        def close(self, worker: Any) -> None:  # noqa: ARG002
            stopping.begin()

    return Stopper
