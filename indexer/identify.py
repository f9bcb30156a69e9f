"""A path -> the file as it is now, and the media that it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer.files import status_of
from indexer.media import content_id, look
from indexer.records import Media, MediaFile

if TYPE_CHECKING:
    from indexer.engines.base import Index
    from indexer.settings import Settings

Look = Callable[[Path], tuple[Media, np.ndarray]]
"""Opens a file and tells what it is, and when its frames are shown, as `indexer.media.look` does.
Its id is left to the caller. Raises MediaError."""


def looking(settings: Settings) -> Look:
    """Return a `Look` that opens files in this process."""
    return lambda path: look(path, "", settings.media)


def identify(index: Index, path: Path, probe: Callable[[Path], Media]) -> tuple[MediaFile, Media]:
    """Return the file as it is now and its media, as stored or, if new, as `probe` tells.

    probe: opens a file and tells what it is; its id is left to this.
    A file whose size and modification time the index knows is not read. Raises MediaError.
    """
    stat = status_of(path)
    known = index.find_file(str(path))
    unchanged = known and (known.size_bytes, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    media_id = known.media_id if known and unchanged else content_id(path)
    media = index.get_media(media_id) or replace(probe(path), id=media_id)
    return MediaFile(str(path), stat.st_size, stat.st_mtime_ns, media_id), media
