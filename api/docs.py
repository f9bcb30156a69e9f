"""The description of the API: OpenAPI, a page to try it on, and the table of problems."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from flask import Response

from api.problems import PROBLEMS
from api.security.access import OPEN, needs

if TYPE_CHECKING:
    from flask import Flask

PREFIX = "/api/docs"
PAGE = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sightings API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="{PREFIX}/swagger/css/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="{PREFIX}/swagger/js/swagger-ui-bundle.js"></script>
<script src="{PREFIX}/start.js"></script></body></html>
"""
_START = f"""window.ui = SwaggerUIBundle({{
  url: "{PREFIX}/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null
}});
"""


def add_to(app: Flask) -> None:
    """Add the pages; nothing in them comes from elsewhere."""
    app.config["OPENAPI_HTML_STRING"] = app.config["SWAGGER_HTML_STRING"] = PAGE

    # Not by the application's own decorators: those would describe them in the API.
    app.add_url_rule(f"{PREFIX}/start.js", "docs_start", _start_script)
    app.add_url_rule(f"{PREFIX}/problems", "docs_problems", _problem_table)


@needs(OPEN)
def _start_script() -> Response:
    return Response(_START, mimetype="text/javascript")


@needs(OPEN)
def _problem_table() -> Response:
    rows = "".join(
        f'<tr id="{code}"><td><code>{code}</code></td><td>{status}</td><td>{escape(title)}</td>'
        "</tr>"
        for code, (status, title) in PROBLEMS.items()
    )
    return Response(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Problems</title>'
        f"<h1>Problems</h1><table><tr><th>code</th><th>status</th><th>title</th></tr>{rows}"
        "</table></html>",
        mimetype="text/html",
    )
