"""Batches and their media as tables and as JSON: how far each is."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from indexer.errors import NotFound
from indexer.text import near

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from indexer.engines.base import Index
    from indexer.progress import BatchProgress, MediaProgress, Progress
    from indexer.records import State

BATCH_HEADERS = ("batch", "state", "media", "failed", "parts", "a minute", "left")
MEDIA_HEADERS = ("id", "state", "failed", "parts", "a minute", "left", "path")

_FIRST: tuple[State, ...] = ("working", "queued", "failed", "done")


def is_under_way(batches: Sequence[BatchProgress]) -> bool:
    """Whether any of the batches is not over yet."""
    return any(_is_open(batch.state) for batch in batches)


def batch_rows(batches: Iterable[BatchProgress]) -> list[tuple[str, ...]]:
    """Return a row for each batch, see BATCH_HEADERS."""
    return [
        (
            batch.id,
            batch.state,
            f"{batch.media.get('done', 0)}/{sum(batch.media.values())}",
            str(batch.media.get("failed", 0)),
            *_how_far(batch.progress, batch.state),
        )
        for batch in batches
    ]


def media_rows(index: Index, batch: str, limit: int) -> list[tuple[str, ...]]:
    """Return a row for each of a batch's media, see MEDIA_HEADERS: at most `limit`.

    Those that are being worked on come first, then the queued ones.
    """
    found = chain.from_iterable(index.iter_media(states=[s], batch=batch) for s in _FIRST)
    return [
        (
            each.media.id[:12],
            each.media.state,
            str(each.progress.failed),
            *_how_far(each.progress, each.media.state),
            near(each.media.path),
        )
        for each in _with_progress(index, (media.id for media in islice(found, limit)))
    ]


def batch_document(batch: BatchProgress, index: Index | None = None) -> dict[str, Any]:
    """Return a batch as JSON; with its media, if an index is given to look them up in."""
    document: dict[str, Any] = {
        "id": batch.id,
        "state": batch.state,
        "queued_at": batch.queued_at.isoformat(),
        "media": dict(batch.media),
        "segments": asdict(batch.progress),
    }
    if index is not None:
        of_batch = (media.id for media in index.iter_media(batch=batch.id))
        document["items"] = [
            {
                "id": each.media.id,
                "path": each.media.path,
                "state": each.media.state,
                "error": each.media.error,
                "segments": asdict(each.progress),
            }
            for each in _with_progress(index, of_batch)
        ]
    return document


def _with_progress(index: Index, media_ids: Iterable[str]) -> Iterator[MediaProgress]:
    from indexer.progress import media_progress

    for media_id in media_ids:
        with suppress(NotFound):  # deleted a moment ago
            yield media_progress(index, media_id)


def _how_far(progress: Progress, state: State) -> tuple[str, str, str]:
    """Return parts done of all, how many a minute, and how long the rest takes."""
    return (
        f"{progress.done}/{progress.total}",
        f"{60 * progress.rate_per_s:.1f}" if progress.rate_per_s else "",
        _left(progress.eta_s) if _is_open(state) else "",
    )


def _is_open(state: State) -> bool:
    return state in ("queued", "working")


def _left(eta_s: float | None) -> str:
    if eta_s is None:
        return "?"
    minutes, seconds = divmod(round(eta_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"
