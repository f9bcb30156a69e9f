"""A path -> the file as it is now, and the media that it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.files import status_of
from indexer.media import content_id, probe
from indexer.records import MediaFile, SegmentSpan
from indexer.sources import open_source, spans_of

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.records import Media
    from indexer.settings import Settings


def identify(index: Index, path: Path, settings: Settings) -> tuple[MediaFile, Media]:
    """Return the file as it is now and its media, as stored or, if new, as probed.

    A file whose size and modification time the index knows is not read. Raises MediaError.
    """
    stat = status_of(path)
    known = index.find_file(str(path))
    unchanged = known and (known.size_bytes, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    media_id = known.media_id if known and unchanged else content_id(path)
    media = index.get_media(media_id)
    media = media or probe(path, media_id, settings.media)
    return MediaFile(str(path), stat.st_size, stat.st_mtime_ns, media_id), media


def segments_of(path: Path, media: Media, settings: Settings) -> list[SegmentSpan]:
    """Return the segments of a media; a photo is not read for that. Raises MediaError."""
    if media.kind == "photo":
        return [SegmentSpan(0)]
    with open_source(path, media.kind, settings) as source:
        return spans_of(source, media.kind, settings.keyframes.segment_s)
