"""Ctrl-C and SIGTERM wait for a place where they are neither lost nor do harm."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import threading
import weakref
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from indexer.evaluation.records import Outcome
from indexer.evaluation.report import write_report
from indexer.interruptions import HELD, interrupted_between

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def raising() -> Iterator[None]:
    """Let both signals raise KeyboardInterrupt, as they do on the command line."""
    before = {number: signal.getsignal(number) for number in HELD}
    for number in HELD:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Thing:
    """What can be referred to weakly."""


def interrupt_where_it_is_lost(number: int) -> None:
    """Send a signal while an object is taken away: Python passes over errors there."""
    thing = Thing()
    reference = weakref.ref(thing, lambda _: signal.raise_signal(number))
    del thing
    gc.collect()
    assert reference() is None


class Interrupting(dict[str, Any]):
    """A configuration during whose use a signal comes, once."""

    def __init__(self, number: int) -> None:
        super().__init__(model="m")
        self.waiting = [number]

    def get(self, *given: Any) -> Any:
        if self.waiting:
            interrupt_where_it_is_lost(self.waiting.pop())
        return super().get(*given)


def draw_interrupted(folder: Path, number: int) -> None:
    """Draw a report during which a signal comes; print what became of it."""
    configuration = Interrupting(number)
    outcome = Outcome("one", "photos", "done", configuration=configuration, metrics={"photos": 2})
    try:
        with raising():
            write_report([outcome], folder, photos=None, title="t")
    except KeyboardInterrupt:
        print("interrupted", configuration.waiting, sorted(path.name for path in folder.iterdir()))


@pytest.mark.parametrize("number", HELD)
def test_a_signal_is_not_lost_while_the_report_is_drawn(tmp_path: Path, number: int) -> None:
    """In a process of its own: what else this one holds should not be interrupted."""
    code = "import sys, pathlib, tests.test_interruptions as t; "
    code += "t.draw_interrupted(pathlib.Path(sys.argv[1]), int(sys.argv[2]))"
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), str(int(number))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == "interrupted [] ['report.csv', 'report.json']\n"


def drawing(*signals: int, pauses: bool = False) -> list[str]:
    """Return how far a drawing comes during which signals come."""
    reached = []
    with suppress(KeyboardInterrupt), raising(), interrupted_between() as pause:
        pause()
        for number in signals:
            signal.raise_signal(number)
            reached.append(signal.Signals(number).name)
        if pauses:
            pause()
        reached.append("drawn")
        signal.raise_signal(signal.SIGINT)
    return reached


@pytest.mark.parametrize("number", HELD)
def test_a_signal_comes_through_at_the_next_pause(number: int) -> None:
    assert drawing(number, pauses=True) == [signal.Signals(number).name]


def test_a_signal_comes_through_at_the_end() -> None:
    with raising(), pytest.raises(KeyboardInterrupt), interrupted_between():
        signal.raise_signal(signal.SIGTERM)


def test_the_second_signal_is_not_held_back() -> None:
    assert drawing(signal.SIGTERM, signal.SIGINT) == ["SIGTERM"]


def test_handlers_are_put_back_and_what_is_ignored_stays_ignored() -> None:
    with raising():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with interrupted_between():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler


def test_in_another_thread_nothing_is_changed() -> None:
    handlers = []

    def look() -> None:
        with interrupted_between() as pause:
            pause()
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert handlers == [signal.getsignal(signal.SIGINT)]
