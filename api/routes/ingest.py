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
from api.security.roots import require_below_roots
from api.service import current
from api.uploads import keep_upload
from indexer.errors import MediaError
from indexer.jobs import enqueue
from indexer.links import BASE
from indexer.media import discover

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

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
    responses={202: EnqueuedAnswer, **failures(413, 415)},
    openapi_extensions=documented(multipart=UploadBody, json=PathsBody),
)
@needs("ingest")
def add_media() -> tuple[dict[str, Any], int]:
    """Add photos and videos: a form with files, or JSON with paths. They are indexed as a job."""
    if request.mimetype == JSON:
        body = read_body(PathsBody)
        paths, failed = _below_roots(body.paths)
        force = body.force
    else:
        force = read_body(UploadFields, forms=True).force
        paths, failed = _kept_uploads()
    service = current()
    done = enqueue(service.index, paths, service.settings, send=service.send, force=force)
    return enqueued_answer(done, failed), 202


def enqueued_answer(done: Enqueued, failed: Sequence[str] = ()) -> dict[str, Any]:
    """Return what was queued; see `job_schemas.EnqueuedAnswer`."""
    return {
        "batch": done.batch,
        "url": f"{BASE}/jobs/{done.batch}",
        "queued": [media_answer(media) for media in done.queued],
        "skipped": [media_answer(media) for media in done.skipped],
        "under_way": [media_answer(media) for media in done.under_way],
        "failed": [*failed, *done.failed],
    }


def _below_roots(texts: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Return the media files of paths; each lies below the roots itself, links followed."""
    settings = current().settings.api
    named = [require_below_roots(text, settings) for text in texts]
    found: list[Path] = []
    failed: list[str] = []
    for item in discover(named):
        if isinstance(item, MediaError):
            failed.append(str(item))
            continue
        try:
            found.append(require_below_roots(str(item), settings))
        except Problem:
            failed.append(f"{item} is a link that leaves the allowed roots.")
    return found, failed


def _kept_uploads() -> tuple[list[Path], list[str]]:
    """Keep what was sent. Raises Problem if there is nothing, or nothing that can be used."""
    uploads = request.files.getlist("file")
    if unknown := sorted(set(request.files) - {"file"}):
        raise Problem("invalid", f"{unknown[0]}: there is no such file field; use file.")
    if not uploads:
        raise Problem("invalid", f"file: send at least one as {MULTIPART}.")
    kept: list[Path] = []
    failed: list[str] = []
    for upload in uploads:
        try:
            kept.append(keep_upload(upload))
        except MediaError as error:  # noqa: PERF203, one bad file does not end the others
            failed.append(str(error))
    if not kept:
        raise Problem("media_refused", failed[0])
    return kept, failed
