"""The uploads of media that a command deletes go with them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from indexer.cli.output import note, say
from indexer.errors import PurgeUnfinished
from indexer.text import counted, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from indexer.records import Media
    from indexer.settings import Settings


@contextmanager
def with_uploads(media: Collection[Media], settings: Settings) -> Iterator[None]:
    """Delete the media's uploads once they are out of the index, purged or not; say how many."""
    try:
        yield
    except PurgeUnfinished:
        say_uploads(delete_uploads_of(media, settings))
        raise
    say_uploads(delete_uploads_of(media, settings))


def delete_uploads_of(media: Iterable[Media], settings: Settings) -> int:
    """Delete the uploads of media that are out of the index; note those that stay.

    Returns how many were deleted.
    """
    from indexer.uploads import delete_uploads, media_root

    deleted = delete_uploads(media, media_root(settings))
    for path in deleted.left:
        note(
            f"The upload {shown(path)} is still there: it may not be deleted from here, or lies "
            "outside of api.media_root. Delete it by hand."
        )
    return deleted.files


def say_uploads(files: int) -> None:
    """Print how many uploads were deleted, if any were."""
    if files:
        say(f"Deleted {counted(files, 'uploaded file')}.")
