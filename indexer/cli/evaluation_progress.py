"""What an evaluation does, as notes and bars on standard error."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from indexer.cli.output import note
from indexer.cli.progress import download_bar, file_bars
from indexer.evaluation.progress import Watcher
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from indexer.evaluation.records import Outcome
    from indexer.reports import Progress


class EvaluationNotes(Watcher):
    """A line when a run begins and one when it ends; bars and steps where a terminal shows them."""

    def __init__(self) -> None:
        self._begun_s = time.monotonic()

    def begin(self, name: str, number: int, runs: int) -> None:
        """Say which run begins."""
        self._begun_s = time.monotonic()
        note(f"{number} of {runs}: {shown(name)}")

    def end(self, outcome: Outcome, *, kept: bool) -> None:
        """Say what came of it."""
        took = f"{outcome.state} in {time.monotonic() - self._begun_s:.1f} s"
        reason = f": {shown(outcome.reason)}" if outcome.reason else ""
        note(f"  {'done before' if kept else took}{reason}")

    def warn(self, text: str) -> None:
        """Say what is wrong."""
        note(f"  warning: {shown(text)}")

    def step(self, text: str) -> None:
        """Say what is done now, where somebody looks on."""
        if sys.stderr.isatty():
            note(f"  {text}")

    @contextmanager
    def files(self) -> Iterator[Progress]:
        """Show a bar over photos."""
        with file_bars() as bars:
            yield bars

    @contextmanager
    def downloads(self) -> Iterator[Callable[[int, int], None]]:
        """Show a bar of bytes while weights are fetched."""
        with download_bar("weights") as tell:
            yield tell
