"""The web page: its files, under paths that change with what they hold, so browsers keep them."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from api.problems import Problem
from api.security.access import OPEN, needs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

api = Blueprint("page", __name__)
PREFIX = "/page"
_INDEX = "index.html"
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True)
class PageFile:
    """A file of the page as it is sent: as it is, and compressed."""

    body: bytes
    packed: bytes
    mimetype: str


@dataclass(frozen=True)
class Page:
    """All files of the page by name; version: a hash of what they hold."""

    version: str
    files: Mapping[str, PageFile]


@cache
def page() -> Page:
    """Read the page's files, once."""
    found = dict(sorted(_read(files("api") / "page")))
    digest = hashlib.sha256()
    for name, body in found.items():
        digest.update(f"{name}\0{len(body)}\0".encode() + body)
    version = digest.hexdigest()[:16]
    found[_INDEX] = _with_addresses(found[_INDEX], version, [n for n in found if n != _INDEX])
    return Page(version, {name: _page_file(name, body) for name, body in found.items()})


@api.get("/")
@needs(OPEN)
def get_page() -> Response:
    """Send the page; browsers ask each time whether it has changed."""
    shown = page()
    response = _sent(shown.files[_INDEX])
    response.headers["Cache-Control"] = "no-cache"
    response.set_etag(shown.version, weak=True)  # the same for both encodings
    response.make_conditional(request)
    return response


@api.get(f"{PREFIX}/<version>/<path:name>")
@needs(OPEN)
def get_page_file(version: str, name: str) -> Response:
    """Send a file of the page; one version's files never change."""
    shown = page()
    if version != shown.version or name not in shown.files or name == _INDEX:
        raise Problem("not_found", "The page has no such file; reload it.")
    response = _sent(shown.files[name])
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def _read(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _read(item, f"{prefix}{item.name}/")
        elif any(item.name.endswith(suffix) for suffix in _TYPES):
            yield prefix + item.name, item.read_bytes()


def _with_addresses(index: bytes, version: str, names: list[str]) -> bytes:
    """Put addresses into the page: of its own files, and of modules, which then load at once."""
    base = f"{PREFIX}/{version}/"
    modules = "".join(
        f'<link rel="modulepreload" href="{base}{name}">\n'
        for name in names
        if name.endswith(".js")
    )
    text = index.decode().replace("<!-- modules -->\n", modules)
    return text.replace("{{base}}", base).encode()


def _page_file(name: str, body: bytes) -> PageFile:
    mimetype = next(kind for suffix, kind in _TYPES.items() if name.endswith(suffix))
    return PageFile(body, gzip.compress(body, mtime=0), mimetype)


def _sent(file: PageFile) -> Response:
    packed = request.accept_encodings["gzip"] > 0
    response = Response(file.packed if packed else file.body, mimetype=file.mimetype)
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    return response
