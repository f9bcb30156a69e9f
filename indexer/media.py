"""Which files are media, and what each of them is."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer.errors import MediaError
from indexer.files import names_in, open_file, require_file, status_of
from indexer.photos import read_header
from indexer.records import Media
from indexer.text import shown
from indexer.video import VideoReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from indexer.settings import MediaSettings

_PHOTOS = (
    ".avif .bmp .dib .gif .heic .heif .hif .j2k .jfif .jp2 .jpe .jpeg .jpg .jpx .mpo .pbm .pgm"
    " .png .pnm .ppm .tif .tiff .webp"
)
_VIDEOS = (
    ".3g2 .3gp .asf .avi .divx .dv .f4v .flv .h264 .h265 .hevc .m1v .m2t .m2ts .m2v .m4v .mjpeg"
    " .mjpg .mkv .mov .mp4 .mpe .mpeg .mpg .mpv .mts .mxf .ogm .ogv .qt .rm .rmvb .ts .vob .webm"
    " .wmv .wtv .y4m"
)
PHOTO_SUFFIXES = frozenset(_PHOTOS.split())
VIDEO_SUFFIXES = frozenset(_VIDEOS.split())
_SUFFIXES = PHOTO_SUFFIXES | VIDEO_SUFFIXES

_CHUNK_BYTES = 1 << 20
# What clocks and containers show when nobody has set them.
_UNSET_DAYS = frozenset({(1904, 1, 1), (1970, 1, 1)})
# The year of the oldest photograph that is left.
_FIRST_YEAR = 1826


def discover(
    paths: Sequence[str | Path], *, allowed: Callable[[Path], bool] = lambda _: True
) -> Iterator[Path | MediaError]:
    """Yield the media files among files and folders as absolute paths, each once.

    Folders are searched with all that is in them, in order of name, for media by suffix; what
    begins with a dot is passed over. Files given by name are yielded whatever their suffix. What
    cannot be read, and what is no file, is yielded as MediaError. Links are followed; a folder
    is searched once, so loops of links end. allowed: whether a path may be looked at; one that may
    not is yielded as MediaError, and nothing is asked of what is there.
    """
    folders: set[tuple[int, int]] = set()
    met: set[tuple[str, bool]] = set()
    waiting = [(os.path.abspath(path), True) for path in reversed(paths)]  # noqa: PTH100
    while waiting:
        path, named = waiting.pop()
        wanted = named or Path(path).suffix.lower() in _SUFFIXES
        if (path, wanted) in met or (path, True) in met:
            continue
        met.add((path, wanted))
        if not allowed(Path(path)):
            yield MediaError(f"{shown(path)} leads out of the folders that may be used.")
            continue
        try:
            status = status_of(path)
            if stat.S_ISDIR(status.st_mode):
                _require_utf8(path)
                if (status.st_dev, status.st_ino) not in folders:
                    folders.add((status.st_dev, status.st_ino))
                    names = [name for name in names_in(path) if not name.startswith(".")]
                    waiting += [(str(Path(path, name)), False) for name in reversed(names)]
            elif wanted:
                _require_utf8(path)
                require_file(path)
                yield Path(path)
        except MediaError as error:
            if wanted or not _is_broken_link(error):
                yield error


def content_id(path: Path) -> str:
    """Return a media's id: the first 32 hex digits of the SHA-256 of its bytes.

    Raises MediaError if the file cannot be read.
    """
    digest = hashlib.sha256()
    with open_file(path) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()[:32]


def probe(path: Path, media_id: str, settings: MediaSettings) -> Media:
    """Return what a file is, told by its content: a photo, or a video that can be decoded.

    Raises MediaError if it is neither, is damaged beyond use, or has too many pixels.
    """
    return look(path, media_id, settings)[0]


def look(path: Path, media_id: str, settings: MediaSettings) -> tuple[Media, np.ndarray]:
    """Return what a file is, and when its frames are shown, from opening it once.

    The times: (frames,) float64 in seconds, ascending; a photo's is 0. Raises MediaError as
    `probe` does.
    """
    media, reader = open_media(path, media_id, settings)
    if reader is None:
        return media, np.zeros(1)
    with reader:
        return media, reader.timestamps_s


def open_media(
    path: Path, media_id: str, settings: MediaSettings, *, threads: int = 1
) -> tuple[Media, VideoReader | None]:
    """Return what a file is and, of a video, the reader that told, which the caller closes.

    threads: the decoder's. Raises MediaError as `probe` does.
    """
    size_bytes = require_file(path).st_size
    if size_bytes == 0:
        raise MediaError(f"{shown(path)} is empty.")
    header = read_header(path, settings)
    if header is not None:
        photo = Media(
            id=media_id,
            kind="photo",
            size_bytes=size_bytes,
            width=header.width,
            height=header.height,
            recorded_at=_plausible(header.taken_at),
        )
        return photo, None
    try:
        reader = VideoReader(path, settings.max_pixels, threads=threads)
    except MediaError as error:
        if error.__cause__ is None:
            raise
        raise MediaError(
            f"{shown(path)} is neither a photo nor a video that can be read."
        ) from error.__cause__
    video = Media(
        id=media_id,
        kind="video",
        size_bytes=size_bytes,
        width=reader.width,
        height=reader.height,
        duration_s=reader.duration_s,
        recorded_at=_plausible(reader.created_at),
    )
    return video, reader


def _require_utf8(path: str) -> None:
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise MediaError(f"The name of {shown(path)} is not valid UTF-8: rename it.") from error


def _is_broken_link(error: MediaError) -> bool:
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in (errno.ENOENT, errno.ELOOP)


def _plausible(date: datetime | None) -> datetime | None:
    """Return a date unless it is one that an unset clock shows, or no photograph could have."""
    if date is None or (date.year, date.month, date.day) in _UNSET_DAYS:
        return None
    tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
    return date if date.year >= _FIRST_YEAR and date <= tomorrow else None
