"""What the service answers, as OpenAPI shows it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

Kind = Literal["photo", "video"]
State = Literal["queued", "working", "done", "failed"]
Verdict = Literal["same person", "possible", "different"]
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


class QueryAnswer(BaseModel):
    """What was searched for."""

    description: str
    face: int | None = Field(description="Number of the face in its photo, from 1 at the left.")
    box: list[float] | None = Field(description=BOX)


class ResultMedia(BaseModel):
    """The media of a result."""

    id: str
    path: str
    kind: Kind
    state: State


class BestAnswer(BaseModel):
    """The best face of a result."""

    timestamp_s: float
    box: list[float] = Field(description=BOX)
    face_id: str
    euclidean: float


class SpanAnswer(BaseModel):
    """When the person is seen."""

    start_s: float
    end_s: float
    score: float


class ResultAnswer(BaseModel):
    """A photo or video in which the person appears."""

    media: ResultMedia
    score: float = Field(description="Cosine of the two embeddings; no percentage.")
    verdict: Verdict | None
    best: BestAnswer
    appearances: list[SpanAnswer]
    person: str | None
    duration_s: float | None
    content_type: str | None
    media_url: str
    file_url: str
    thumbnail_url: str
    frame_url: str


class ResultList(BaseModel):
    """One query and what was found, best first."""

    query: QueryAnswer
    results: list[ResultAnswer]


class PhotoFace(BaseModel):
    """A face that a photo shows; `number` is what `face` takes."""

    number: int
    box: list[float] = Field(description=BOX)
    probability: float
    face_px: float
    largest: bool


class PhotoFaces(BaseModel):
    """A photo that was sent, and its faces from left to right."""

    name: str
    width: int
    height: int
    faces: list[PhotoFace]


class SearchAnswer(BaseModel):
    """What a search found: one list, or with `face=all` one for each face of the photo."""

    lists: list[ResultList]
    photos: list[PhotoFaces]


class DetectAnswer(BaseModel):
    """The faces of photos."""

    photos: list[PhotoFaces]


class VideoSearchAnswer(BaseModel):
    """A search for the people of a video: a job, since a video takes a while."""

    id: str
    state: Literal["queued", "working", "done", "failed"]
    name: str
    reached_s: float
    duration_s: float | None
    url: str
    lists: list[ResultList] | None
    error: dict[str, Any] | None = Field(description="A problem document, if it failed.")


class EnqueuedAnswer(BaseModel):
    """What became of photos and videos that were to be indexed."""

    batch: str = Field(description="The job's id.")
    url: str
    queued: list[MediaAnswer]
    skipped: list[MediaAnswer] = Field(description="Done already.")
    under_way: list[MediaAnswer] = Field(description="Queued or being worked on already.")
    failed: list[str] = Field(description="What cannot be used, in words.")


class ProgressAnswer(BaseModel):
    """How far something is, in segments: a photo is one, a video one for each minute."""

    total: int
    done: int = Field(description="Finished, the failed ones included.")
    failed: int
    working: int
    rate_per_s: float
    eta_s: float | None


class MediaCounts(BaseModel):
    """How many photos and videos are in each state."""

    queued: int
    working: int
    done: int
    failed: int


class JobAnswer(BaseModel):
    """What was queued together."""

    id: str
    state: State
    queued_at: str
    media: MediaCounts
    segments: ProgressAnswer
    url: str
    media_url: str


class JobPage(BaseModel):
    """A page of jobs."""

    items: list[JobAnswer]
    next_cursor: str | None


class JobMediaAnswer(MediaAnswer):
    """A photo or video of a job."""

    segments: ProgressAnswer | None


class JobMediaPage(BaseModel):
    """A page of a job's media."""

    items: list[JobMediaAnswer]
    next_cursor: str | None


class CancelledAnswer(BaseModel):
    """Media ids by what became of them when their work was cancelled."""

    removed: list[str] = Field(description="Never done before: deleted, uploads from disk, too.")
    restored: list[str] = Field(description="As they were before they were queued.")
    cut_short: list[str] = Field(description="Failed now, part old and part new.")
    untouched: list[str] = Field(description="Not queued or being worked on.")
    deleted: DeletedAnswer


class SessionAnswer(BaseModel):
    """Who the browser is, and what it may do."""

    key_needed: bool
    signed_in: bool
    name: str | None
    scopes: list[Literal["search", "ingest", "admin"]]
