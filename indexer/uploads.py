"""Where uploads lie, and deleting them: the only files that Sightings ever deletes.

The service keeps each in `media_root/AB/ABCD…/NAME`, under its media id, so that nothing that lies
elsewhere is taken for one.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.engines.elastic.location import is_on_cluster, parse_location
from indexer.location import index_location

if TYPE_CHECKING:
    from collections.abc import Iterable

    from indexer.records import Media
    from indexer.settings import Settings

_NAME_BYTES = 100


@dataclass(frozen=True)
class DeletedUploads:
    """How many files were deleted, and uploads that are still there: other rights, another root."""

    files: int
    left: tuple[Path, ...] = ()


def media_root(settings: Settings) -> Path:
    """Return the folder of uploads, with links resolved.

    Without the setting it is one that no other index has: what one deletes, another may hold.
    """
    if settings.api.media_root:
        return Path(settings.api.media_root).resolve()
    from platformdirs import user_data_path

    folder = user_data_path("sightings") / "media" / _folder_name(index_location(settings))
    return folder.resolve()


def _folder_name(location: str) -> str:
    """Return a name for people to read that is the same however a location is written.

    Not of clusters: a node has more than one name, and each gives a folder of its own.
    """
    if is_on_cluster(location):
        found = parse_location(location)
        name, whole = found.name, f"{','.join(sorted(found.urls))}/{found.name}"
    else:
        path = Path(location).resolve()
        name, whole = path.stem.lstrip("."), str(path)
    digest = hashlib.sha256(os.fsencode(whole)).hexdigest()[:8]
    return f"{os.fsencode(name)[:_NAME_BYTES].decode(errors='ignore')}-{digest}"


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
