"""Segments as rows: the job state of media, and the claims on it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from indexer.engines.before import before_of
from indexer.engines.checks import claim_lost, given_up
from indexer.engines.embedded import media as media_rows
from indexer.engines.embedded.values import (
    from_blob,
    from_micros,
    marks,
    now_micros,
    to_blob,
    to_micros,
)
from indexer.records import Segment, SegmentCounts, SegmentSpan
from indexer.tracks import without_faces

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from indexer.records import Media, SegmentState


def start(connection: sqlite3.Connection, media: Media, spans: Sequence[SegmentSpan]) -> bool:
    """Begin a media in its state, unless it has begun under the same options; say whether."""
    known = media_rows.get(connection, media.id)
    if (
        known is not None
        and known.state in ("queued", "working")
        and known.options == media.options
    ):
        return False
    kept = media_rows.before(connection, media.id)
    before = before_of(known, of_media(connection, media.id), kept)
    media_rows.put(connection, media, before=before)
    put_all(connection, media.id, [Segment(media.id, span) for span in spans])
    return True


def put_all(connection: sqlite3.Connection, media_id: str, segments: Sequence[Segment]) -> None:
    """Store a media's segments, none of them claimed, in place of those it has."""
    connection.execute("DELETE FROM segments WHERE media_id = ?", (media_id,))
    connection.executemany(
        """INSERT INTO segments (media_id, number, start_s, end_s, state, attempts, error, frames,
             key_frames, faces, decode_errors, left_out, warnings, finished_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            (
                media_id,
                segment.span.number,
                segment.span.start_s,
                segment.span.end_s,
                segment.state,
                segment.attempts,
                None if segment.error is None else to_blob(segment.error),
                *_counts(segment.counts),
                to_micros(segment.finished_at),
            )
            for segment in segments
        ],
    )


def _counts(counts: SegmentCounts) -> tuple[object, ...]:
    return (
        counts.frames,
        counts.key_frames,
        counts.faces,
        counts.decode_errors,
        counts.left_out,
        json.dumps(counts.warnings),
    )


def claim(
    connection: sqlite3.Connection, media_id: str, *, owner: str, lease_s: float, max_attempts: int
) -> Segment | None:
    """Claim the first free segment; those attempted too often become failed on the way."""
    now = now_micros()
    while True:
        row = connection.execute(
            """SELECT number, attempts FROM segments
               WHERE media_id = ?
                 AND (state = 'pending' OR (state = 'claimed' AND lease_until <= ?))
               ORDER BY number LIMIT 1""",
            (media_id, now),
        ).fetchone()
        if row is None:
            return None
        connection.execute(
            "UPDATE media SET state = 'working' WHERE id = ? AND state = 'queued'", (media_id,)
        )
        key = (media_id, row["number"])
        if row["attempts"] < max_attempts:
            connection.execute(
                """UPDATE segments SET state = 'claimed', attempts = attempts + 1, owner = ?,
                     lease_until = ?, error = NULL WHERE media_id = ? AND number = ?""",
                (to_blob(owner), now + _micros(lease_s), *key),
            )
            return _segment(
                connection.execute(
                    "SELECT * FROM segments WHERE media_id = ? AND number = ?", key
                ).fetchone()
            )
        error = given_up(row["attempts"])
        connection.execute(
            """UPDATE segments SET state = 'failed', error = ?, owner = NULL, lease_until = NULL,
                 finished_at = ? WHERE media_id = ? AND number = ?""",
            (to_blob(error), now, *key),
        )


def renew(connection: sqlite3.Connection, segment: Segment, *, lease_s: float) -> None:
    """Prolong a claim. Raises ClaimLost."""
    check_claim(connection, segment)
    connection.execute(
        "UPDATE segments SET lease_until = ? WHERE media_id = ? AND number = ?",
        (now_micros() + _micros(lease_s), segment.media_id, segment.span.number),
    )


def check_claim(connection: sqlite3.Connection, segment: Segment) -> None:
    """Raise ClaimLost unless the claim by which a segment was got still stands."""
    row = connection.execute(
        """SELECT 1 FROM segments WHERE media_id = ? AND number = ? AND start_s = ? AND end_s = ?
             AND state = 'claimed' AND owner = ? AND attempts = ?""",
        (
            segment.media_id,
            segment.span.number,
            segment.span.start_s,
            segment.span.end_s,
            to_blob(segment.owner or ""),
            segment.attempts,
        ),
    ).fetchone()
    if row is None:
        raise claim_lost(segment)


def owners(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return the owners of claimed segments, sorted."""
    rows = connection.execute(
        "SELECT DISTINCT owner FROM segments WHERE state = 'claimed' ORDER BY owner"
    )
    return tuple(from_blob(row["owner"]) for row in rows)


def release(connection: sqlite3.Connection, owner: str, *, forgive: bool) -> int:
    """Make an owner's claimed segments pending again."""
    return connection.execute(
        """UPDATE segments SET state = 'pending', owner = NULL, lease_until = NULL,
             attempts = attempts - ? WHERE state = 'claimed' AND owner = ?""",
        (int(forgive), to_blob(owner)),
    ).rowcount


def drop_tracks(connection: sqlite3.Connection, media_id: str, face_ids: Iterable[str]) -> None:
    """Drop the tracks of faces that are deleted before their media is linked."""
    rows = connection.execute(
        "SELECT number, tracks FROM segments WHERE media_id = ? AND tracks != x''", (media_id,)
    ).fetchall()
    gone = set(face_ids)
    connection.executemany(
        "UPDATE segments SET tracks = ? WHERE media_id = ? AND number = ?",
        [(without_faces(row["tracks"], gone), media_id, row["number"]) for row in rows],
    )


def mark_done(
    connection: sqlite3.Connection, segment: Segment, *, tracks: bytes, counts: SegmentCounts
) -> None:
    """Mark a segment done."""
    connection.execute(
        """UPDATE segments SET state = 'done', owner = NULL, lease_until = NULL, error = NULL,
             tracks = ?, frames = ?, key_frames = ?, faces = ?, decode_errors = ?, left_out = ?,
             warnings = ?, finished_at = ?
           WHERE media_id = ? AND number = ?""",
        (tracks, *_counts(counts), now_micros(), segment.media_id, segment.span.number),
    )


def mark_failed(connection: sqlite3.Connection, segment: Segment, error: str) -> None:
    """Mark a segment failed. Raises ClaimLost."""
    check_claim(connection, segment)
    connection.execute(
        """UPDATE segments SET state = 'failed', owner = NULL, lease_until = NULL, error = ?,
             finished_at = ? WHERE media_id = ? AND number = ?""",
        (to_blob(error), now_micros(), segment.media_id, segment.span.number),
    )


def fail_unfinished(connection: sqlite3.Connection, media_id: str, error: str) -> None:
    """Mark all segments failed that are neither done nor failed, whoever has claimed them."""
    connection.execute(
        """UPDATE segments SET state = 'failed', owner = NULL, lease_until = NULL, error = ?,
             finished_at = ? WHERE media_id = ? AND state IN ('pending', 'claimed')""",
        (to_blob(error), now_micros(), media_id),
    )


def of_media(
    connection: sqlite3.Connection, media_id: str, states: Sequence[SegmentState] = ()
) -> list[Segment]:
    """Return a media's segments in order: in those states, if given."""
    chosen = f"AND state IN ({marks(len(states))})" if states else ""
    rows = connection.execute(
        f"SELECT * FROM segments WHERE media_id = ? {chosen} ORDER BY number", (media_id, *states)
    )
    return [_segment(row) for row in rows]


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _segment(row: sqlite3.Row) -> Segment:
    return Segment(
        media_id=row["media_id"],
        span=SegmentSpan(row["number"], row["start_s"], row["end_s"]),
        state=row["state"],
        attempts=row["attempts"],
        owner=None if row["owner"] is None else from_blob(row["owner"]),
        lease_until=from_micros(row["lease_until"]),
        error=None if row["error"] is None else from_blob(row["error"]),
        counts=SegmentCounts(
            row["frames"],
            row["key_frames"],
            row["faces"],
            row["decode_errors"],
            row["left_out"],
            tuple(json.loads(row["warnings"])),
        ),
        tracks=row["tracks"],
        finished_at=from_micros(row["finished_at"]),
    )
