"""What jobs answer, as OpenAPI shows it."""

from __future__ import annotations

from pydantic import BaseModel, Field

from api.schemas import DeletedAnswer, MediaAnswer, State


class EnqueuedAnswer(BaseModel):
    """What became of photos and videos that were to be indexed."""

    batch: str | None = Field(
        description="The id of the job in which they are worked on; null if there is no work."
    )
    url: str | None = Field(description="The job's address.")
    queued: list[MediaAnswer]
    skipped: list[MediaAnswer] = Field(description="Done already.")
    under_way: list[MediaAnswer] = Field(description="Queued or being worked on already.")
    failed: list[str] = Field(description="What cannot be used, in words.")


class ProgressAnswer(BaseModel):
    """How far something is, in segments: a photo is one, a video one for each minute."""

    total: int
    done: int = Field(description="Finished without failing.")
    failed: int
    working: int
    rate_per_s: float = Field(description="Of late; 0 once all are finished.")
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
