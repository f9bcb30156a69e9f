"""Who asks, and whether they may: keys, cookies, signed paths, and the scope that a route needs."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from flask import current_app, g, request

from api.bodies import require_single
from api.problems import Problem
from api.security.hosts import require_host, require_same_site
from api.security.signing import COOKIE
from api.service import current
from indexer.errors import EnvironmentFailure
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from pydantic import BaseModel

    from api.security.keys import ApiKey

    View = TypeVar("View", bound=Callable[..., Any])

OPEN = "open"
"""The scope of what needs no key: it gives away nothing that is indexed."""
_LINK_PARAMETERS = frozenset({"signature", "max_side_px", "box"})
"""What a link may say besides its path, which is all that its signature holds for."""
_OPEN_BLUEPRINTS = frozenset({"openapi", "swagger"})


def needs(scope: str, *, signed: bool = False) -> Callable[[View], View]:
    """Say which scope a route needs; `signed`: a signature of its path does, too."""

    def mark(view: View) -> View:
        view.scope, view.signed = scope, signed  # type: ignore[attr-defined]
        return view

    return mark


def add_to(app: Flask) -> None:
    """Check every request before its route sees it; see `identify` for what comes before."""
    app.before_request(require_allowed)


def identify() -> None:
    """Note who asks, if they say it: limits count by that, and refusals count, too."""
    g.key = None
    if current().key_needed:
        with suppress(EnvironmentFailure):  # is met again where a key is needed
            g.key = signed_in()


def require_allowed() -> None:
    """Raise Problem for a request that may not be made, by this caller or by anybody."""
    require_host(request, current().settings.api)
    require_same_site(request)
    if request.endpoint is None:  # there is no such route, which need not be hidden
        return
    _require_scope(request.endpoint)
    _require_known_parameters(request.endpoint)


def _require_scope(endpoint: str) -> None:
    scope, signed = route_scope(endpoint)
    if scope == OPEN:
        return
    if signed and _is_signed():
        g.signed = True
        return
    if not current().key_needed:
        return
    g.key = g.key or _key()
    if not g.key.allows(scope):
        raise Problem("scope_missing", f"It needs the scope {scope}.", scope=scope)


def _require_known_parameters(endpoint: str) -> None:
    """Raise Problem for parameters of a route that takes none, and for repeated ones.

    Models refuse unknown ones.
    """
    view = current_app.view_functions[endpoint]
    if not request.args or not hasattr(view, "scope"):
        return
    if "query" not in view.__annotations__:
        name = next(iter(request.args))
        raise Problem("invalid", f"{shown(name)}: there is no such parameter here.")
    require_single(request.args, _query_of(view))


@cache
def _query_of(view: Callable[..., Any]) -> type[BaseModel]:
    """Return the model of a route's parameters."""
    model: type[BaseModel] = get_type_hints(view)["query"]
    return model


def route_scope(endpoint: str) -> tuple[str, bool]:
    """Return the scope that a route needs, and whether signed paths open it.

    A route that says nothing needs the highest.
    """
    if endpoint.partition(".")[0] in _OPEN_BLUEPRINTS:
        return OPEN, False
    view = current_app.view_functions[endpoint]
    return getattr(view, "scope", "admin"), getattr(view, "signed", False)


def caller() -> str:
    """Return who asks, for limits and the log: a key's id, or an address."""
    key: ApiKey | None = g.get("key")
    return f"key {key.id}" if key else f"address {request.remote_addr}"


def signed_in() -> ApiKey | None:
    """Return the key that the request's header or cookie stands for, if it is a good one."""
    service = current()
    if request.authorization is not None:
        return service.keys.find(request.authorization.token or "")
    key_id = service.signer.key_of(request.cookies.get(COOKIE, ""))
    return service.keys.get(key_id) if key_id else None


def _key() -> ApiKey:
    key = signed_in()
    if key is not None:
        return key
    if request.authorization is None and COOKIE not in request.cookies:
        raise Problem("key_needed", "Send a key as `Authorization: Bearer KEY`, or sign in.")
    raise Problem("key_refused", "It was removed, has run out, or never was one.")


def _is_signed() -> bool:
    signature = request.args.get("signature", "")
    if not request.args.keys() <= _LINK_PARAMETERS:
        return False
    return bool(signature) and current().signer.links.is_signed(request.path, signature)
