"""Small media, faces and labels with which the contract is tested.

Embeddings have eight dimensions, so that a cosine can be read off the test.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.records import (
    Face,
    Label,
    Media,
    MediaFile,
    ModelIdentity,
    SegmentCounts,
    SegmentSpan,
    Thresholds,
    face_id,
)
from indexer.settings import AppearanceSettings
from indexer.tracks import Track, pack_tracks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.engines.base import Index
    from indexer.records import Segment

MODEL = ModelIdentity(
    name="tiny",
    dimensions=8,
    recipe="square crops of 8 px",
    weights_sha256="1" * 64,
    weights_path="/models/tiny.onnx",
    licence="CC0",
    thresholds=Thresholds(possible=0.5, same_person=0.7, basis="made up"),
)
OTHER_MODEL = replace(MODEL, name="large", dimensions=4, weights_sha256="2" * 64)
NOON = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)
WHOLE = (SegmentSpan(0),)


def axis(number: int, dimensions: int = 8) -> np.ndarray:
    """One of the vectors that are orthogonal to each other."""
    return np.eye(dimensions, dtype=np.float32)[number]


def at_cosine(cosine: float, towards: int = 1) -> np.ndarray:
    """A vector with this cosine to axis(0)."""
    vector = cosine * axis(0) + math.sqrt(1.0 - cosine**2) * axis(towards)
    return vector.astype(np.float32)


def random_vectors(count: int, seed: int, dimensions: int = 8) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, dimensions))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def photo(name: str, **changes: Any) -> Media:
    media_id = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return replace(Media(media_id, "photo", 1000, 640, 480, options="a"), **changes)


def video(name: str, **changes: Any) -> Media:
    return photo(name, kind="video", duration_s=60.0, **changes)


def make_face(
    media: Media, embedding: np.ndarray, *, at_s: float = 0.0, x: float = 0.0, **changes: Any
) -> Face:
    """A face of 50 px, `x` pixels from the left."""
    box = (x, 100.0, x + 50.0, 150.0)
    face = Face(
        id=face_id(media.id, at_s, box),
        media_id=media.id,
        segment=0,
        frame_index=round(at_s * 25),
        timestamp_s=at_s,
        box_xyxy=box,
        landmarks_xy=tuple((x + 10.5 * i, 110.25) for i in range(1, 6)),
        frame_width=640,
        frame_height=480,
        probability=0.95,
        face_px=50.0,
        sharpness=100.0,
        model=MODEL.key,
        embedding=embedding,
        thumbnail=f"jpeg of {media.id} at {at_s} s, {x} px".encode(),
    )
    return replace(face, **changes)


def make_label(face: Face, person: str, **changes: Any) -> Label:
    label = Label(face.media_id, face.timestamp_s, face.box_xyxy, person, "hand", NOON)
    return replace(label, **changes)


def make_track(faces: Sequence[Face], *, start_s: float, end_s: float) -> Track:
    return Track(
        start_s,
        end_s,
        faces[0].box_xyxy,
        faces[-1].box_xyxy,
        faces[0].vector,
        faces[-1].vector,
        faces[0].vector,
        still_open=False,
        face_ids=tuple(face.id for face in faces),
    )


def claim(index: Index, media: Media, owner: str = "worker", lease_s: float = 60.0) -> Segment:
    segment = index.claim_segment(media.id, owner=owner, lease_s=lease_s, max_attempts=3)
    assert segment is not None
    return segment


def start(index: Index, media: Media, spans: Sequence[SegmentSpan] = WHOLE) -> Segment:
    """Start a media and claim its first segment."""
    index.adopt_model(MODEL)
    index.start_media(media, spans)
    return claim(index, media)


def finish(
    index: Index, segment: Segment, faces: Sequence[Face] = (), *, tracks: bytes = b""
) -> None:
    counts = SegmentCounts(frames=1, key_frames=1, faces=len(faces))
    index.finish_segment(segment, faces, tracks=tracks, counts=counts)


def link(index: Index, media: Media) -> Media:
    return index.link_appearances(media.id, AppearanceSettings())


def put_path(index: Index, media: Media, path: str) -> None:
    index.put_file(MediaFile(path, media.size_bytes, 1, media.id))


def add_photo(
    index: Index, name: str, *embeddings: np.ndarray, path: str | None = None, **changes: Any
) -> list[Face]:
    """Index a photo with faces from left to right; `changes` are of the faces."""
    media = photo(name)
    if path is not None:
        put_path(index, media, path)
    faces = [
        make_face(media, embedding, x=100.0 * i, **changes)
        for i, embedding in enumerate(embeddings)
    ]
    finish(index, start(index, media), faces)
    link(index, media)
    return faces


def add_video(
    index: Index, name: str, *runs: tuple[float, float, Sequence[np.ndarray]]
) -> list[list[Face]]:
    """Index a video of appearances (start_s, end_s, embeddings of its faces from the start)."""
    media = video(name)
    appearances = []
    for i, (start_s, end_s, embeddings) in enumerate(runs):
        step_s = (end_s - start_s) / len(embeddings)
        appearances.append(
            [
                make_face(media, embedding, at_s=start_s + n * step_s, x=100.0 * i)
                for n, embedding in enumerate(embeddings)
            ]
        )
    tracks = [
        make_track(faces, start_s=run[0], end_s=run[1])
        for faces, run in zip(appearances, runs, strict=True)
    ]
    faces = [face for of_one in appearances for face in of_one]
    finish(index, start(index, media), faces, tracks=pack_tracks(tracks, min_cosine=0.5))
    link(index, media)
    return appearances


def present(index: Index, face: Face) -> Face:
    """The face as the index has it now."""
    found = index.get_face(face.id)
    assert found is not None
    return found
