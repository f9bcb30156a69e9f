"""The core's documents with what a browser needs beside them: addresses and content types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.content import content_type
from api.service import current
from indexer.documents import face_document, media_document, search_document
from indexer.links import face_path, media_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.query import Query
    from indexer.records import Deleted, Face, Media
    from indexer.results import Result


def media_answer(media: Media) -> dict[str, Any]:
    """Return a media; see `schemas.MediaAnswer`."""
    return {
        **media_document(media),
        "size_bytes": media.size_bytes,
        "content_type": content_type(media.path) if media.paths else None,
        "url": media_path(media.id),
        "file_url": f"{media_path(media.id)}/file",
        "faces_url": f"{media_path(media.id)}/faces",
    }


def face_answer(face: Face) -> dict[str, Any]:
    """Return a face; see `schemas.FaceAnswer`."""
    return {
        **face_document(face),
        "frame_width": face.frame_width,
        "frame_height": face.frame_height,
        "url": face_path(face.id),
        **current().signer.links.of_face(face.id),
        "media_url": media_path(face.media_id),
    }


def list_answer(query: Query, results: Sequence[Result]) -> dict[str, Any]:
    """Return a query with its results; see `search_schemas.ResultList`."""
    document = search_document(query, results)
    links = current().signer.links
    for result, answer in zip(results, document["results"], strict=True):
        answer["appearances"] = [
            {**span, **links.of_face(span["face_id"])} for span in answer["appearances"]
        ]
        answer |= {
            "duration_s": result.media.duration_s,
            "content_type": content_type(result.media.path) if result.media.paths else None,
            "media_url": media_path(result.media.id),
            "file_url": f"{media_path(result.media.id)}/file",
            **links.of_face(result.best.face.id),
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


def thumbnail_url(face_id: str) -> str:
    """Return the signed path of a face's picture."""
    return current().signer.links.of_face(face_id)["thumbnail_url"]
