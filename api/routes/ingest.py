"""Photos and videos that are to be indexed: uploads, or paths below the allowed roots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import request
from flask_openapi3 import FileStorage
from pydantic import BaseModel, ConfigDict, Field

from api.bodies import JSON, MULTIPART, documented, read_body
from api.documents import media_answer
from api.filters import Text
from api.job_schemas import EnqueuedAnswer
from api.problems import Problem
from api.routes.media import api
from api.routes.resources import failures
from api.security.access import needs
from api.security.roots import is_allowed, require_below_roots
from api.service import current
from api.uploads import kept_uploads
from indexer.errors import MediaError
from indexer.jobs import enqueue
from indexer.links import BASE
from indexer.media import discover
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.datastructures import FileStorage as Upload

    from indexer.jobs import Enqueued

_MANY = 1000


class PathsBody(BaseModel):
    """Files and folders of the server's that are to be indexed."""

    model_config = ConfigDict(extra="forbid")
    paths: list[Text] = Field(min_length=1, max_length=_MANY, description="Below api.roots.")
    force: bool = Field(False, description="Index again what is done.")


class UploadFields(BaseModel):
    """The fields of an upload, beside the files."""

    model_config = ConfigDict(extra="forbid")
    force: bool = Field(False, description="Index again what is done.")


class UploadBody(UploadFields):
    """Photos and videos that are sent along."""

    file: list[FileStorage] = Field([], description="Photos and videos.")


@api.post(
    "/media",
    responses={202: EnqueuedAnswer, **failures(413, 415, 507)},
    openapi_extensions=documented(multipart=UploadBody, json=PathsBody),
)
@needs("ingest")
def add_media() -> tuple[dict[str, Any], int]:
    """Add photos and videos: a form with files, or JSON with paths. They are indexed as a job."""
    answer = _added_paths() if request.mimetype == JSON else _added_uploads()
    return answer, 202


def enqueued_answer(done: Enqueued, failed: Sequence[str] = ()) -> dict[str, Any]:
    """Return what was queued; see `job_schemas.EnqueuedAnswer`."""
    batch = _batch_of(done)
    return {
        "batch": batch,
        "url": batch and f"{BASE}/jobs/{batch}",
        "queued": [media_answer(media) for media in done.queued],
        "skipped": [media_answer(media) for media in done.skipped],
        "under_way": [media_answer(media) for media in done.under_way],
        "failed": [*failed, *done.failed],
    }


def _batch_of(done: Enqueued) -> str | None:
    """Return the batch in which the media are worked on, None if none of them is in any."""
    under_way = [media.batch for media in (*done.queued, *done.under_way)]
    if done.batch in (*under_way, *(media.batch for media in done.skipped)):
        return done.batch
    return next(filter(None, under_way), None)


def _added_paths() -> dict[str, Any]:
    body, service = read_body(PathsBody), current()
    settings = service.settings.api
    service.require_model_to_index()
    named = [require_below_roots(text, settings) for text in body.paths]
    found = list(discover(named, allowed=lambda path: is_allowed(path, settings)))
    done = enqueue(
        service.index,
        [item for item in found if not isinstance(item, MediaError)],
        service.settings,
        send=service.send,
        force=body.force,
        look=service.look,
    )
    return enqueued_answer(done, [str(item) for item in found if isinstance(item, MediaError)])


def _added_uploads() -> dict[str, Any]:
    force, service = read_body(UploadFields, forms=True).force, current()
    uploads = _sent_files()
    service.require_model_to_index()
    with kept_uploads(uploads) as kept:
        done = enqueue(
            service.index,
            list(kept.looks),
            service.settings,
            send=service.send,
            force=force,
            look=kept.looks.__getitem__,
        )
    return enqueued_answer(done, kept.failed)


def _sent_files() -> list[Upload]:
    """Return the files of the form. Raises Problem if there is none, or one of another field."""
    if unknown := sorted(set(request.files) - {"file"}):
        raise Problem("invalid", f"{shown(unknown[0])}: there is no such file field; use file.")
    uploads = request.files.getlist("file")
    if not uploads:
        raise Problem("invalid", f"file: send at least one as {MULTIPART}.")
    return uploads
