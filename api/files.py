"""The files of media: which one is still as it was indexed, and its bytes, whole or in ranges."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from flask import Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from api.content import content_type
from api.problems import Problem
from api.security.roots import may_serve
from api.service import current

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from indexer.records import Media

_CHUNK_BYTES = 1 << 16


def present_file(media: Media) -> Path:
    """Return a media's file, of several the first that is as it was when it was indexed.

    Raises Problem `file_unavailable`, also where the file lies outside of what may be served.
    """
    service = current()
    for path in media.paths:
        known = service.index.find_file(path)
        try:
            status = Path(path).stat()
        except (OSError, ValueError):
            continue
        same = known and (known.size_bytes, known.mtime_ns) == (status.st_size, status.st_mtime_ns)
        if same and may_serve(Path(path), service.settings.api):
            return Path(path)
    raise Problem("file_unavailable", "No file with these bytes is where it was indexed.")


def file_response(path: Path, etag: str) -> Response:
    """Return a file, or the range of it that is asked for.

    etag: changes with the file's bytes. Raises RequestedRangeNotSatisfiable.
    """
    if request.if_none_match.contains(etag):
        unchanged = Response(status=304)
        unchanged.set_etag(etag)
        return unchanged
    stream = path.open("rb")
    try:
        size = os.fstat(stream.fileno()).st_size
        start, end, status = _wanted(size, etag)
        stream.seek(start)
        kind = content_type(path)
        if request.method == "HEAD":
            stream.close()
            response = Response(b"", status, content_type=kind)
        else:
            body = _body(stream, end - start)
            response = Response(body, status, content_type=kind, direct_passthrough=True)
    except BaseException:
        stream.close()
        raise
    if status == 206:
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    response.headers["Content-Length"] = str(end - start)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Content-Disposition"] = "inline"
    response.headers["Cache-Control"] = "private, max-age=3600"
    response.set_etag(etag)
    return response


def _wanted(size: int, etag: str) -> tuple[int, int, int]:
    """Return first byte, end and status of what is asked for.

    Several ranges at once, and ranges of another file (If-Range), are answered with the whole.
    """
    wanted = request.range
    if_range = request.if_range
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1:
        return 0, size, 200
    if if_range is not None and (if_range.date is not None or if_range.etag not in (None, etag)):
        return 0, size, 200
    found = wanted.range_for_length(size)
    if found is None or found[0] is None:
        raise RequestedRangeNotSatisfiable(size)
    return found[0], found[1], 206


def _body(stream: BinaryIO, length: int) -> Iterable[bytes]:
    """Return a part of a file from where the stream stands.

    The server's own wrapper sends it without holding a thread, however slowly it is fetched; it
    keeps to Content-Length.
    """
    wrapper = request.environ.get("wsgi.file_wrapper")
    return wrapper(stream, _CHUNK_BYTES) if wrapper else _chunks(stream, length)


def _chunks(stream: BinaryIO, length: int) -> Iterator[bytes]:
    with stream:
        while length > 0 and (chunk := stream.read(min(_CHUNK_BYTES, length))):
            length -= len(chunk)
            yield chunk
