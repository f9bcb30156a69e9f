"""Where uploads lie, and deleting them: the only files that Sightings ever deletes.

The service keeps each in `media_root/AB/ABCD…/NAME`, under its media id, so that nothing that lies
elsewhere is taken for one.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from indexer.records import Media
    from indexer.settings_api import ApiSettings


@dataclass(frozen=True)
class DeletedUploads:
    """How many files were deleted, and uploads that are still there: other rights, another root."""

    files: int
    left: tuple[Path, ...] = ()


def media_root(settings: ApiSettings) -> Path:
    """Return the folder of uploads, with links resolved."""
    if settings.media_root:
        return Path(settings.media_root).resolve()
    from platformdirs import user_data_path

    return (user_data_path("sightings") / "media").resolve()


def upload_folder(root: Path, media_id: str) -> Path:
    """Return the folder of a media's uploads."""
    return root / media_id[:2] / media_id


def delete_uploads(media: Iterable[Media], root: Path) -> DeletedUploads:
    """Delete the files of media that were uploaded to `root`, and no others.

    root: with links resolved. Folders that are empty then go, too.
    """
    deleted, left = 0, []
    for each in media:
        folder = upload_folder(root, each.id)
        for path in map(Path, each.paths):
            if path.parent == folder and folder.resolve() == folder:
                deleted += _deleted(path)
            # One that another service has kept, or this one before its root was another.
            is_upload = path.parent.parts[-2:] == folder.parts[-2:]
            if is_upload and _is_there(path):
                left.append(path)
    return DeletedUploads(deleted, tuple(left))


def _deleted(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    with suppress(OSError):
        path.parent.rmdir()
        path.parent.parent.rmdir()
    return True


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # in a folder that may not be read
        return True
