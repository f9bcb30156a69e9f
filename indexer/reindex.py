"""Stored faces -> embeddings of another model, beside the live ones; resumable by media."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer.embeddings.base import wants_whole_pictures
from indexer.embeddings.reduced import Reduced
from indexer.errors import MediaError, UsageError
from indexer.media import content_id
from indexer.records import Detection, Filters
from indexer.reports import Progress
from indexer.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.embeddings.base import Embedder
    from indexer.engines.base import Index
    from indexer.records import Face, Media
    from indexer.settings import Settings

SAME_FRAME_S = 0.0005
"""Stored times and decoded ones are the same numbers; this allows for rounding."""


@dataclass
class ReindexReport:
    """What a re-indexing did; `failed` says in words which media stand in its way."""

    media: int = 0
    faces: int = 0
    failed: list[str] = field(default_factory=list)
    activated: bool = False


def reindex(
    index: Index, embedder: Embedder, settings: Settings, progress: Progress | None = None
) -> ReindexReport:
    """Embed every stored face with another model and make it the live one.

    Ids, labels and appearances stay. The live embeddings answer searches until the new ones are
    complete; if some media cannot be read any more, they stay live and a later call goes on. A
    model that reduces the live embeddings is given those, and no media is read.
    Raises UsageError for a model of faces where whole pictures are stored, and the other way round.
    """
    progress, report = progress or Progress(), ReindexReport()
    _check_kind(index, embedder)
    reducing = _reducing(index, embedder)
    index.begin_version(embedder.identity)
    unembedded = index.unembedded_faces(embedder.identity.key)
    pending = list(dict.fromkeys(face.media_id for face in unembedded))
    progress.start_run(len(pending))
    for media_id in pending:
        media = index.get_media(media_id)
        if media is not None:
            progress.start_file(media.path, media.duration_s)
            try:
                report.faces += (
                    _reduce_media(index, media, reducing)
                    if reducing
                    else _embed_media(index, media, embedder, settings, progress)
                )
                report.media += 1
            except MediaError as error:
                report.failed.append(str(error))
        progress.finish_file(media.path if media else media_id)
    if not report.failed:
        index.activate_version(embedder.identity.key)
        report.activated = True
    return report


def _check_kind(index: Index, embedder: Embedder) -> None:
    live = index.model
    if live is not None and wants_whole_pictures(live) != embedder.whole_pictures:
        stored, wanted = ("faces", "whole pictures")
        if wants_whole_pictures(live):
            stored, wanted = wanted, stored
        raise UsageError(
            f"The index holds {stored}, and {embedder.identity.key} embeds {wanted}: index the "
            "media into a new index with it."
        )


def _reducing(index: Index, embedder: Embedder) -> Reduced | None:
    """Return the model if it reduces the live embeddings."""
    if not isinstance(embedder, Reduced) or index.model is None:
        return None
    return embedder if index.model.key == embedder.base.identity.key else None


def _reduce_media(index: Index, media: Media, reducing: Reduced) -> int:
    faces = list(index.iter_faces(Filters(media_ids=(media.id,)), embeddings=True))
    if not faces:
        return 0
    vectors = reducing.reduced(np.array([face.vector for face in faces]))
    ids = [face.id for face in faces]
    index.put_vectors(reducing.identity.key, dict(zip(ids, vectors, strict=True)))
    return len(faces)


def _embed_media(
    index: Index, media: Media, embedder: Embedder, settings: Settings, progress: Progress
) -> int:
    faces = list(index.iter_faces(Filters(media_ids=(media.id,))))
    if not faces:
        return 0
    path = _present_path(media)
    last_s = max(face.timestamp_s for face in faces)
    by_time = {
        timestamp_s: list(group)
        for timestamp_s, group in groupby(faces, key=lambda face: face.timestamp_s)
    }
    times_s = np.array(sorted(by_time))
    vectors: dict[str, np.ndarray] = {}
    with open_source(path, media.kind, settings) as source:
        for frame in source.frames(times_s[0] - SAME_FRAME_S, last_s + 2 * SAME_FRAME_S):
            progress.reach(media.path, frame.timestamp_s)
            nearest_s = times_s[np.abs(times_s - frame.timestamp_s).argmin()]
            if abs(nearest_s - frame.timestamp_s) <= SAME_FRAME_S:
                vectors |= _embed_faces(by_time[nearest_s], frame.image_rgb, embedder)
    if len(vectors) < len(faces):
        raise MediaError(
            f"{path}: {len(faces) - len(vectors)} of {len(faces)} faces lie in frames that can no "
            "longer be read. Index it again with --force, or remove it: sightings media remove."
        )
    index.put_vectors(embedder.identity.key, vectors)
    return len(vectors)


def _embed_faces(
    faces: Sequence[Face], image_rgb: np.ndarray, embedder: Embedder
) -> dict[str, np.ndarray]:
    detections = [Detection(face.box_xyxy, face.landmarks_xy, face.probability) for face in faces]
    crops = np.array([embedder.crop(image_rgb, detection) for detection in detections])
    return dict(zip((face.id for face in faces), embedder.embed(crops), strict=True))


def _present_path(media: Media) -> Path:
    for known in media.paths:
        path = Path(known)
        if path.is_file() and content_id(path) == media.id:
            return path
    raise MediaError(
        f"{media.path} is no longer there (or has other content), so its faces cannot be embedded "
        "anew. Bring it back, or remove what is gone: sightings media prune."
    )
