"""The methods of the Elasticsearch engine's Index by which work is queued, counted, cancelled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from indexer.engines.base import Index
from indexer.engines.elastic import jobs as job_documents
from indexer.engines.elastic import purging, replacing
from indexer.engines.elastic import segments as segment_documents
from indexer.engines.elastic.values import now

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from indexer.engines.elastic.store import Store
    from indexer.job_records import BatchCounts, Cancelled
    from indexer.records import Deleted, Media, SegmentSpan
    from indexer.settings import ElasticsearchSettings

T = TypeVar("T")


class JobIndex(Index):
    """Its methods are documented in the contract, `indexer.engines.jobs.Jobs`."""

    _store: Store
    _settings: ElasticsearchSettings

    def queue_media(self, media: Media, spans: Sequence[SegmentSpan], *, batch: str) -> bool:
        queued = replace(media, state="queued", batch=batch, queued_at=now())
        return segment_documents.start(self._store, queued, spans)

    def cancel_media(self, media_ids: Sequence[str]) -> Cancelled:
        cancelled = self._when_writable(lambda: job_documents.cancel(self._store, media_ids))
        if not cancelled.removed:
            return cancelled
        return replace(cancelled, deleted=self._purged(lambda: cancelled.deleted))

    def list_batches(
        self,
        ids: Sequence[str] = (),
        *,
        limit: int = 50,
        before: str | None = None,
        recent_since: datetime,
    ) -> list[BatchCounts]:
        return job_documents.listed(
            self._store, ids, limit=limit, before=before, recent_since=recent_since
        )

    def _when_writable(self, change: Callable[[], T]) -> T:
        """Make a change of the live faces, which can be repeated; wait while they are replaced."""
        return replacing.waiting(self._store, change)

    def _purged(self, delete: Callable[[], Deleted]) -> Deleted:
        """Delete, make what was deleted unrecoverable, and say where it still is."""
        deleted = self._when_writable(delete)
        purging.expunge(self._store, wait_s=self._settings.expunge_s)
        return replace(deleted, still_in=purging.snapshots(self._store))
