"""Queueing work, taking it back, trying it again, and finding what was lost.

An index's media and segments are the job state; messages only say where to look. So each function
here can be repeated, and a message that is lost or comes twice does no harm. `indexer.progress`
tells how far things are, `indexer.work` does the work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.records import Deleted

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.ingest import Progress
    from indexer.records import Media
    from indexer.settings import Settings

Send = Callable[[Sequence[str]], None]
"""Tells workers that these media (by id) have work; `tasks.sending.sender` gives Celery's, a
`BackgroundWorker` has one (`wake`). Raises BrokerFailure; what is queued stays so and is found by
the sweeper."""


def no_send(media_ids: Sequence[str]) -> None:
    """Tell nobody: whoever sweeps the index finds the work."""


def new_batch() -> str:
    """Return an id for a batch; ids sort by the time at which they were made."""
    raise NotImplementedError


@dataclass(frozen=True)
class Enqueued:
    """What became of paths (or media) that were to be worked on.

    batch: its id, also when nothing is in it. queued: in this batch now. skipped: done already
    under the same options. under_way: queued or being worked on already, in `Media.batch`.
    failed: in words, each naming its path: what cannot be read, or failed before.
    """

    batch: str
    queued: tuple[Media, ...] = ()
    skipped: tuple[Media, ...] = ()
    under_way: tuple[Media, ...] = ()
    failed: tuple[str, ...] = ()


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
    batch: str | None = None,
    progress: Progress | None = None,
) -> Enqueued:
    """Queue files and folders for workers: media records in state `queued`, then one message each.

    Every file is read once, for its id and its length. Media that are done under the same options
    are skipped, unless `force`. batch: an id from `new_batch`, for paths that come in several
    calls. Raises UsageError for a new index without a model in the settings, BrokerFailure if the
    messages cannot be sent (the media are queued all the same), IndexFailure.
    """
    raise NotImplementedError


def retry(
    index: Index,
    settings: Settings,
    *,
    send: Send,
    media_ids: Sequence[str] = (),
    batch: str | None = None,
) -> Enqueued:
    """Queue failed media anew: those named, those of a batch, or with neither all of them.

    Each stays in its batch. Media that did not fail come back as skipped (done) or under_way.
    Raises NotFound for an unknown media or batch, BrokerFailure, IndexFailure.
    """
    raise NotImplementedError


def cancel(
    index: Index, settings: Settings, *, media_ids: Sequence[str] = (), batch: str | None = None
) -> CancelledJobs:
    """Take back what is queued or being worked on: the media named, or all of a batch.

    A worker notices within seconds (`work.RENEW_S`) that its claim is gone, and stores nothing.
    Deleting is for good and may take its time (`Index.delete_media`).
    Raises UsageError with neither, NotFound for an unknown media or batch, IndexFailure.
    """
    raise NotImplementedError


def sweep(index: Index, *, send: Send, limit: int = 1000) -> Swept:
    """Give back the claims of dead workers of this machine; tell workers of all work that is free.

    Free is a media whose segments are pending or out of lease, or all finished but not linked.
    At most `limit` media, the longest queued first.
    """
    raise NotImplementedError
