"""Jobs: what was queued together (a batch), how far it is; cancel, and try again."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from api.documents import deleted_answer, media_answer
from api.job_schemas import (
    CancelledAnswer,
    EnqueuedAnswer,
    JobAnswer,
    JobMediaPage,
    JobPage,
)
from api.paging import PageQuery, page, read_cursor, write_cursor
from api.problems import Problem
from api.routes.ingest import enqueued_answer
from api.routes.resources import MediaPath, blueprint, failures, media_of
from api.security.access import needs
from api.service import current
from api.uploads import delete_uploads
from indexer.errors import NotFound, PurgeUnfinished
from indexer.jobs import cancel, retry
from indexer.links import BASE
from indexer.progress import BatchProgress, batch_progress, list_batches, media_progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.records import Media

api = blueprint("jobs", "Jobs")


class JobPath(BaseModel):
    """A job's address."""

    model_config = ConfigDict(extra="forbid")
    job_id: str = Field(max_length=200)


@api.get("/jobs", responses={200: JobPage, **failures()})
@needs("ingest")
def list_jobs(query: PageQuery) -> dict[str, Any]:
    """List jobs, the latest first, with how far they are."""
    before = None
    if query.cursor is not None:
        parts = read_cursor(query.cursor)
        if len(parts) != 1 or not isinstance(parts[0], str):
            raise Problem("invalid", "cursor: it is no `next_cursor` of this list.")
        before = parts[0]
    found = list_batches(current().index, limit=query.limit + 1, before=before)
    shown = found[: query.limit]
    cursor = write_cursor((shown[-1].id,)) if len(found) > query.limit else None
    return {"items": [_answer(batch) for batch in shown], "next_cursor": cursor}


@api.get("/jobs/<job_id>", responses={200: JobAnswer, **failures(404)})
@needs("ingest")
def get_job(path: JobPath) -> dict[str, Any]:
    """Show how far a job is."""
    with _known_job():
        return _answer(batch_progress(current().index, path.job_id))


@api.get("/jobs/<job_id>/media", responses={200: JobMediaPage, **failures(404)})
@needs("ingest")
def list_job_media(path: JobPath, query: PageQuery) -> dict[str, Any]:
    """List a job's photos and videos, each with how far it is."""
    index = current().index
    with _known_job():
        batch_progress(index, path.job_id)
    found = index.iter_media(batch=path.job_id, after=query.after(str, str))
    items, cursor = page(found, query, _media_key)
    return {"items": [_with_progress(media) for media in items], "next_cursor": cursor}


@api.post("/jobs/<job_id>/cancel", responses={200: CancelledAnswer, **failures(404, 507)})
@needs("ingest")
def cancel_job(path: JobPath) -> dict[str, Any]:
    """Take back what of a job is queued or being worked on."""
    with _known_job():
        return _cancelled(batch=path.job_id)


@api.post("/jobs/<job_id>/retry", responses={202: EnqueuedAnswer, **failures(404, 507)})
@needs("ingest")
def retry_job(path: JobPath) -> tuple[dict[str, Any], int]:
    """Try again what of a job failed."""
    with _known_job():
        return _retried(batch=path.job_id), 202


@api.post("/media/<media_id>/cancel", responses={200: CancelledAnswer, **failures(404, 507)})
@needs("ingest")
def cancel_media(path: MediaPath) -> dict[str, Any]:
    """Take back a photo or video that is queued or being worked on."""
    media = media_of(path)
    with _known_media():
        return _cancelled(media_ids=[media.id])


@api.post("/media/<media_id>/retry", responses={202: EnqueuedAnswer, **failures(404, 507)})
@needs("ingest")
def retry_media(path: MediaPath) -> tuple[dict[str, Any], int]:
    """Try a photo or video again that failed."""
    media = media_of(path)
    with _known_media():
        return _retried(media_ids=[media.id]), 202


def _answer(batch: BatchProgress) -> dict[str, Any]:
    states = ("queued", "working", "done", "failed")
    return {
        "id": batch.id,
        "state": batch.state,
        "queued_at": batch.queued_at.isoformat(),
        "media": {state: batch.media.get(state, 0) for state in states},  # type: ignore[call-overload]
        "segments": asdict(batch.progress),
        "url": f"{BASE}/jobs/{batch.id}",
        "media_url": f"{BASE}/jobs/{batch.id}/media",
    }


def _with_progress(media: Media) -> dict[str, Any]:
    try:
        found = media_progress(current().index, media.id)
    except NotFound:  # deleted a moment ago
        return {**media_answer(media), "segments": None}
    return {**media_answer(found.media), "segments": asdict(found.progress)}


def _retried(**which: Any) -> dict[str, Any]:
    service = current()
    service.require_model_to_index()
    done = retry(service.index, service.settings, send=service.send, look=service.look, **which)
    return enqueued_answer(done)


def _cancelled(**which: Any) -> dict[str, Any]:
    """Cancel, and delete the uploads of what was removed, also if its bytes are not off the disks.

    which: as `indexer.jobs.cancel` takes it. Raises NotFound, IndexFailure.
    """
    service = current()
    try:
        done = cancel(service.index, service.settings, **which)
    except PurgeUnfinished as unfinished:
        delete_uploads(unfinished.removed)
        raise
    files = delete_uploads(done.removed)
    return {
        "removed": [media.id for media in done.removed],
        "restored": [media.id for media in done.restored],
        "cut_short": [media.id for media in done.cut_short],
        "untouched": [media.id for media in done.untouched],
        "deleted": deleted_answer(done.deleted, files),
    }


def _media_key(media: Media) -> tuple[str, str]:
    return media.path, media.id


@contextmanager
def _known_job() -> Iterator[None]:
    try:
        yield
    except NotFound as error:
        raise Problem("job_not_found", str(error)) from error


@contextmanager
def _known_media() -> Iterator[None]:
    try:
        yield
    except NotFound as error:
        raise Problem("media_not_found", str(error)) from error
