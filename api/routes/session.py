"""Signing in with a key, once, for a cookie: pictures and players cannot send headers."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from pydantic import BaseModel, ConfigDict, Field

from api.bodies import documented, read_body
from api.problems import Problem
from api.routes.resources import blueprint, failures
from api.schemas import SessionAnswer
from api.security.access import OPEN, needs, signed_in
from api.security.keys import SCOPES, ApiKey
from api.security.roots import allowed_roots
from api.security.signing import COOKIE
from api.service import current

api = blueprint("session", "Signing in")


class SignInBody(BaseModel):
    """The key to sign in with."""

    model_config = ConfigDict(extra="forbid")
    key: str = Field(min_length=1, max_length=500)


@api.get("/session", responses={200: SessionAnswer, **failures()})
@needs(OPEN)
def get_session() -> dict[str, Any]:
    """Show whether a key is needed, and what may be done."""
    return _answer(signed_in() if current().key_needed else None)


@api.post(
    "/session",
    responses={200: SessionAnswer, **failures(415)},
    openapi_extensions=documented(json=SignInBody),
)
@needs(OPEN)
def sign_in() -> Response:
    """Sign in with a key: the answer sets a cookie that stands for it."""
    service = current()
    key = service.keys.find(read_body(SignInBody).key)
    if key is None:
        raise Problem("key_refused", "This is none of the service's keys.")
    response: Response = jsonify(_answer(key))
    response.set_cookie(
        COOKIE,
        service.signer.cookie(key.id),
        max_age=round(service.settings.api.session_s),
        secure=service.settings.api.https,
        httponly=True,
        samesite="Strict",
        path="/",
    )
    return response


@api.delete("/session", responses={204: None, **failures()})
@needs(OPEN)
def sign_out() -> Response:
    """Sign out."""
    response = Response(status=204)
    response.delete_cookie(
        COOKIE, path="/", secure=current().settings.api.https, httponly=True, samesite="Strict"
    )
    return response


def _answer(key: ApiKey | None) -> dict[str, Any]:
    service = current()
    if not service.key_needed:
        allowed = list(SCOPES)
    else:
        allowed = [scope for scope in SCOPES if key and key.allows(scope)]
    return {
        "key_needed": service.key_needed,
        "signed_in": key is not None,
        "name": key.name if key else None,
        "scopes": allowed,
        "paths": "ingest" in allowed and bool(allowed_roots(service.settings.api)),
    }
