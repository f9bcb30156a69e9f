"""Uploads that are to be indexed: kept in media_root by what they hold, and deleted from there.

A file lies in `media_root/AB/ABCD…/NAME`, under its media id: sent twice, under whatever name, it
is kept once, and what lies elsewhere is never taken for an upload.
"""

from __future__ import annotations

import logging
import os
import secrets
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from api.photo_queries import upload_name
from api.problems import Problem, is_full
from api.service import current
from indexer import uploads
from indexer.errors import EnvironmentFailure, IndexFailure, MediaError
from indexer.media import content_id
from indexer.text import shown
from indexer.uploads import media_root, upload_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from werkzeug.datastructures import FileStorage

    from indexer.records import Media

log = logging.getLogger("sightings.api")

_NAME_BYTES = 200


@dataclass
class KeptUploads:
    """Uploads that lie in media_root now: what each of them is, by its path.

    failed: in words, what cannot be used.
    """

    looks: dict[Path, tuple[Media, np.ndarray]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    fresh: list[Path] = field(default_factory=list, repr=False)


@contextmanager
def kept_uploads(sent: Sequence[FileStorage]) -> Iterator[KeptUploads]:
    """Keep uploads in media_root; those that are in no media at the end are deleted again.

    Raises Problem for what is too large, or if none of them can be used, EnvironmentFailure if they
    cannot be written, OSError if there is no space for them.
    """
    kept = KeptUploads()
    try:
        for upload in sent:
            try:
                _keep(upload, kept)
            except MediaError as error:  # noqa: PERF203, one bad file does not end the others
                kept.failed.append(str(error))
        if not kept.looks:
            raise Problem("media_refused", kept.failed[0])
        yield kept
    finally:
        delete_uploads(_without_media(kept))


def delete_uploads(media: Iterable[Media]) -> int:
    """Delete the files of media that were uploaded, and no others; return how many."""
    deleted = uploads.delete_uploads(media, media_root(current().settings))
    for path in deleted.left:
        log.warning("The upload %s is still there: delete it by hand.", shown(path))
    return deleted.files


def _keep(upload: FileStorage, kept: KeptUploads) -> None:
    """Keep one upload, or use the file that is there already.

    Raises MediaError for what is no photo or video, is too long or has too many pixels, Problem
    for one that is too large, EnvironmentFailure if it cannot be written, OSError if there is no
    space for it.
    """
    service, name = current(), upload_name(upload.filename)
    root = media_root(service.settings)
    try:
        arrived = service.incoming.folder / secrets.token_hex(16)
        try:
            upload.save(arrived)
            look = _looked(arrived, name)
            folder = upload_folder(root, content_id(arrived))
            path = _same_file(folder, arrived)
            if path is None:
                path = folder / _file_name(name)
                folder.mkdir(parents=True, exist_ok=True, mode=0o750)
                arrived.chmod(0o640)
                arrived.replace(path)
                kept.fresh.append(path)
            kept.looks[path] = look
        finally:
            arrived.unlink(missing_ok=True)
    except OSError as error:
        if is_full(error):
            raise  # which is answered as what it is
        raise EnvironmentFailure(
            f"Uploads cannot be kept in {root} ({error.strerror}): see api.media_root."
        ) from error


def _looked(path: Path, name: str) -> tuple[Media, np.ndarray]:
    service = current()
    limits = service.settings.api
    if path.stat().st_size > limits.max_upload_bytes:
        raise Problem("too_large", f"{name}: at most {limits.max_upload_bytes} bytes are allowed.")
    look = service.decoders.look(path, name=name, max_pixels=service.settings.media.max_pixels)
    if (look[0].duration_s or 0.0) > limits.max_duration_s:
        raise MediaError(
            f"{name} is {look[0].duration_s:.0f} s long; api.max_duration_s allows "
            f"{limits.max_duration_s:.0f}."
        )
    return look


def _same_file(folder: Path, arrived: Path) -> Path | None:
    """Return the file with the same bytes that is in their folder already, under any name."""
    size_bytes = arrived.stat().st_size
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return next((path for path in found if path.stat().st_size == size_bytes), None)


def _without_media(kept: KeptUploads) -> Iterator[Media]:
    """Yield, as media, what was kept but is no file of its media in the index.

    If the index cannot tell, it is taken for none: it can be sent again.
    """
    for path in kept.fresh:
        known, media_id = None, path.parent.name
        with suppress(IndexFailure):
            known = current().index.get_media(media_id)
        if known is None or str(path) not in known.paths:
            yield replace(kept.looks[path][0], id=media_id, paths=(str(path),))


def _file_name(name: str) -> str:
    """Return a name that any file system takes, with the suffix kept."""
    plain = name.lstrip(".").replace("/", "_") or "upload"
    stem, suffix = os.path.splitext(plain)  # noqa: PTH122  # a text, no path here
    suffix = suffix[:16]
    room = _NAME_BYTES - len(suffix.encode())
    return stem.encode()[:room].decode(errors="ignore") + suffix
