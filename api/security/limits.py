"""How often one caller may ask."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from flask import request

from api.problems import Problem, problem_response
from api.security.access import caller

if TYPE_CHECKING:
    from flask import Flask, Response
    from flask_limiter import RequestLimit

    from indexer.settings_api import ApiSettings

_WRONG_KEYS = "20/minute"
_NO_ROUTE = "none"


def add_to(
    app: Flask, settings: ApiSettings, *, storage: str, searches: frozenset[str], sign_in: str
) -> None:
    """Limit how often a caller may ask: for anything, and for `searches`, which are endpoints.

    What is refused counts, and what is not there. Of `sign_in`, what fails has a limit of its own.
    storage: `memory://`, or a Redis that several services share.
    """
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    def refused(limit: RequestLimit) -> Response:
        detail = f"At most {limit.limit.amount} in {limit.limit.get_expiry()} s are answered."
        wait_s = min(max(limit.reset_at - time.time(), 1.0), limit.limit.get_expiry())
        return problem_response(Problem("rate_limited", detail, retry_after_s=wait_s))

    limiter = Limiter(
        caller,
        app=app,
        application_limits=[settings.rate],
        request_identifier=lambda: request.endpoint or _NO_ROUTE,
        storage_uri=storage,
        strategy="moving-window",
        on_breach=refused,
        # While Redis is out of reach each service counts for itself, and its log says so.
        in_memory_fallback_enabled=storage != "memory://",
    )
    views: dict[str, Any] = app.view_functions
    for endpoint in searches:
        views[endpoint] = limiter.limit(settings.search_rate)(views[endpoint])
    wrong_keys = limiter.limit(
        _WRONG_KEYS,
        key_func=get_remote_address,
        deduct_when=lambda response: response.status_code == 401,
    )
    views[sign_in] = wrong_keys(views[sign_in])
