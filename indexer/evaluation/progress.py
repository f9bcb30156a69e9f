"""What an evaluation tells while it runs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from indexer.reports import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from indexer.evaluation.records import Outcome


class Watcher:
    """Told what an evaluation is doing; this one tells nobody."""

    def begin(self, name: str, number: int, runs: int) -> None:
        """Take note that a run begins, the number-th of all."""

    def end(self, outcome: Outcome, *, kept: bool) -> None:
        """Take note of what came of it; kept: whether an earlier evaluation had it."""

    def warn(self, text: str) -> None:
        """Take note of what is wrong and does not end the run."""

    def step(self, text: str) -> None:
        """Take note of what is done now."""

    @contextmanager
    def files(self) -> Iterator[Progress]:
        """Give what an ingest tells its progress."""
        yield Progress()

    @contextmanager
    def downloads(self) -> Iterator[Callable[[int, int], None]]:
        """Give what is told the bytes done and in total of weights that are fetched."""
        yield lambda _done, _total: None
