"""Remembers what an evaluation told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.evaluation.progress import Watcher

if TYPE_CHECKING:
    from indexer.evaluation.records import Outcome


class Seen(Watcher):
    """Remembers which runs ended, which of them were kept from before, and what was wrong."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.kept: list[str] = []
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def end(self, outcome: Outcome, *, kept: bool) -> None:
        self.ended.append(outcome.name)
        if kept:
            self.kept.append(outcome.name)
