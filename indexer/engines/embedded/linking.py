"""What happens when a segment, and then a whole media, is finished."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from indexer.appearances import plan_links
from indexer.engines.checks import check_faces_fit, check_models
from indexer.engines.embedded import faces as face_rows
from indexer.engines.embedded import labels as label_rows
from indexer.engines.embedded import media as media_rows
from indexer.engines.embedded import segments as segment_rows
from indexer.engines.embedded import versions
from indexer.engines.embedded.values import now_micros, to_blob
from indexer.errors import NotFound

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from indexer.appearances import LinkPlan
    from indexer.records import Face, Media, Segment, SegmentCounts
    from indexer.settings import AppearanceSettings


def finish_segment(
    connection: sqlite3.Connection,
    segment: Segment,
    faces: Sequence[Face],
    *,
    tracks: bytes,
    counts: SegmentCounts,
) -> None:
    """Replace the faces within a segment's span and mark it done."""
    segment_rows.check_claim(connection, segment)
    version = versions.live(connection)
    check_models(None if version is None else version.model, faces)
    check_faces_fit(segment, faces)
    span = segment.span
    face_rows.delete_within(connection, segment.media_id, span.start_s, span.end_s)
    if version is not None:
        face_rows.insert(
            connection, faces, version=version.number, dimensions=version.model.dimensions
        )
    label_rows.name_faces(connection, segment.media_id)
    segment_rows.mark_done(connection, segment, tracks=tracks, counts=counts)


def link_appearances(
    connection: sqlite3.Connection,
    media_id: str,
    settings: AppearanceSettings,
    warnings: Sequence[str],
) -> Media:
    """Link a media whose segments are all finished, once; return the media as it is then."""
    media = media_rows.get(connection, media_id)
    if media is None:
        raise NotFound(f"There is no media {media_id} in the index.")
    segments = segment_rows.of_media(connection, media_id)
    unfinished = any(segment.state in ("pending", "claimed") for segment in segments)
    if media.state not in ("queued", "working") or unfinished:
        return media
    version = versions.live(connection)
    faces = face_rows.of_media(
        connection, media_id, version=None if version is None else version.number
    )
    labels = label_rows.listed(connection, [media_id])
    _apply(connection, plan_links(segments, faces, labels, settings))
    label_rows.name_faces(connection, media_id)
    connection.execute("UPDATE segments SET tracks = x'' WHERE media_id = ?", (media_id,))
    errors = [segment.error or "" for segment in segments if segment.state == "failed"]
    connection.execute(
        """UPDATE media SET state = ?, error = ?, warnings = ?, indexed_at = ?, before = NULL
           WHERE id = ?""",
        (
            "failed" if errors else "done",
            to_blob(errors[0]) if errors else None,
            json.dumps(list(warnings)),
            now_micros(),
            media_id,
        ),
    )
    return media_rows.get_many(connection, [media_id])[media_id]


def _apply(connection: sqlite3.Connection, plan: LinkPlan) -> None:
    face_rows.delete(connection, plan.surplus)
    connection.executemany(
        """UPDATE faces SET appearance_id = ?, appearance_start_s = ?, appearance_end_s = ?
           WHERE id = ?""",
        [
            (None, None, None, face_id)
            if appearance is None
            else (appearance.id, float(appearance.start_s), float(appearance.end_s), face_id)
            for face_id, appearance in plan.appearances.items()
        ],
    )
