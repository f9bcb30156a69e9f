"""The core's documents with what a browser needs beside them: addresses and content types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from api.content import content_type
from api.service import current
from indexer.documents import face_document, media_document, search_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.query import Query
    from indexer.records import Deleted, Face, Media
    from indexer.results import Result

BASE = "/api/v1"


def media_answer(media: Media) -> dict[str, Any]:
    """Return a media; see `schemas.MediaAnswer`."""
    return {
        **media_document(media),
        "size_bytes": media.size_bytes,
        "content_type": content_type(media.path) if media.paths else None,
        "url": media_url(media.id),
        "file_url": f"{media_url(media.id)}/file",
        "faces_url": f"{media_url(media.id)}/faces",
    }


def face_answer(face: Face) -> dict[str, Any]:
    """Return a face; see `schemas.FaceAnswer`."""
    return {
        **face_document(face),
        "frame_width": face.frame_width,
        "frame_height": face.frame_height,
        "url": face_url(face.id),
        "thumbnail_url": thumbnail_url(face.id),
        "frame_url": frame_url(face.id),
        "media_url": media_url(face.media_id),
    }


def list_answer(query: Query, results: Sequence[Result]) -> dict[str, Any]:
    """Return a query with its results; see `search_schemas.ResultList`."""
    document = search_document(query, results)
    for result, answer in zip(results, document["results"], strict=True):
        face = result.best.face
        answer |= {
            "duration_s": result.media.duration_s,
            "content_type": content_type(result.media.path) if result.media.paths else None,
            "media_url": media_url(result.media.id),
            "file_url": f"{media_url(result.media.id)}/file",
            "thumbnail_url": thumbnail_url(face.id),
            "frame_url": frame_url(face.id),
        }
    return document


def deleted_answer(deleted: Deleted, files: int = 0) -> dict[str, Any]:
    """Return how much was deleted; see `schemas.DeletedAnswer`."""
    return {
        "media": deleted.media,
        "faces": deleted.faces,
        "labels": deleted.labels,
        "files": files,
        "still_in": list(deleted.still_in),
    }


def media_url(media_id: str) -> str:
    """Return a media's address."""
    return f"{BASE}/media/{quote(media_id, safe='')}"


def face_url(face_id: str) -> str:
    """Return a face's address."""
    return f"{BASE}/faces/{quote(face_id, safe='')}"


def thumbnail_url(face_id: str) -> str:
    """Return the signed address of a face's picture."""
    return current().signer.signed(f"{face_url(face_id)}/thumbnail")


def frame_url(face_id: str) -> str:
    """Return the signed address of the frame that shows a face."""
    return current().signer.signed(f"{face_url(face_id)}/frame")
