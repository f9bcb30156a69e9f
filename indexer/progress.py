"""How far queued work has come: counted from the index's own records, for a media or a batch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from indexer.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from indexer.engines.base import Index
    from indexer.job_records import BatchCounts
    from indexer.records import Media, Segment, SegmentState, State

RATE_WINDOW_S = 300.0
"""The rate is that of this long before now; older parts tell little of what comes."""


@dataclass(frozen=True)
class Progress:
    """How far a media or batch is, in segments (a photo is one, a video one a minute).

    done: finished without failing. rate_per_s: segments finished per second lately, the failed ones
    included; 0.0 if none was, and once all are. eta_s: seconds until all are finished at that rate;
    0.0 when they are, None where the rate does not tell.
    """

    total: int
    done: int
    failed: int
    working: int
    rate_per_s: float
    eta_s: float | None


@dataclass(frozen=True)
class MediaProgress:
    """A media with how far it is; `media.state` says whether it is all done (and linked)."""

    media: Media
    progress: Progress


@dataclass(frozen=True)
class BatchProgress:
    """What was queued together: media by state, and how far their segments are.

    state: `queued` (nothing begun), `working`, `done` (all are), or `failed` (ended, some failed).
    Media that were deleted since, or queued again in another batch, no longer count.
    """

    id: str
    queued_at: datetime
    media: Mapping[State, int]
    progress: Progress
    state: State


def media_progress(index: Index, media_id: str) -> MediaProgress:
    """Return how far a media is. Raises NotFound for an unknown one."""
    media = index.get_media(media_id)
    if media is None:
        raise NotFound(f"There is no media {media_id} in the index.")
    segments = index.list_segments(media_id)
    now = datetime.now(timezone.utc)
    window_start = now - timedelta(seconds=RATE_WINDOW_S)
    recent = [s for s in segments if s.finished_at is not None and s.finished_at >= window_start]
    since = max(media.queued_at or window_start, window_start)
    return MediaProgress(media, _progress(_by_state(segments), len(recent), since, now))


def batch_progress(index: Index, batch: str) -> BatchProgress:
    """Return how far a batch is. Raises NotFound if no media is in it (any more)."""
    found = list_batches(index, ids=[batch])
    if not found:
        raise NotFound(f"There is no batch {batch} in the index, or all its media are gone.")
    return found[0]


def list_batches(
    index: Index, *, ids: Iterable[str] = (), limit: int = 50, before: str | None = None
) -> list[BatchProgress]:
    """Return batches, newest first: those named, else at most `limit`, older than `before`.

    Batch ids sort by the time of queueing, so the last id of a page is the next page's `before`.
    """
    now = datetime.now(timezone.utc)
    since = now - timedelta(seconds=RATE_WINDOW_S)
    found = index.list_batches(tuple(ids), limit=limit, before=before, recent_since=since)
    return [_batch(counts, max(since, counts.queued_at), now) for counts in found]


def _batch(counts: BatchCounts, since: datetime, now: datetime) -> BatchProgress:
    progress = _progress(counts.segments, counts.recent, since, now)
    return BatchProgress(counts.id, counts.queued_at, counts.media, progress, _state(counts.media))


def _state(media: Mapping[State, int]) -> State:
    if media.get("working") or (media.get("queued") and (media.get("done") or media.get("failed"))):
        return "working"
    if media.get("queued"):
        return "queued"
    return "failed" if media.get("failed") else "done"


def _by_state(segments: Iterable[Segment]) -> dict[SegmentState, int]:
    counted: dict[SegmentState, int] = {}
    for segment in segments:
        counted[segment.state] = counted.get(segment.state, 0) + 1
    return counted


def _progress(
    segments: Mapping[SegmentState, int], recent: int, since: datetime, now: datetime
) -> Progress:
    """recent: segments finished between `since` and `now`."""
    total, failed = sum(segments.values()), segments.get("failed", 0)
    done, working = segments.get("done", 0), segments.get("claimed", 0)
    left = total - done - failed
    if not left:
        return Progress(total, done, failed, working, 0.0, 0.0)
    elapsed_s = (now - since).total_seconds()
    rate = recent / elapsed_s if elapsed_s > 0 else 0.0
    return Progress(total, done, failed, working, rate, left / rate if rate else None)
