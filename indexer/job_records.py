"""Frozen records of queued work: what is in a batch, and what became of cancelled media."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.records import Deleted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from indexer.records import SegmentState, State


@dataclass(frozen=True)
class BatchCounts:
    """What was queued together, by state; states that none is in may be missing.

    queued_at: when the first of its media was. recent: segments finished since a time asked for.
    """

    id: str
    queued_at: datetime
    media: Mapping[State, int]
    segments: Mapping[SegmentState, int]
    recent: int


@dataclass(frozen=True)
class Cancelled:
    """Ids of media whose work was cancelled, by what became of them, and how much was deleted."""

    removed: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    cut_short: tuple[str, ...] = ()
    deleted: Deleted = Deleted()
