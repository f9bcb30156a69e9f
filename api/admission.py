"""Whether a body may come, told by the head of its request, before any of it is kept anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import request

from api.bodies import MULTIPART
from api.problems import Problem, of_error, problem_response
from api.security import access
from api.service import current
from indexer.errors import SightingsError

if TYPE_CHECKING:
    from flask import Flask, Response

    from indexer.settings_api import ApiSettings

SEARCHES = frozenset({"search.search", "faces.detect_faces"})
_UPLOADS = frozenset({"media.add_media"})
SMALL_BYTES = 1 << 20
"""What any request may send; also the fields of a form beside its files."""


def body_limit() -> int:
    """Return how many bytes the request may send: many only in forms that hold files."""
    settings = current().settings.api
    if request.mimetype != MULTIPART:
        return SMALL_BYTES
    if request.endpoint in _UPLOADS:
        return settings.max_upload_bytes + SMALL_BYTES
    if request.endpoint in SEARCHES:
        return _query_bytes(settings) + SMALL_BYTES
    return SMALL_BYTES


def largest_body(settings: ApiSettings) -> int:
    """Return the largest `body_limit` that there is."""
    return max(settings.max_upload_bytes, _query_bytes(settings)) + SMALL_BYTES


def admitted(app: Flask, environ: dict[str, Any]) -> int | Response:
    """Return how many bytes a request may send, or the answer that it is refused with at once.

    environ: of the request's head alone, as WSGI has it.
    """
    with app.request_context(environ):
        try:
            access.identify()
            access.require_allowed()
            limit = body_limit()
            if (request.content_length or 0) > limit:
                raise Problem("too_large", f"At most {limit} bytes are taken here.")
        except Problem as problem:
            return problem_response(problem)
        except SightingsError as error:
            return problem_response(of_error(error))
        return limit


def _query_bytes(settings: ApiSettings) -> int:
    photos = settings.max_query_bytes * settings.max_query_photos
    return max(photos, settings.max_query_video_bytes)
