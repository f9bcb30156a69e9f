"""What goes wrong, as RFC 9457 problem documents; the table holds every code there is.

Codes are stable: programs may rely on them. Titles and details are for people and may change.
"""

from __future__ import annotations

import errno
import json
import logging
from typing import TYPE_CHECKING, Any, cast

from flask import Response, request
from werkzeug.exceptions import HTTPException, RequestedRangeNotSatisfiable

from indexer.errors import (
    BrokerFailure,
    EnvironmentFailure,
    IndexFailure,
    MediaError,
    MissingExtra,
    ModelMismatch,
    NoFace,
    NotFound,
    PurgeUnfinished,
    SightingsError,
    StorageFull,
    UsageError,
    WeightsUnavailable,
)
from indexer.text import shown

if TYPE_CHECKING:
    from flask import Flask
    from pydantic import ValidationError

log = logging.getLogger("sightings.api")

PROBLEMS: dict[str, tuple[int, str]] = {
    "bad_request": (400, "The request cannot be understood"),
    "key_needed": (401, "A key is needed"),
    "key_refused": (401, "The key is not one of this service"),
    "scope_missing": (403, "The key does not allow this"),
    "cross_site": (403, "Another site's page may not do this"),
    "path_refused": (403, "The path is outside of the folders that may be used"),
    "not_found": (404, "There is nothing here"),
    "media_not_found": (404, "No such photo or video"),
    "face_not_found": (404, "No such face"),
    "person_not_found": (404, "No such person"),
    "job_not_found": (404, "No such job"),
    "search_not_found": (404, "No such search"),
    "file_unavailable": (404, "The file is not where it was, or has changed"),
    "method_not_allowed": (405, "This cannot be done here"),
    "name_taken": (409, "The name exists already"),
    "index_empty": (409, "Nothing has been indexed yet"),
    "too_large": (413, "More bytes than allowed"),
    "content_type": (415, "The body is of another type than can be read here"),
    "range_refused": (416, "The file has no such range of bytes"),
    "host_refused": (421, "This service goes by another name"),
    "invalid": (422, "A parameter is unknown, missing or not right"),
    "media_refused": (422, "A file is no photo or video that can be used"),
    "no_face": (422, "No face was found"),
    "rate_limited": (429, "Too many requests in this time"),
    "internal": (500, "The service failed"),
    "index_unavailable": (503, "The index cannot be reached"),
    "purge_unfinished": (503, "It is deleted, but its bytes are not off the disks yet"),
    "model_unavailable": (503, "The embedding model cannot be used"),
    "queue_unavailable": (503, "The queue of jobs cannot be reached"),
    "overloaded": (503, "Too much is asked for at once"),
    "unavailable": (503, "Something that the service needs cannot be used"),
    "disk_full": (507, "There is no space left for it"),
}

_BY_STATUS = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "content_type",
    416: "range_refused",
    422: "invalid",
    429: "rate_limited",
    431: "bad_request",
    501: "bad_request",
}

_BY_ERROR: tuple[tuple[type[SightingsError], str], ...] = (
    (UsageError, "invalid"),
    (MediaError, "media_refused"),
    (NoFace, "no_face"),
    (NotFound, "not_found"),
    (BrokerFailure, "queue_unavailable"),
    (PurgeUnfinished, "purge_unfinished"),
    (StorageFull, "disk_full"),
    (IndexFailure, "index_unavailable"),
    (WeightsUnavailable, "model_unavailable"),
    (ModelMismatch, "model_unavailable"),
    (MissingExtra, "model_unavailable"),
    (EnvironmentFailure, "unavailable"),
)
_RETRY_S = {"overloaded": 1, "rate_limited": 60, "index_unavailable": 10, "queue_unavailable": 10}
_NAME_CHARACTERS = 100


