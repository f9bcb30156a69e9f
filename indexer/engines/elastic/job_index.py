"""The methods of the Elasticsearch engine's Index by which work is queued, claimed, cancelled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from indexer.engines.base import Index
from indexer.engines.elastic import claims, purging, replacing
from indexer.engines.elastic import jobs as job_documents
from indexer.engines.elastic import segments as segment_documents
from indexer.engines.elastic.values import now

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from indexer.engines.elastic.store import Store
    from indexer.job_records import BatchCounts, Cancelled
    from indexer.records import Deleted, Media, Segment, SegmentSpan, SegmentState
    from indexer.settings import ElasticsearchSettings

T = TypeVar("T")


class JobIndex(Index):
    """Its methods are documented in the contract, `indexer.engines.base.Index`."""

    _store: Store
    _settings: ElasticsearchSettings

    def start_media(self, media: Media, spans: Sequence[SegmentSpan]) -> None:
        working = replace(media, state="working", batch=None, queued_at=None)
        segment_documents.start(self._store, working, spans)

    def claim_segment(
        self, media_id: str, *, owner: str, lease_s: float, max_attempts: int
    ) -> Segment | None:
        return claims.claim(
            self._store, media_id, owner=owner, lease_s=lease_s, max_attempts=max_attempts
        )

    def renew_claim(self, segment: Segment, *, lease_s: float) -> None:
        claims.renew(self._store, segment, lease_s=lease_s)

    def claim_owners(self) -> tuple[str, ...]:
        return claims.owners(self._store)

    def release_claims(self, owner: str, *, forgive: bool = False) -> int:
        return claims.release(self._store, owner, forgive=forgive)

    def fail_segment(self, segment: Segment, error: str) -> None:
        claims.mark_failed(self._store, segment, error)

    def list_segments(self, media_id: str, *, states: Sequence[SegmentState] = ()) -> list[Segment]:
        return segment_documents.of_media(self._store, media_id, states)

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
        wait_s = self._settings.expunge_s
        return purging.purge(self._store, self._when_writable(delete), wait_s=wait_s)
