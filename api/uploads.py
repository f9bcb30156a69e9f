"""Uploads that are to be indexed: kept in media_root by what they hold, and deleted from there.

A file lies in `media_root/AB/ABCD…/NAME`, under its media id: sent twice, it is kept once, and
what lies elsewhere is never taken for an upload.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from api.photo_queries import upload_name
from api.problems import Problem
from api.security.roots import media_root
from api.service import current
from indexer.errors import EnvironmentFailure, MediaError
from indexer.media import content_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from werkzeug.datastructures import FileStorage

    from indexer.records import Media

_NAME_BYTES = 200
_INCOMING = ".incoming"


def keep_upload(upload: FileStorage) -> Path:
    """Keep an upload in media_root and return its path.

    Raises MediaError for what is no photo or video, is too long or has too many pixels, Problem
    for one that is too large, EnvironmentFailure if it cannot be written.
    """
    service, name = current(), upload_name(upload.filename)
    root = media_root(service.settings.api)
    fresh = root / _INCOMING / secrets.token_hex(16)
    try:
        fresh.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        upload.save(fresh)
        _require_usable(fresh, name)
        folder = _folder(root, content_id(fresh))
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        fresh.chmod(0o640)
        fresh.replace(folder / _file_name(name))
        return folder / _file_name(name)
    except OSError as error:
        raise EnvironmentFailure(
            f"Uploads cannot be kept in {root} ({error.strerror}): see api.media_root."
        ) from error
    finally:
        fresh.unlink(missing_ok=True)


def delete_uploads(media: Iterable[Media]) -> int:
    """Delete the files of media that were uploaded, and no others; return how many."""
    root, deleted = media_root(current().settings.api), 0
    for each in media:
        folder = _folder(root, each.id)
        for path in map(Path, each.paths):
            if path.parent != folder or folder.resolve() != folder:
                continue
            with contextlib.suppress(OSError):
                path.unlink()
                deleted += 1
                folder.rmdir()
                folder.parent.rmdir()
    return deleted


def _require_usable(path: Path, name: str) -> None:
    service = current()
    limits = service.settings.api
    if path.stat().st_size > limits.max_upload_bytes:
        raise Problem("too_large", f"{name}: at most {limits.max_upload_bytes} bytes are allowed.")
    media = service.decoders.probe(path, name=name, max_pixels=service.settings.media.max_pixels)
    if (media.duration_s or 0.0) > limits.max_duration_s:
        raise MediaError(
            f"{name} is {media.duration_s:.0f} s long; api.max_duration_s allows "
            f"{limits.max_duration_s:.0f}."
        )


def _folder(root: Path, media_id: str) -> Path:
    return root / media_id[:2] / media_id


def _file_name(name: str) -> str:
    """Return a name that any file system takes, with the suffix kept."""
    plain = name.lstrip(".").replace("/", "_") or "upload"
    stem, suffix = os.path.splitext(plain)  # noqa: PTH122  # a text, no path here
    suffix = suffix[:16]
    room = _NAME_BYTES - len(suffix.encode())
    return stem.encode()[:room].decode(errors="ignore") + suffix
