"""The files of media: which one is still as it was indexed, and its bytes, whole or in ranges."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from flask import Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from api.content import HEAD_BYTES, sniffed
from api.problems import Problem
from api.security.roots import may_serve
from api.service import current

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from indexer.records import Media

_CHUNK_BYTES = 1 << 16


def present_file(media: Media) -> Path:
    """Return a media's file, of several the first that is as it was when it was indexed.

    All links in its path are followed. Raises Problem `file_unavailable`, or `path_refused` where
    the file lies outside of what may be served.
    """
    path, stream = _opened(media)
    stream.close()
    return path


def file_response(media: Media) -> Response:
    """Return a media's file, or the range of it that is asked for.

    Raises Problem as `present_file` does, RequestedRangeNotSatisfiable.
    """
    if request.if_none_match.contains(media.id):
        return _cached(Response(status=304), media.id)
    _, stream = _opened(media)
    try:
        size = os.fstat(stream.fileno()).st_size
        start, end, status = _wanted(size, media.id)
        kind = sniffed(stream.read(HEAD_BYTES))
        stream.seek(start)
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
    return _cached(response, media.id)


def _opened(media: Media) -> tuple[Path, BinaryIO]:
    """Open a media's file; what was opened is what is checked, so that none can be slipped in."""
    service, refused = current(), False
    for name in media.paths:
        known = service.index.find_file(name)
        with suppress(OSError, RuntimeError, ValueError):  # gone, loops of links, no names
            path = Path(name).resolve()
            stream = open(path, "rb", opener=_without_waiting)  # noqa: SIM115
            status = os.fstat(stream.fileno())
            same = known is not None and (known.media_id, known.size_bytes, known.mtime_ns) == (
                media.id,
                status.st_size,
                status.st_mtime_ns,
            )
            if same and may_serve(path, service.settings):
                return path, stream
            refused |= same
            stream.close()
    if refused:
        raise Problem("path_refused", "The file lies outside of the folders that may be sent.")
    raise Problem("file_unavailable", "No file with these bytes is where it was indexed.")


def _without_waiting(path: str, flags: int) -> int:
    """Open no link, and no pipe that waits for somebody to write."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _cached(response: Response, etag: str) -> Response:
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
    first, _ = wanted.ranges[0]
    if first is not None and 0 < size < -first:  # more from the end than there is: all of it
        return 0, size, 206
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
