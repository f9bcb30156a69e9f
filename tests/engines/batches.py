"""A video that is queued in batches, and what an index holds of it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from indexer.records import SegmentCounts, SegmentSpan
from tests.engines.builders import (
    MODEL,
    axis,
    claim,
    link,
    make_face,
    make_label,
    put_path,
    video,
)

if TYPE_CHECKING:
    from indexer.engines.base import Index
    from indexer.job_records import BatchCounts
    from indexer.records import Media

MINUTES = (SegmentSpan(0, 0.0, 60.0), SegmentSpan(1, 60.0, 120.0))
VIDEO = video("v")
LONG_AGO = datetime(2000, 1, 1, tzinfo=timezone.utc)
FIRST, SECOND = "20240501T120000-1", "20240501T120000-2"


def stored(index: Index, media: Media) -> Media:
    found = index.get_media(media.id)
    assert found is not None
    return found


def counts(index: Index, batch: str) -> BatchCounts:
    (found,) = index.list_batches([batch], recent_since=LONG_AGO)
    return found


def everything(index: Index) -> list[Any]:
    """All that an index holds of media, their segments, files, faces and labels."""
    media = list(index.iter_media())
    faces = [(face, face.vector.tobytes()) for face in index.iter_faces(embeddings=True)]
    segments = [index.list_segments(each.id) for each in media]
    return [media, segments, list(index.iter_files()), faces, index.list_labels()]


def done_video(index: Index) -> list[Any]:
    """Index a labelled video of two segments in a batch; return what the index holds then."""
    put_path(index, VIDEO, "/v.mp4")
    index.adopt_model(MODEL)
    index.queue_media(VIDEO, MINUTES, batch=FIRST)
    for number in (0, 1):
        face = make_face(VIDEO, axis(number), at_s=60.0 * number + 1, segment=number)
        counts = SegmentCounts(1500, 30, 1, 2, 3, ("the file ends early \udcff",))
        index.finish_segment(claim(index, VIDEO), [face], tracks=b"", counts=counts)
    index.label([make_label(face, "Ann")])
    link(index, VIDEO)
    return everything(index)
