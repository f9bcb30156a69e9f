"""Resources of the API: their addresses, their documented failures, and looking them up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field

from api.problems import Problem
from api.service import current
from indexer.links import BASE

if TYPE_CHECKING:
    from indexer.records import Face, Media

SECURITY: list[dict[str, list[str]]] = [{"key": []}, {"cookie": []}]
_REFERENCE = {"$ref": "#/components/schemas/ProblemDocument"}
_PROBLEM = {"application/problem+json": {"schema": _REFERENCE}}
JPEG: dict[str, Any] = {
    "description": "JPEG.",
    "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
}


def failures(*statuses: int) -> dict[str | int, Any]:
    """Return the documented failures of a route, with those that every route has."""
    texts = {
        400: "Not understood.",
        401: "A key is needed.",
        403: "Not allowed.",
        404: "Not there.",
        409: "Not now.",
        413: "Too large.",
        415: "Another content type.",
        416: "No such range.",
        421: "Another host.",
        422: "A parameter is not right.",
        429: "Too often.",
        503: "Not possible now.",
        507: "No space is left.",
    }
    always = (400, 401, 403, 421, 422, 429, 503)
    return {
        status: {"description": texts[status], "content": _PROBLEM}
        for status in sorted({*always, *statuses})
    }


def blueprint(name: str, description: str) -> APIBlueprint:
    """Make the blueprint of a resource."""
    return APIBlueprint(
        name,
        __name__,
        url_prefix=BASE,
        abp_tags=[Tag(name=name, description=description)],
        abp_security=SECURITY,
    )


class MediaPath(BaseModel):
    """A media's address."""

    model_config = ConfigDict(extra="forbid")
    media_id: str = Field(max_length=200)


class FacePath(BaseModel):
    """A face's address."""

    model_config = ConfigDict(extra="forbid")
    face_id: str = Field(max_length=200)


class NoQuery(BaseModel):
    """No parameters at all; any is refused."""

    model_config = ConfigDict(extra="forbid")


class SignedQuery(NoQuery):
    """What a signed path brings along."""

    signature: str | None = Field(None, max_length=200, description="Opens the path without a key.")


def media_of(path: MediaPath) -> Media:
    """Return a media. Raises Problem `media_not_found`."""
    media = current().index.get_media(path.media_id)
    if media is None:
        raise Problem("media_not_found", "No photo or video in the index has this id.")
    return media


def face_of(path: FacePath) -> Face:
    """Return a face with its embedding. Raises Problem `face_not_found`."""
    face = current().index.get_face(path.face_id)
    if face is None:
        raise Problem("face_not_found", "No face in the index has this id.")
    return face
