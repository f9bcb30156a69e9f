"""The methods of the embedded engine's Index by which work is queued, counted and cancelled."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from indexer.engines.base import Index
from indexer.engines.embedded import jobs as job_rows
from indexer.engines.embedded import packing
from indexer.engines.embedded import segments as segment_rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from indexer.engines.embedded.connection import Database
    from indexer.job_records import BatchCounts, Cancelled
    from indexer.records import Media, SegmentSpan


class JobIndex(Index):
    """Each method is one transaction; they are documented in the contract, `engines.jobs.Jobs`."""

    _db: Database

    @contextmanager
    def _deleting(self) -> Iterator[sqlite3.Connection]:
        """Delete for good, and store again what is left of the blocks that were dropped."""
        with self._db.deleting() as connection:
            yield connection
        packing.pack(self._db)

    def queue_media(self, media: Media, spans: Sequence[SegmentSpan], *, batch: str) -> bool:
        queued_at = datetime.now(timezone.utc)
        queued = replace(media, state="queued", batch=batch, queued_at=queued_at)
        with self._db.writing() as connection:
            return segment_rows.start(connection, queued, spans)

    def cancel_media(self, media_ids: Sequence[str]) -> Cancelled:
        with self._db.reading() as connection:
            removable = job_rows.never_finished(connection, media_ids)
        with self._deleting() if removable else self._db.writing() as connection:
            return job_rows.cancel(connection, media_ids, removable)

    def list_batches(
        self,
        ids: Sequence[str] = (),
        *,
        limit: int = 50,
        before: str | None = None,
        recent_since: datetime,
    ) -> list[BatchCounts]:
        with self._db.reading() as connection:
            return job_rows.listed(
                connection, ids, limit=limit, before=before, recent_since=recent_since
            )
