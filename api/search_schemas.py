"""What searches answer, as OpenAPI shows it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from api.schemas import BOX, Kind, State

Verdict = Literal["same person", "possible", "different"]


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
    """When the person is seen; `timestamp_s`, `face_id` and the pictures are of its best face."""

    start_s: float
    end_s: float
    score: float
    verdict: Verdict | None
    timestamp_s: float
    face_id: str
    thumbnail_url: str
    frame_url: str


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
