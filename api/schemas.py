"""What the service answers about media, faces and people, as OpenAPI shows it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

Kind = Literal["photo", "video"]
State = Literal["queued", "working", "done", "failed"]
BOX = "x1, y1, x2, y2 in pixels of the picture as shown."


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str


class ProblemDocument(BaseModel):
    """What went wrong (RFC 9457); `code` is stable."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldError] = []


class HealthAnswer(BaseModel):
    """The service lives."""

    status: Literal["ok"]


class ReadyAnswer(BaseModel):
    """Whether the service can work."""

    status: Literal["ok", "failed"]
    checks: dict[str, Literal["ok", "failed"]]


class SegmentAnswer(BaseModel):
    """A part of a media, and how far it is."""

    number: int
    state: Literal["pending", "claimed", "done", "failed"]
    attempts: int
    error: str | None
    frames: int
    key_frames: int
    faces: int
    decode_errors: int
    left_out: int
    warnings: list[str]


class MediaAnswer(BaseModel):
    """A photo or video."""

    id: str
    path: str
    paths: list[str]
    kind: Kind
    state: State
    error: str | None
    warnings: list[str]
    width: int
    height: int
    duration_s: float | None
    recorded_at: str | None
    size_bytes: int
    content_type: str | None = Field(description="Of the file; null if no file is there.")
    url: str
    file_url: str
    faces_url: str


class MediaDetailAnswer(MediaAnswer):
    """A photo or video with its segments."""

    segments: list[SegmentAnswer]


class MediaPage(BaseModel):
    """A page of media."""

    items: list[MediaAnswer]
    next_cursor: str | None


class AppearanceAnswer(BaseModel):
    """An unbroken run of one person in a video."""

    id: str
    start_s: float | None
    end_s: float | None


class FaceAnswer(BaseModel):
    """A stored face."""

    face_id: str
    media_id: str
    timestamp_s: float
    box: list[float] = Field(description=BOX)
    probability: float
    face_px: float
    sharpness: float
    person: str | None
    appearance: AppearanceAnswer | None
    frame_width: int
    frame_height: int
    url: str
    thumbnail_url: str
    frame_url: str
    media_url: str


class FacePage(BaseModel):
    """A page of faces."""

    items: list[FaceAnswer]
    next_cursor: str | None


class NamedAnswer(FaceAnswer):
    """A face after it was named or unnamed."""

    changed: int = Field(description="How many labels were given or taken back.")


class PersonAnswer(BaseModel):
    """A name, and how many faces and media carry it."""

    name: str
    faces: int
    media: int
    thumbnail_url: str | None


class PersonPage(BaseModel):
    """A page of people."""

    items: list[PersonAnswer]
    next_cursor: str | None


class RenamedAnswer(BaseModel):
    """How many faces were renamed."""

    renamed: int


class DeletedAnswer(BaseModel):
    """How much was deleted for good; `still_in`: snapshots that hold it all the same."""

    media: int
    faces: int
    labels: int
    files: int = Field(0, description="Uploads deleted from disk.")
    still_in: list[str]


class ForgottenAnswer(DeletedAnswer):
    """What forgetting a person deleted."""

    alike_left: int = Field(description="Unnamed faces with the verdict `same person` that stay.")


class SessionAnswer(BaseModel):
    """Who the browser is, and what it may do."""

    key_needed: bool
    signed_in: bool
    name: str | None
    scopes: list[Literal["search", "ingest", "admin"]]
    paths: bool = Field(description="Whether files of the server may be added by their paths.")