class Problem(Exception):
    """An answer that is a problem document.

    more: further members of the document. retry_after_s: when to try again.
    """

    def __init__(
        self, code: str, detail: str, *, retry_after_s: float | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.more = more


def problem_document(problem: Problem) -> dict[str, Any]:
    """Return a problem as RFC 9457 has it."""
    status, title = PROBLEMS[problem.code]
    return {
        "type": f"/api/docs/problems#{problem.code}",
        "title": title,
        "status": status,
        "code": problem.code,
        "detail": problem.detail,
        **problem.more,
    }


def problem_response(problem: Problem) -> Response:
    """Return the answer that tells a problem: `application/problem+json`."""
    status, _ = PROBLEMS[problem.code]
    text = json.dumps(problem_document(problem))
    response = Response(f"{text}\n", status=status, mimetype="application/problem+json")
    retry_s = problem.retry_after_s or _RETRY_S.get(problem.code)
    if retry_s:
        response.headers["Retry-After"] = str(max(1, round(retry_s)))
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="sightings"'
    return response


def of_validation(error: ValidationError) -> Response:
    """Return the problem that a request does not fit its model.

    Fields are named, unknown ones too, so that a slip is seen; values are not repeated.
    """
    errors = [
        {"field": _field_name(each["loc"]), "message": each["msg"]}
        for each in error.errors(include_input=False, include_url=False, include_context=False)
    ]
    detail = "; ".join(f"{each['field']}: {each['message']}" for each in errors[:3])
    return problem_response(Problem("invalid", f"{detail}.", errors=errors))


def of_error(error: SightingsError) -> Problem:
    """Return the problem that an error of the core is."""
    code = next(code for kind, code in _BY_ERROR if isinstance(error, kind))
    # Its text is for whoever runs the service: it tells of files and servers.
    return Problem(code, "The service's log says what." if code == "unavailable" else str(error))


def is_full(error: OSError) -> bool:
    """Whether what could not be written had no space left."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def of_full_disk() -> Problem:
    """Return the problem that what was sent cannot be kept, not even for a moment."""
    return Problem("disk_full", "The service has no space left to take what was sent.")


def of_status(status: int, detail: str = "") -> Problem:
    """Return the problem that an HTTP status of 400 or more tells."""
    other = "bad_request" if status < 500 else "internal"
    code = _BY_STATUS.get(status, other)
    return Problem(code, detail or PROBLEMS[code][1])


def add_to(app: Flask) -> None:
    """Answer every failure with a problem document."""

    @app.errorhandler(Problem)
    def on_problem(problem: Problem) -> Response:
        return problem_response(problem)

    @app.errorhandler(SightingsError)
    def on_error(error: SightingsError) -> Response:
        problem = of_error(error)
        if PROBLEMS[problem.code][0] >= 500:
            log.warning("%s %s: %s", request.method, shown(request.path), error)
        return problem_response(problem)

    @app.errorhandler(HTTPException)
    def on_http(error: HTTPException) -> Response:
        return _http_response(error)

    @app.errorhandler(OSError)
    def on_os_error(error: OSError) -> Response:
        if not is_full(error):
            return on_failure(error)
        log.warning("%s %s: %s", request.method, shown(request.path), error)
        return problem_response(of_full_disk())

    @app.errorhandler(Exception)
    def on_failure(error: Exception) -> Response:
        log.exception("%s %s failed", request.method, shown(request.path), exc_info=error)
        detail = "This is an error of the service's own; its log says more."
        return problem_response(Problem("internal", detail))


def _http_response(error: HTTPException) -> Response:
    if error.response is not None:  # made by whoever raised it
        return cast("Response", error.response)
    if error.code is not None and error.code < 400:
        return Response("", error.code, list(error.get_headers()))
    response = problem_response(of_status(error.code or 500, error.description or ""))
    if isinstance(error, RequestedRangeNotSatisfiable) and error.length is not None:
        response.headers["Content-Range"] = f"bytes */{error.length}"
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _field_name(parts: tuple[int | str, ...]) -> str:
    return shown(".".join(map(str, parts)))[:_NAME_CHARACTERS] or "body"
