"""The uploads of media that a command deletes go with them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from indexer.cli.output import note, say
from indexer.errors import PurgeUnfinished
from indexer.text import counted, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from indexer.records import Media
    from indexer.settings import Settings


@contextmanager
def with_uploads(media: Iterable[Media], settings: Settings) -> Iterator[None]:
    """Delete the media's uploads once they are out of the index, purged or not; say how many."""
    try:
        yield
    except PurgeUnfinished:
        say_uploads_deleted(media, settings)
        raise
    say_uploads_deleted(media, settings)


def say_uploads_deleted(media: Iterable[Media], settings: Settings) -> None:
    """Delete the uploads of media that are out of the index, and say how many that were."""
    from indexer.uploads import delete_uploads, media_root

    deleted = delete_uploads(media, media_root(settings.api))
    if deleted.files:
        say(f"Deleted {counted(deleted.files, 'uploaded file')}.")
    for path in deleted.left:
        note(
            f"The upload {shown(path)} is still there: it may not be deleted from here, or lies "
            "outside of api.media_root. Delete it by hand."
        )
