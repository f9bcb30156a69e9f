"""Batches of media as rows: counting them, and cancelling their work."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from indexer.engines.before import unpack
from indexer.engines.embedded import media as media_rows
from indexer.engines.embedded import segments as segment_rows
from indexer.engines.embedded.filters import Conditions
from indexer.engines.embedded.values import batches, from_micros, marks, to_micros
from indexer.engines.jobs import CANCELLED
from indexer.job_records import BatchCounts, Cancelled
from indexer.records import Deleted

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from datetime import datetime


def never_finished(connection: sqlite3.Connection, media_ids: Sequence[str]) -> list[str]:
    """Return those media that are in progress for the first time: cancelling them removes them."""
    found = _in_progress(connection, media_ids)
    return [media_id for media_id in found if media_rows.before(connection, media_id) is None]


def cancel(
    connection: sqlite3.Connection, media_ids: Sequence[str], removable: Sequence[str]
) -> Cancelled:
    """Cancel the work on media; of those never finished only the ones that are `removable`."""
    removed, restored, cut_short = [], [], []
    for media_id in _in_progress(connection, media_ids):
        kept = media_rows.before(connection, media_id)
        media = media_rows.get_many(connection, [media_id])[media_id]
        segments = segment_rows.of_media(connection, media_id)
        before = None if kept is None else unpack(kept, segments)
        if before is None:
            removed += [media_id] if media_id in removable else []
        elif before.intact:
            media_rows.put_back(connection, before.restored(media))
            segment_rows.put_all(connection, media_id, before.segments)
            restored.append(media_id)
        else:
            segment_rows.fail_unfinished(connection, media_id, CANCELLED)
            cut_short.append(media_id)
    deleted = media_rows.delete(connection, removed) if removed else Deleted()
    return Cancelled(tuple(removed), tuple(restored), tuple(cut_short), deleted)


def _in_progress(connection: sqlite3.Connection, media_ids: Sequence[str]) -> list[str]:
    found: list[str] = []
    for part in batches(list(dict.fromkeys(media_ids))):
        rows = connection.execute(
            f"""SELECT id FROM media WHERE state IN ('queued', 'working')
                AND id IN ({marks(len(part))}) ORDER BY id""",
            part,
        )
        found += [row["id"] for row in rows]
    return found


def listed(
    connection: sqlite3.Connection,
    ids: Sequence[str],
    *,
    limit: int,
    before: str | None,
    recent_since: datetime,
) -> list[BatchCounts]:
    """Return batches in descending order of id."""
    conditions = Conditions(["batch IS NOT NULL"])
    conditions.add_list("batch", ids)
    if before is not None:
        conditions.add("batch < ?", before)
    rows = connection.execute(
        f"""SELECT batch, min(queued_at) AS queued_at FROM media {conditions.where}
            GROUP BY batch ORDER BY batch DESC LIMIT ?""",
        (*conditions.values, -1 if ids else limit),
    ).fetchall()
    return [
        _counts(connection, row["batch"], row["queued_at"], to_micros(recent_since)) for row in rows
    ]


def _counts(
    connection: sqlite3.Connection, batch: str, queued_at: int, recent_since: int | None
) -> BatchCounts:
    media = connection.execute(
        "SELECT state, count(*) FROM media WHERE batch = ? GROUP BY state", (batch,)
    ).fetchall()
    segments = connection.execute(
        """SELECT segments.state, count(*), coalesce(sum(finished_at >= ?), 0) FROM segments
           JOIN media ON media.id = segments.media_id WHERE batch = ? GROUP BY segments.state""",
        (recent_since, batch),
    ).fetchall()
    return BatchCounts(
        batch,
        cast("datetime", from_micros(queued_at)),
        {row[0]: row[1] for row in media},
        {row[0]: row[1] for row in segments},
        recent=sum(row[2] for row in segments),
    )
