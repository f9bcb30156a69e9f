"""Paths that no longer hold what was indexed there."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import MediaError
from indexer.files import status_of
from indexer.media import content_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.engines.base import Index
    from indexer.records import Deleted, Media, MediaFile

_MISSING = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


def gone_files(index: Index) -> list[MediaFile]:
    """Return the known files that are gone or hold other bytes now; not those out of reach."""
    return [file for file in index.iter_files() if _is_gone(file)]


def pathless_media(index: Index) -> list[Media]:
    """Return the media that lie nowhere any more, such as a photo that was edited."""
    return [media for media in index.iter_media() if not media.paths]


def prune(index: Index, gone: Sequence[MediaFile]) -> Deleted:
    """Forget the paths, if they are still gone; delete the media that are left without any."""
    for file in gone:
        if _is_gone(file):
            index.remove_file(file.path)
    return index.delete_media([media.id for media in pathless_media(index)])


def _is_gone(file: MediaFile) -> bool:
    try:
        stat = status_of(file.path)
        if (stat.st_size, stat.st_mtime_ns) == (file.size_bytes, file.mtime_ns):
            return False
        return content_id(Path(file.path)) != file.media_id
    except MediaError as error:
        # In a folder that may not be read, or on a failing disk, it may well be there.
        cause = error.__cause__
        return not isinstance(cause, OSError) or cause.errno in _MISSING
