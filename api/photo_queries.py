"""Uploaded photos -> faces: kept in a file of their own for as long as they are looked at."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask_openapi3 import FileStorage
from pydantic import BaseModel, ConfigDict, Field

from api.content import content_type
from api.problems import Problem
from api.service import current
from indexer.errors import NoFace
from indexer.query import PictureQueries, largest
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from werkzeug.datastructures import FileStorage as Upload
    from werkzeug.datastructures import MultiDict

    from indexer.damage import Damage
    from indexer.records import Face, Frame, Media
    from indexer.settings_api import ApiSettings

FIELD = "photo"
_NAME_CHARACTERS = 200


class PhotosBody(BaseModel):
    """Photos whose faces are wanted."""

    model_config = ConfigDict(extra="forbid")
    photo: list[FileStorage] = Field([], description="One or more photos.")


class VideoMet(Exception):
    """An upload is a video; media says which, path where it lies."""

    def __init__(self, media: Media, path: Path, name: str) -> None:
        super().__init__(name)
        self.media, self.path, self.name = media, path, name


@dataclass(frozen=True)
class UploadedPhoto:
    """A photo that was sent, with its faces from left to right."""

    name: str
    width: int
    height: int
    faces: Sequence[Face] = field(repr=False)


@contextmanager
def saved_uploads(files: MultiDict[str, Upload]) -> Iterator[list[tuple[str, Path]]]:
    """Save uploads; give name and path of each, and delete them afterwards if they still lie there.

    Raises Problem for other fields than `photo`, for none, and for too many or too large ones.
    """
    service = current()
    limits = service.settings.api
    uploads = files.getlist(FIELD)
    if unknown := sorted(set(files) - {FIELD}):
        raise Problem("invalid", f"{shown(unknown[0])}: there is no such file field; use {FIELD}.")
    if not uploads:
        raise Problem("invalid", f"{FIELD}: at least one file is needed.")
    if len(uploads) > limits.max_query_photos:
        raise Problem("invalid", f"{FIELD}: at most {limits.max_query_photos} are taken at once.")
    saved: list[tuple[str, Path]] = []
    try:
        for upload in uploads:
            path = service.queries.folder / secrets.token_hex(16)
            saved.append((upload_name(upload.filename), path))
            upload.save(path)
            path.chmod(0o600)
        yield saved
    finally:
        for _, path in saved:
            path.unlink(missing_ok=True)


def upload_name(given: str | None) -> str:
    """Return the last part of a name that an upload came with, for people to read."""
    last = os.path.basename((given or "").replace("\\", "/"))  # noqa: PTH119  # a text, no path here
    return shown(last)[:_NAME_CHARACTERS] or "photo"


@contextmanager
def faces_of_uploads(
    files: MultiDict[str, Upload], *, required: bool = False
) -> Iterator[list[UploadedPhoto]]:
    """Find the faces of uploaded photos. They are deleted afterwards.

    required: a photo without a face raises NoFace. Raises Problem, MediaError, and VideoMet for an
    upload that is a video.
    """
    current().require_model()
    with saved_uploads(files) as saved:
        yield [_photo(path, name, required=required) for name, path in saved]


def photo_answers(photos: Sequence[UploadedPhoto]) -> list[dict[str, Any]]:
    """Return photos with their faces; see `search_schemas.PhotoFaces`."""
    return [
        {
            "name": photo.name,
            "width": photo.width,
            "height": photo.height,
            "faces": [
                {
                    "number": number,
                    "box": list(face.box_xyxy),
                    "probability": face.probability,
                    "face_px": face.face_px,
                    "largest": number - 1 == largest(photo.faces),
                }
                for number, face in enumerate(photo.faces, 1)
            ],
        }
        for photo in photos
    ]


def _photo(path: Path, name: str, *, required: bool) -> UploadedPhoto:
    service = current()
    limits = service.settings.api
    _require_size(path, name, limits)
    with (
        service.metrics.stage("decode"),
        service.decoders.opened(path, name=name, max_pixels=limits.max_query_pixels) as opened,
    ):
        media, source = opened
        if media.kind == "video":
            raise VideoMet(media, path, name)
        if media.size_bytes > limits.max_query_bytes:
            raise _too_large(name, limits.max_query_bytes)
        frames = list(source.frames())
        held = _HeldPhoto(frames, source.timestamps_s, source.warnings(), source.damage(0.0, 1.0))
    model = service.index.model
    assert model is not None
    queries = PictureQueries(
        service.index,
        service.settings,
        networks=service.networks.load(model),
        opened=lambda _: nullcontext((media, held)),
        called=lambda _: name,
    )
    with service.metrics.stage("faces"):
        try:
            faces = queries.faces(path)
        except NoFace:
            if required:
                raise
            faces = []
    return UploadedPhoto(name, media.width, media.height, faces)


def _require_size(path: Path, name: str, limits: ApiSettings) -> None:
    """Raise Problem for a file that is too large, before anything is decoded of it."""
    size = path.stat().st_size
    is_photo = (content_type(path) or "").startswith("image/")
    most = limits.max_query_bytes if is_photo else limits.max_query_video_bytes
    if size > max(most, limits.max_query_bytes):
        raise _too_large(name, most)


def _too_large(name: str, most_bytes: int) -> Problem:
    return Problem("too_large", f"{name} is larger than the {most_bytes} bytes allowed.")


@dataclass(eq=False)
class _HeldPhoto:
    """A decoded photo; see `indexer.sources.Source`."""

    held: list[Frame]
    timestamps_s: np.ndarray
    warned: tuple[str, ...]
    damaged: Damage
    decode_errors: int = 0

    def frames(self, start_s: float = 0.0, end_s: float = float("inf")) -> Iterator[Frame]:
        return (frame for frame in self.held if start_s <= frame.timestamp_s < end_s)

    def warnings(self) -> tuple[str, ...]:
        return self.warned

    def damage(self, start_s: float, end_s: float) -> Damage:  # noqa: ARG002
        return self.damaged
