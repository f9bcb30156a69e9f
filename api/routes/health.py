"""Whether the service lives, whether it can work, and what it measures."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from prometheus_client import CONTENT_TYPE_LATEST

from api.routes.resources import SECURITY, failures
from api.schemas import HealthAnswer, ReadyAnswer
from api.security.access import OPEN, needs
from api.service import current

api = APIBlueprint(
    "health",
    __name__,
    abp_tags=[Tag(name="health", description="Is it well?")],
)
_TEXT = {"description": "Prometheus's text format.", "content": {"text/plain": {}}}


@api.get("/healthz", responses={200: HealthAnswer, **failures()})
@needs(OPEN)
def healthz() -> dict[str, str]:
    """Say that the service lives."""
    return {"status": "ok"}


@api.get("/readyz", responses={200: ReadyAnswer, 503: ReadyAnswer, 422: failures()[422]})
@needs(OPEN)
def readyz() -> tuple[dict[str, Any], int]:
    """Say whether requests can be answered: each part that they need is `ok` or `failed`."""
    checks = current().readiness.look()
    ready = all(checks.values())
    parts = {name: "ok" if well else "failed" for name, well in checks.items()}
    return {"status": "ok" if ready else "failed", "checks": parts}, 200 if ready else 503


@api.get("/metrics", responses={200: _TEXT, **failures()}, security=SECURITY)
@needs("search")
def metrics() -> Response:
    """Measurements for Prometheus."""
    return Response(current().metrics.text(), content_type=CONTENT_TYPE_LATEST)
