"""Stored faces: look at, name; and the faces of photos that are not stored."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field

from api.bodies import MULTIPART, documented, read_body
from api.documents import face_answer
from api.filters import Name
from api.frames import FrameQuery, frame_response
from api.photo_queries import PhotosBody, faces_of_uploads, photo_answers
from api.problems import Problem
from api.routes.resources import JPEG, FacePath, SignedQuery, blueprint, face_of, failures
from api.schemas import FaceAnswer, NamedAnswer
from api.search_schemas import DetectAnswer
from api.security.access import needs
from api.service import current
from indexer.known import require_name
from indexer.naming import name_faces, unname_face

api = blueprint("faces", "Faces")


class FaceFrameQuery(FrameQuery, SignedQuery):
    """How the frame of a face is shown."""

    model_config = ConfigDict(extra="forbid")
    box: bool = Field(False, description="Draw the face's box.")


class NamingBody(BaseModel):
    """What a face is to be named; null takes its name back."""

    model_config = ConfigDict(extra="forbid")
    person: Name | None


@api.get("/faces/<face_id>", responses={200: FaceAnswer, **failures(404)})
@needs("search")
def get_face(path: FacePath) -> dict[str, Any]:
    """Show what is known of a face."""
    return face_answer(face_of(path))


@api.get("/faces/<face_id>/thumbnail", responses={200: JPEG, **failures(404)})
@needs("search", signed=True)
def get_thumbnail(path: FacePath, query: SignedQuery) -> Response:  # noqa: ARG001
    """Show a face's picture."""
    jpeg = current().index.thumbnail(path.face_id)
    if jpeg is None:
        raise Problem("face_not_found", "No face in the index has this id.")
    response = Response(jpeg, mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


@api.get("/faces/<face_id>/frame", responses={200: JPEG, **failures(404)})
@needs("search", signed=True)
def get_frame(path: FacePath, query: FaceFrameQuery) -> Response:
    """Show the frame, or the photo, in which a face was found, decoded from the media."""
    face = face_of(path)
    media = current().index.get_media(face.media_id)
    if media is None:
        raise Problem("media_not_found", "Somebody has just deleted it.")
    box = face.box_xyxy if query.box else None
    return frame_response(media, face.timestamp_s, query, box)


@api.patch(
    "/faces/<face_id>",
    responses={200: NamedAnswer, **failures(404, 415, 507)},
    openapi_extensions=documented(json=NamingBody),
)
@needs("admin")
def name_face(path: FacePath) -> dict[str, Any]:
    """Name a face, and with it its whole appearance, or take its name back."""
    body = read_body(NamingBody)
    face, index = face_of(path), current().index
    if body.person is None:
        changed = unname_face(index, face.id)
    else:
        require_name(body.person)
        changed = name_faces(index, body.person, [face.id])
    return {**face_answer(face_of(path)), "changed": changed}


@api.post(
    "/faces/detect",
    responses={200: DetectAnswer, **failures(409, 413, 415, 507)},
    openapi_extensions=documented(multipart=PhotosBody),
)
@needs("search")
def detect_faces() -> dict[str, Any]:
    """Find the faces of photos, so that one can be chosen to search for; nothing is stored."""
    if request.mimetype != MULTIPART:
        raise Problem("content_type", f"The body must be {MULTIPART}.")
    read_body(PhotosBody, forms=True)
    with current().turns.taken(), faces_of_uploads(request.files) as photos:
        return {"photos": photo_answers(photos)}
