"""Remembers what an evaluation told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.evaluation.progress import Watcher

if TYPE_CHECKING:
    from indexer.evaluation.records import Outcome


class Seen(Watcher):
    """Remembers which runs ended, which were kept from before, and warnings."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.kept: list[str] = []
        self.warned: list[str] = []

    def end(self, outcome: Outcome, *, kept: bool) -> None:
        self.ended.append(outcome.name)
        if kept:
            self.kept.append(outcome.name)

    def warn(self, text: str) -> None:
        self.warned.append(text)
