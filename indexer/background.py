"""A worker for one machine without Redis: a child process that `sightings serve` keeps running.

A process, not a thread: networks and decoders would hold up the answers to requests, and a file
that takes its worker down must not take the service down. The child works by `indexer.work`, as all
workers do, and a segment that kills it is given up after the same number of attempts.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from indexer.library_threads import PASSIVE
from indexer.stage_times import Histograms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from indexer.settings import Settings

LOG = logging.getLogger(__name__)

PROGRAM = "indexer.background_child"

STOP_S = 15.0
"""How long the child has to give back what it works on; no batch of frames takes as long."""

LONGEST_WAIT_S = 60.0
_WELL_S = 30.0  # a child that lived this long was not hindered from the start


class BackgroundWorker:
    """Works on what is queued in the index that the settings name. Use it as a context manager.

    program: the module of the child, for tests that bring a model of their own. stages: how long
    the stages of what it has done took.
    """

    def __init__(self, settings: Settings, *, program: str = PROGRAM) -> None:
        self._settings = settings
        self._program = program
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._keeper = threading.Thread(target=self._keep_running, daemon=True)
        self._error: str | None = None
        self.stages = Histograms()

    def __enter__(self) -> BackgroundWorker:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def error(self) -> str | None:
        """What keeps the child from working now (weights that are missing, say), or None."""
        return self._error

    def start(self) -> None:
        """Start the child. Call it once."""
        self._keeper.start()

    def stop(self) -> None:
        """End the child: it gives back its segment. Calling it twice does no harm."""
        self._stopping.set()
        with self._lock:
            child = self._child
            if child is not None and child.stdin is not None:
                with suppress(OSError):
                    child.stdin.close()
        if child is not None:
            try:
                child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                child.kill()
        if self._keeper.is_alive():
            self._keeper.join(STOP_S)

    def wake(self, media_ids: Sequence[str]) -> None:  # noqa: ARG002
        """Tell the child that there is work: an `indexer.jobs.Send`."""
        with self._lock:
            child = self._child
            if child is not None and child.stdin is not None and not self._stopping.is_set():
                # One that has just died finds the work when it is started again.
                with suppress(OSError):
                    child.stdin.write("\n")
                    child.stdin.flush()

    def _keep_running(self) -> None:
        wait_s = 1.0
        while not self._stopping.is_set():
            started_s = time.monotonic()
            ended = self._run_child()
            if self._stopping.is_set():
                return
            was_well = time.monotonic() - started_s >= _WELL_S
            wait_s = 1.0 if was_well else min(2 * wait_s, LONGEST_WAIT_S)
            self._error = f"The background worker {ended}; it is started again."
            LOG.warning("The background worker %s; again in %g s.", ended, wait_s)
            self._stopping.wait(wait_s)

    def _run_child(self) -> str:
        """Start a child, take note of what it tells, and return how it ended, in words."""
        with self._lock:
            if self._stopping.is_set():
                return "was stopped"
            try:
                self._child = child = self._started()
            except OSError as error:
                return f"cannot be started ({error})"
        assert child.stdout is not None
        for line in child.stdout:
            self._note(line)
        return f"ended (code {child.wait()})"

    def _note(self, line: str) -> None:
        try:
            told = json.loads(line)
            if "took_s" in told:
                self.stages.add(told["took_s"])
            else:
                self._error = told["error"]
        except (ValueError, LookupError, TypeError):  # printed before it took the stream for itself
            LOG.warning("The background worker printed %r.", line)

    def _started(self) -> subprocess.Popen[str]:
        """Return a new child that has been told the settings."""
        # A session of its own: Ctrl-C in a terminal is for the parent, which then stops it.
        child = subprocess.Popen(
            [sys.executable, "-m", self._program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            env={**PASSIVE, **os.environ},
        )
        assert child.stdin is not None
        with suppress(OSError):  # one that has just died is started again
            child.stdin.write(json.dumps(_flags(self._settings)) + "\n")
            child.stdin.flush()
        return child


def _flags(settings: Any, section: str = "") -> dict[str, Any]:
    """Return all settings by dotted name, as `indexer.settings.load` takes them."""
    flags: dict[str, Any] = {}
    for entry in fields(settings):
        name, value = f"{section}{entry.name}", getattr(settings, entry.name)
        flags |= _flags(value, f"{name}.") if is_dataclass(value) else {name: value}
    return flags
