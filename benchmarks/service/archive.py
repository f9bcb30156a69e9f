"""The index that is searched: videos of made-up people, indexed and linked."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.elasticsearch.gallery import FACES_OF_APPEARANCE, synthetic
from indexer.engines import open_index
from indexer.records import SegmentCounts, SegmentSpan, Thresholds
from indexer.settings import AppearanceSettings
from indexer.tracks import Track, pack_tracks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.elasticsearch.gallery import Gallery
    from indexer.engines.base import Index
    from indexer.records import Face, ModelIdentity

LIKE_FACENET = Thresholds(possible=0.35, same_person=0.5, basis="made up")
"""Below the cosines of made-up people's own faces, above those of strangers."""

_LINK_COSINE = 0.35


def make_archive(path: Path, faces: int, *, asked: int, seed: int = 0) -> list[str]:
    """Index made-up faces into a new file, and return the ids of those to search for."""
    gallery = synthetic(faces, seed=seed)
    model = replace(gallery.model, thresholds=LIKE_FACENET)
    with open_index(str(path), create=True) as index:
        index.adopt_model(model)
        ids = [
            face.id
            for media_id, of_media in groupby(gallery.faces(), lambda face: face.media_id)
            for face in _store(index, gallery, media_id, list(of_media), model)
        ]
    chosen = np.random.default_rng(seed).choice(len(ids), min(asked, len(ids)), replace=False)
    return [ids[number] for number in chosen]


def _store(
    index: Index, gallery: Gallery, media_id: str, faces: list[Face], model: ModelIdentity
) -> list[Face]:
    """Store a video with one segment and link its appearances; return its faces."""
    stored = [replace(face, model=model.key, person=None, appearance_id=None) for face in faces]
    media = gallery.media(int(media_id, 16))
    index.start_media(media, [SegmentSpan(0)])
    segment = index.claim_segment(media_id, owner="benchmark", lease_s=600.0, max_attempts=1)
    assert segment is not None
    parts = [
        stored[start : start + FACES_OF_APPEARANCE]
        for start in range(0, len(stored), FACES_OF_APPEARANCE)
    ]
    tracks = pack_tracks(map(_track, parts), min_cosine=_LINK_COSINE)
    counts = SegmentCounts(frames=len(stored), key_frames=len(stored), faces=len(stored))
    index.finish_segment(segment, stored, tracks=tracks, counts=counts)
    index.link_appearances(media_id, AppearanceSettings())
    return stored


def _track(faces: Sequence[Face]) -> Track:
    first, last = faces[0], faces[-1]
    return Track(
        first.timestamp_s,
        last.timestamp_s,
        first.box_xyxy,
        last.box_xyxy,
        first.vector,
        last.vector,
        first.vector,
        still_open=False,
        face_ids=tuple(face.id for face in faces),
    )
