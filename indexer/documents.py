"""Media, faces and results as documents: what `--json` prints and the service answers.

Their shape is stable; the README describes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.query import Query
    from indexer.records import Face, Media, Segment
    from indexer.results import Result


def media_document(media: Media) -> dict[str, Any]:
    """Return a media with its state."""
    return {
        "id": media.id,
        "path": media.path,
        "paths": list(media.paths),
        "kind": media.kind,
        "state": media.state,
        "error": media.error,
        "warnings": list(media.warnings),
        "width": media.width,
        "height": media.height,
        "duration_s": media.duration_s,
        "recorded_at": media.recorded_at.isoformat() if media.recorded_at else None,
    }


def segment_document(segment: Segment) -> dict[str, Any]:
    """Return a segment's state and what working on it met."""
    return {
        "number": segment.span.number,
        "state": segment.state,
        "attempts": segment.attempts,
        "error": segment.error,
        **vars(segment.counts),
    }


def result_document(result: Result) -> dict[str, Any]:
    """Return one result."""
    face = result.best.face
    return {
        "media": {
            "id": result.media.id,
            "path": result.media.path,
            "kind": result.media.kind,
            "state": result.media.state,
        },
        "score": result.score,
        "verdict": result.verdict,
        "best": {
            "timestamp_s": face.timestamp_s,
            "box": list(face.box_xyxy),
            "face_id": face.id,
            "euclidean": result.best.euclidean,
        },
        "appearances": [vars(span) for span in result.appearances],
        "person": result.person,
    }


def search_document(query: Query, results: Sequence[Result]) -> dict[str, Any]:
    """Return a query and its results."""
    return {
        "query": {
            "description": query.description,
            "face": query.number,
            "box": list(query.box_xyxy) if query.box_xyxy else None,
        },
        "results": [result_document(result) for result in results],
    }


def face_document(face: Face) -> dict[str, Any]:
    """Return a stored face without its embedding."""
    return {
        "face_id": face.id,
        "media_id": face.media_id,
        "timestamp_s": face.timestamp_s,
        "box": list(face.box_xyxy),
        "probability": face.probability,
        "face_px": face.face_px,
        "sharpness": face.sharpness,
        "person": face.person,
        "appearance": None
        if face.appearance_id is None
        else {
            "id": face.appearance_id,
            "start_s": face.appearance_start_s,
            "end_s": face.appearance_end_s,
        },
    }
