"""Queueing work, taking it back, trying it again, and finding what was lost.

An index's media and segments are the job state; messages only say where to look. So each function
here can be repeated, and a message that is lost or comes twice does no harm. `indexer.progress`
tells how far things are, `indexer.work` does the work.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import islice
from typing import TYPE_CHECKING

from indexer.errors import MediaError, NotFound, PurgeUnfinished, UsageError
from indexer.media import discover
from indexer.queueing import Enqueued, Messages, Queue, Send
from indexer.records import Deleted
from indexer.reports import Progress
from indexer.strategy import parse_strategy
from indexer.work import finish_media
from indexer.workers import is_free, release_dead, unfinished_segments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.identify import Look
    from indexer.records import Media
    from indexer.settings import Settings

__all__ = [
    "CancelledJobs",
    "Enqueued",
    "Send",
    "Swept",
    "cancel",
    "enqueue",
    "free_media",
    "no_send",
    "retry",
    "sweep",
]


def no_send(media_ids: Sequence[str]) -> None:
    """Tell nobody: whoever sweeps the index finds the work."""


@dataclass(frozen=True)
class CancelledJobs:
    """What became of media whose work was cancelled; see `Jobs.cancel_media` in the contract.

    removed: never done before, so deleted with everything; as they were. restored: as they were
    before they were queued. cut_short: `failed`, part old and part new. untouched: not queued or
    working, so nothing was done.
    """

    removed: tuple[Media, ...] = ()
    restored: tuple[Media, ...] = ()
    cut_short: tuple[Media, ...] = ()
    untouched: tuple[Media, ...] = ()
    deleted: Deleted = Deleted()


@dataclass(frozen=True)
class Swept:
    """What a sweep found: claims of dead workers given back, media for which a message was sent."""

    released: int
    sent: tuple[str, ...]


def enqueue(
    index: Index,
    paths: Sequence[str | Path],
    settings: Settings,
    *,
    send: Send,
    force: bool = False,
    progress: Progress | None = None,
    look: Look | None = None,
) -> Enqueued:
    """Queue files and folders for workers: media records in state `queued`, then one message each.

    Every file is read for its id, and a new one opened once by `look` (by default in this process)
    for what it is and its length. Media that are done under the same options are skipped, unless
    `force`. Raises UsageError for a new index without a model in the settings, BrokerFailure if the
    messages cannot be sent (the media are queued all the same), IndexFailure.
    """
    parse_strategy(settings.keyframes.strategy)
    _require_model(index, settings)
    queue = Queue(index, settings, _new_batch(), Messages(send), look)
    progress = progress or Progress()
    found = list(discover(paths))
    progress.start_run(len(found))
    for item in found:
        if isinstance(item, MediaError):
            queue.failed.append(str(item))
        else:
            queue.add_path(item, force=force)
        progress.finish_file(str(item))
    return queue.ended()


def retry(
    index: Index,
    settings: Settings,
    *,
    send: Send,
    media_ids: Sequence[str] = (),
    batch: str | None = None,
    look: Look | None = None,
) -> Enqueued:
    """Queue failed media anew: those named, those of a batch, or with neither all of them.

    Each stays in its batch. Media that did not fail come back as skipped (done) or under_way.
    Raises NotFound for an unknown media or batch, BrokerFailure, IndexFailure.
    """
    _require_model(index, settings)
    chosen = _chosen(index, media_ids, batch) if media_ids or batch else None
    queue = Queue(index, settings, batch or _new_batch(), Messages(send), look)
    for media in index.iter_media(states=["failed"]) if chosen is None else chosen:
        queue.add_failed(media)
    return queue.ended()


def cancel(
    index: Index, settings: Settings, *, media_ids: Sequence[str] = (), batch: str | None = None
) -> CancelledJobs:
    """Take back what is queued or being worked on: the media named, or all of a batch.

    A worker notices within seconds (`work.RENEW_S`) that its claim is gone, and stores nothing.
    Deleting is for good and may take its time (`Index.delete_media`).
    Raises UsageError with neither, NotFound for an unknown media or batch, IndexFailure, of which
    PurgeUnfinished tells what it removed all the same.
    """
    if not media_ids and batch is None:
        raise UsageError("Say what to cancel: media, or a batch.")
    chosen = {media.id: media for media in _chosen(index, media_ids, batch)}
    try:
        cancelled = index.cancel_media(list(chosen))
    except PurgeUnfinished as unfinished:
        gone = (media for media in chosen.values() if index.get_media(media.id) is None)
        unfinished.removed = tuple(gone)
        raise
    # What is no longer there at the end was removed by somebody else meanwhile.
    restored = [index.get_media(media_id) for media_id in cancelled.restored]
    cut_short = []
    for media_id in cancelled.cut_short:
        with suppress(NotFound):
            cut_short.append(finish_media(index, media_id, settings))
    touched = {*cancelled.removed, *cancelled.restored, *cancelled.cut_short}
    return CancelledJobs(
        removed=tuple(chosen[media_id] for media_id in cancelled.removed),
        restored=tuple(media for media in restored if media is not None),
        cut_short=tuple(cut_short),
        untouched=tuple(media for media in chosen.values() if media.id not in touched),
        deleted=cancelled.deleted,
    )


def sweep(index: Index, *, send: Send, limit: int = 1000) -> Swept:
    """Give back the claims of dead workers of this machine; tell workers of all work that is free.

    Free is a media whose segments are pending or out of lease, or all finished but not linked.
    At most `limit` media: those that were begun first, then the longest queued.
    """
    released = release_dead(index)
    free = tuple(media.id for media in islice(free_media(index), limit))
    if free:
        send(free)
    return Swept(released, free)


def free_media(index: Index) -> Iterator[Media]:
    """Yield the media that a worker could go on with now, in the order of `sweep`."""
    now = datetime.now(timezone.utc)
    unfinished = list(index.iter_media(states=["queued", "working"]))
    for media in sorted(unfinished, key=lambda m: (m.state == "queued", m.queued_at or now)):
        if media.state == "queued" or _has_work(index, media.id):
            yield media


def _has_work(index: Index, media_id: str) -> bool:
    """Whether a segment is free, or all are finished, so that the media waits to be linked."""
    unfinished = unfinished_segments(index, media_id)
    return not unfinished or any(is_free(segment) for segment in unfinished)


def _chosen(index: Index, media_ids: Sequence[str], batch: str | None) -> list[Media]:
    """Return the media named, and those of a batch. Raises NotFound."""
    chosen: list[Media] = []
    for media_id in dict.fromkeys(media_ids):
        media = index.get_media(media_id)
        if media is None:
            raise NotFound(f"There is no media {media_id} in the index.")
        chosen.append(media)
    if batch is not None:
        of_batch = list(index.iter_media(batch=batch))
        if not of_batch:
            raise NotFound(f"There is no batch {batch} in the index, or all its media are gone.")
        chosen += [media for media in of_batch if media.id not in media_ids]
    return chosen


def _new_batch() -> str:
    """Return an id for a batch; ids sort by the time at which they were made."""
    import secrets

    now = datetime.now(timezone.utc)
    return f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}-{secrets.token_hex(4)}"


def _require_model(index: Index, settings: Settings) -> None:
    if index.model is None and not settings.model:
        raise UsageError(
            "A new index needs a model; none is chosen silently. Give --model MODEL, or the "
            "setting `model` to all workers. `sightings models` lists them with their licences."
        )
