"""An index file of a crowd: half of its faces in photos of one or two, half in long videos."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from indexer.engines.embedded import faces as face_rows
from indexer.engines.embedded import media as media_rows
from indexer.engines.embedded import packing, versions
from indexer.engines.embedded.connection import Database
from indexer.records import (
    Face,
    Media,
    MediaFile,
    ModelIdentity,
    SegmentCounts,
    SegmentSpan,
    face_id,
)
from indexer.settings import AppearanceSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.search.people import Crowd
    from indexer.engines.base import Index

FACES_OF_VIDEO = 100
FACES_OF_APPEARANCE = 5
VIDEO_S = 600.0
THUMBNAIL_BYTES = 3000
SMALLEST_PX, LARGEST_PX = 40.0, 400.0

_WRITTEN_TOGETHER = 10_000
_NOISE = np.random.default_rng(0).bytes(1 << 22)
"""What thumbnails are cut from: like JPEG, it cannot be compressed."""


def model_of(dimensions: int) -> ModelIdentity:
    """Return a model of these dimensions."""
    return ModelIdentity("benchmark", dimensions, "none", "0" * 64, "none", "none")


def media_numbers(faces: int) -> np.ndarray:
    """Return the number of each face's media, (faces,) int64, ascending."""
    in_photos = np.arange(faces // 2) * 2 // 3
    in_videos = np.arange(faces - len(in_photos)) // FACES_OF_VIDEO
    first_video = in_photos[-1] + 1 if len(in_photos) else 0
    return np.concatenate([in_photos, in_videos + first_video])


def write_index(path: Path, crowd: Crowd) -> None:
    """Make an index file of a crowd, as indexing leaves it: its blocks are stored on the way."""
    database = Database(str(path), create=True, busy_timeout_s=60.0)
    numbers = media_numbers(len(crowd))
    first_video = numbers[len(crowd) // 2] if len(crowd) > 1 else 0
    model = model_of(crowd.vectors.shape[1])
    with database.writing() as connection:
        versions.adopt(connection, model)
        version = versions.live(connection)
    assert version is not None
    known = -1
    for start in range(0, len(crowd), _WRITTEN_TOGETHER):
        rows = range(start, min(start + _WRITTEN_TOGETHER, len(crowd)))
        with database.writing() as connection:
            for number in range(known + 1, int(numbers[rows[-1]]) + 1):
                media = media_of(number, video=number >= first_video)
                media_rows.put(connection, media, before=None)
                media_rows.put_file(connection, MediaFile(media.path, 1, 1, media.id))
            known = int(numbers[rows[-1]])
            faces = list(_faces(crowd, rows, numbers, int(first_video), model.key))
            face_rows.insert(connection, faces, version=version.number, dimensions=model.dimensions)
            connection.executemany(
                """UPDATE faces SET appearance_id = ?, appearance_start_s = ?,
                     appearance_end_s = ?, person = ? WHERE id = ?""",
                [
                    (
                        face.appearance_id,
                        face.appearance_start_s,
                        face.appearance_end_s,
                        None if face.person is None else face.person.encode(),
                        face.id,
                    )
                    for face in faces
                ],
            )
        packing.pack(database, at_least=packing.MANY)
    with database.writing() as connection:
        connection.execute("UPDATE media SET state = 'done'")
    packing.pack(database)
    database.close()


def media_of(number: int, *, video: bool) -> Media:
    """Return a photo or a video."""
    media_id = f"{number:032x}"
    folder = f"{'videos' if video else 'photos'}/{number % 100:02}"
    return Media(
        id=media_id,
        kind="video" if video else "photo",
        size_bytes=1 << 20,
        width=1920,
        height=1080,
        duration_s=VIDEO_S if video else None,
        paths=(f"/{folder}/{number}.{'mp4' if video else 'jpg'}",),
        state="done",
        options="none",
    )


def row_of(face: Face) -> int:
    """Return the row of a crowd that a face of its index was made of."""
    return face.frame_index


def _faces(
    crowd: Crowd, rows: range, numbers: np.ndarray, first_video: int, model: str
) -> Iterator[Face]:
    """Yield faces; every other person has a name."""
    sizes = np.random.default_rng(rows[0]).uniform(SMALLEST_PX, LARGEST_PX, len(rows))
    step_s = VIDEO_S / FACES_OF_VIDEO
    for row, face_px in zip(rows, sizes.tolist(), strict=True):
        number, person = int(numbers[row]), int(crowd.persons[row])
        media_id = f"{number:032x}"
        in_video = number >= first_video
        within = row % FACES_OF_VIDEO if in_video else 0
        left = 40.0 + 8 * (row % 150)
        face = _face(media_id, within * step_s, left, face_px, model, crowd.vectors[row], row=row)
        named = replace(face, person=f"Person {person}" if person % 2 else None)
        first = within - within % FACES_OF_APPEARANCE
        yield (
            named
            if not in_video
            else replace(
                named,
                appearance_id=f"{media_id}-{first}",
                appearance_start_s=first * step_s,
                appearance_end_s=(first + FACES_OF_APPEARANCE - 1) * step_s,
            )
        )


def _face(
    media_id: str,
    time_s: float,
    left: float,
    face_px: float,
    model: str,
    vector: np.ndarray,
    *,
    row: int,
) -> Face:
    box = (left, 80.0, left + face_px, 80.0 + face_px)
    at = row * 37 % (len(_NOISE) - THUMBNAIL_BYTES)
    return Face(
        id=face_id(media_id, time_s, box),
        media_id=media_id,
        segment=0,
        frame_index=row,
        timestamp_s=time_s,
        box_xyxy=box,
        landmarks_xy=tuple((left + 20.0 + 10 * i, 120.5) for i in range(5)),
        frame_width=1920,
        frame_height=1080,
        probability=0.99,
        face_px=face_px,
        sharpness=120.0,
        model=model,
        embedding=vector,
        thumbnail=_NOISE[at : at + THUMBNAIL_BYTES],
    )


def add_photo(index: Index, name: str, vectors: np.ndarray) -> None:
    """Index a photo of faces through the contract, as indexing does."""
    media_id = hashlib.sha256(name.encode()).hexdigest()[:32]
    media = Media(media_id, "photo", 1 << 20, 1920, 1080, options="none")
    model = model_of(vectors.shape[1])
    index.start_media(media, [SegmentSpan(0)])
    segment = index.claim_segment(media_id, owner="benchmark", lease_s=60.0, max_attempts=1)
    assert segment is not None
    faces = [
        _face(media_id, 0.0, 100.0 * n, 100.0, model.key, vector, row=0)
        for n, vector in enumerate(vectors)
    ]
    index.finish_segment(segment, faces, tracks=b"", counts=SegmentCounts())
    index.link_appearances(media_id, AppearanceSettings())
