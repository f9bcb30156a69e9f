"""Photos and videos: list, look at, fetch, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response
from pydantic import ConfigDict, Field

from api.documents import deleted_answer, face_answer, media_answer
from api.files import file_response
from api.filters import MediaFilters, media_filters
from api.frames import FrameQuery, frame_response
from api.paging import PageQuery, page
from api.problems import Problem
from api.routes.resources import (
    JPEG,
    MediaPath,
    SignedQuery,
    blueprint,
    failures,
    media_of,
)
from api.schemas import DeletedAnswer, FacePage, MediaDetailAnswer, MediaPage, State
from api.security.access import needs
from api.service import current
from api.uploads import delete_uploads
from indexer.documents import segment_document
from indexer.errors import PurgeUnfinished
from indexer.records import Filters

if TYPE_CHECKING:
    from indexer.records import Face, Media

api = blueprint("media", "Photos and videos")
_FILE: dict[str, Any] = {
    "description": "The file, or a part of it.",
    "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
}


class MediaQuery(PageQuery, MediaFilters):
    """Which media are listed."""

    model_config = ConfigDict(extra="forbid")
    state: list[State] = Field([], max_length=4, description="In one of these states.")


class MediaFrameQuery(FrameQuery, SignedQuery):
    """Which frame of a video."""

    timestamp_s: float = Field(0.0, ge=0, le=1e7, allow_inf_nan=False)


@api.get("/media", responses={200: MediaPage, **failures()})
@needs("search")
def list_media(query: MediaQuery) -> dict[str, Any]:
    """List photos and videos, in order of path."""
    found = current().index.iter_media(
        media_filters(query), states=tuple(query.state), after=query.after(str, str)
    )
    items, cursor = page(found, query, _media_key)
    return {"items": [media_answer(media) for media in items], "next_cursor": cursor}


@api.get("/media/<media_id>", responses={200: MediaDetailAnswer, **failures(404)})
@needs("search")
def get_media(path: MediaPath) -> dict[str, Any]:
    """Show a photo or video, and how far its segments are."""
    media = media_of(path)
    segments = current().index.list_segments(media.id)
    return {**media_answer(media), "segments": [segment_document(each) for each in segments]}


@api.get("/media/<media_id>/faces", responses={200: FacePage, **failures(404)})
@needs("search")
def list_faces(path: MediaPath, query: PageQuery) -> dict[str, Any]:
    """List the faces of a photo or video, in order of time."""
    media = media_of(path)
    faces = current().index.iter_faces(Filters(media_ids=(media.id,)))
    items, cursor = page(faces, query, _face_key)
    return {"items": [face_answer(face) for face in items], "next_cursor": cursor}


@api.get("/media/<media_id>/file", responses={200: _FILE, 206: _FILE, **failures(404, 416)})
@needs("search")
def get_file(path: MediaPath) -> Response:
    """Fetch the file itself; ranges of bytes are served, for players."""
    return file_response(media_of(path))


@api.get("/media/<media_id>/frame", responses={200: JPEG, **failures(404)})
@needs("search", signed=True)
def get_frame(path: MediaPath, query: MediaFrameQuery) -> Response:
    """Show a video's frame at a time, or a photo, as JPEG: for what browsers cannot play."""
    return frame_response(media_of(path), query.timestamp_s, query)


@api.delete("/media/<media_id>", responses={200: DeletedAnswer, **failures(404, 507)})
@needs("admin")
def delete_media(path: MediaPath) -> dict[str, Any]:
    """Delete all that is held of a photo or video for good; of files, only uploads."""
    media = media_of(path)
    try:
        deleted = current().index.delete_media([media.id])
    except PurgeUnfinished:
        delete_uploads([media])
        raise
    if not deleted.media:
        raise Problem("media_not_found", "Somebody else has just deleted it.")
    return deleted_answer(deleted, delete_uploads([media]))


def _media_key(media: Media) -> tuple[str, str]:
    return media.path, media.id


def _face_key(face: Face) -> tuple[str, float, str]:
    return face.media_id, face.timestamp_s, face.id
