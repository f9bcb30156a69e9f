"""The application: all routes, what guards them, and their description."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request
from flask_openapi3 import Info, OpenAPI

from api import docs, metrics, problems
from api.admission import SEARCHES, body_limit
from api.routes import faces, health, jobs, media, page, people, search, session
from api.schemas import ProblemDocument
from api.security import access, headers, limits
from api.security.signing import COOKIE
from api.service import EXTENSION, Service

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from indexer.engines.base import Index
    from indexer.networks import Networks
    from indexer.settings import Settings
    from indexer.stage_times import Histogram, Stage

_SECURITY_SCHEMES = {
    "key": {"type": "http", "scheme": "bearer"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
}


def create_app(
    settings: Settings,
    open_index: Callable[[], Index],
    *,
    send: Callable[[Sequence[str]], None],
    networks: Networks | None = None,
    worker_is_well: Callable[[], bool] = lambda: True,
    queued: Callable[[], int] | None = None,
    stages: Callable[[], Mapping[Stage, Histogram]] = dict,
    rates_in: str = "memory://",
) -> OpenAPI:
    """Make the WSGI application; `app.extensions["sightings"].close()` ends it.

    open_index: opens the index when it is first needed. send: tells workers of queued media.
    networks: loaded ones; otherwise they load with the first photo. worker_is_well, queued: see
    `Service`. stages: how long those of ingest took. rates_in: where requests are counted,
    `memory://` or a Redis. Raises UsageError for settings that contradict each other.
    """
    app = OpenAPI(
        "api",
        info=Info(title="Sightings", version="1", description="Finds where a person appears."),
        security_schemes=_SECURITY_SCHEMES,  # type: ignore[arg-type]
        doc_prefix=docs.PREFIX,
        validation_error_model=ProblemDocument,
        validation_error_callback=problems.of_validation,
        static_folder=None,
    )
    app.url_map.strict_slashes = app.url_map.merge_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]
    service = Service(
        settings,
        open_index,
        send=send,
        metrics=metrics.Metrics(stages),
        networks=networks,
        worker_is_well=worker_is_well,
        queued=queued,
    )
    app.extensions[EXTENSION] = service
    problems.add_to(app)
    docs.add_to(app)
    for part in (health, session, search, media, faces, people, jobs):
        app.register_api(part.api)
    app.register_blueprint(page.api)
    metrics.add_to(app)
    app.before_request(access.identify)
    limits.add_to(app, settings.api, storage=rates_in, searches=SEARCHES, sign_in="session.sign_in")
    access.add_to(app)
    headers.add_to(app)
    app.before_request(_limit_body)
    return app


def _limit_body() -> None:
    """Bound the body of the request, before anything reads it."""
    request.max_content_length = body_limit()
