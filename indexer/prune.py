"""Paths that no longer hold what was indexed there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import MediaError
from indexer.media import content_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.engines.base import Index
    from indexer.records import Deleted, MediaFile


def gone_files(index: Index) -> list[MediaFile]:
    """Return the known files that are gone or hold other bytes now."""
    return [file for file in index.iter_files() if not _holds(file)]


def prune(index: Index, gone: Sequence[MediaFile]) -> Deleted:
    """Forget the paths; delete the media that are left without any."""
    for file in gone:
        index.remove_file(file.path)
    return index.delete_media([media.id for media in index.iter_media() if not media.paths])


def _holds(file: MediaFile) -> bool:
    path = Path(file.path)
    try:
        stat = path.stat()
        if (stat.st_size, stat.st_mtime_ns) == (file.size_bytes, file.mtime_ns):
            return True
        return content_id(path) == file.media_id
    except (OSError, MediaError):
        return False
