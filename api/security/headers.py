"""Headers that tell browsers what this service's answers may do: nothing that it does not need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g, request

if TYPE_CHECKING:
    from flask import Flask, Response

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_DATA = "default-src 'none'; frame-ancestors 'none'"
_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Swagger UI writes styles into its elements.
_DOCS = _PAGE.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")


def add_to(app: Flask) -> None:
    """Send them with every answer."""

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", _policy(response))
        headers.update(ALWAYS)
        # Pictures by signed paths are made for other pages, such as Kibana's.
        site = "cross-origin" if g.get("signed") else "same-origin"
        headers["Cross-Origin-Resource-Policy"] = site
        headers.setdefault("Cache-Control", "no-store")
        return response


def _policy(response: Response) -> str:
    if response.mimetype != "text/html":
        return _DATA
    return _DOCS if request.path.startswith("/api/docs") else _PAGE
