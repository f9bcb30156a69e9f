"""What a person types -> the media or face that is meant: paths and shortened ids."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from indexer.errors import NotFound, UsageError

if TYPE_CHECKING:
    from indexer.engines.base import Index
    from indexer.records import Face, Media


def find_media(index: Index, text: str) -> Media:
    """Return a media by its path, its id, or the first digits of its id.

    Raises NotFound for no such media, UsageError where several ids begin so.
    """
    file = index.find_file(os.path.abspath(text))  # noqa: PTH100  # resolve() follows links
    if media := index.get_media(file.media_id if file else text):
        return media
    matches = [media for media in index.iter_media() if text and media.id.startswith(text)]
    if len(matches) > 1:
        raise UsageError(f"The ids of {len(matches)} media begin with {text!r}: give more of it.")
    if not matches:
        raise NotFound(f"No media {text!r} in the index; `sightings media list` shows them.")
    return matches[0]


def find_face(index: Index, text: str) -> Face:
    """Return a face, with its embedding, by its id; the media part of it may be shortened.

    Raises NotFound for no such face, UsageError where several media ids begin so.
    """
    if face := index.get_face(text):
        return face
    media_part, _, rest = text.partition("-")
    with suppress(NotFound):
        if rest and (face := index.get_face(f"{find_media(index, media_part).id}-{rest}")):
            return face
    raise NotFound(f"No face {text!r} in the index; `sightings faces MEDIA` lists them.")
