"""The stages for one segment of a media: frames -> key frames -> faces -> embeddings -> tracks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.appearances import best_faces
from indexer.keyframes import key_frames, random_times
from indexer.labels import find_face
from indexer.records import Face, KeyFrame, SegmentCounts, face_id
from indexer.strategy import parse_strategy
from indexer.tracks import Track, Tracker, pack_tracks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from indexer.faces import FaceDetector
    from indexer.networks import Networks
    from indexer.records import Box, Detection, Frame, Label, Media, SegmentSpan
    from indexer.settings import Settings
    from indexer.sources import Source


@dataclass(frozen=True)
class SegmentFaces:
    """What a segment gives: the faces kept, its packed tracks, and what was met."""

    faces: tuple[Face, ...]
    tracks: bytes = field(repr=False)
    counts: SegmentCounts


def process_segment(
    media: Media,
    span: SegmentSpan,
    source: Source,
    networks: Networks,
    *,
    labels: Sequence[Label] = (),
    on_time: Callable[[float], None] = lambda _: None,
) -> SegmentFaces:
    """Find, embed and track the faces of one segment.

    labels: the media's; a labelled face is always kept. on_time: called with the time reached,
    often enough to show progress and to renew a lease.
    """
    met = _Met(span)
    frames = met.count(source.frames(span.start_s, span.end_s), on_time)
    if media.kind == "photo":
        found = (
            (KeyFrame(frame, np.inf, frame.timestamp_s), detections)
            for frame in frames
            for detections in networks.detector.detect([frame.image_rgb])
        )
        faces = [
            face for _, on_photo in embedded(found, media, span, networks) for face in on_photo
        ]
        return SegmentFaces(tuple(faces), b"", met.counts(source, 1, len(faces)))
    drawn = _drawn_times(source, networks.settings)
    runs, key_frame_count = _tracked(frames, drawn, media, span, networks)
    kept: list[Face] = []
    tracks: list[Track] = []
    for track, run_faces in runs:
        pinned = {face.id for label in labels if (face := find_face(run_faces, label))}
        best = best_faces(run_faces, networks.settings.appearances.max_faces, pinned)
        kept += best
        tracks.append(replace(track, face_ids=tuple(face.id for face in best)))
    packed = pack_tracks(tracks, min_cosine=networks.link_cosine)
    seen = sum(len(run_faces) for _, run_faces in runs)
    return SegmentFaces(tuple(kept), packed, met.counts(source, key_frame_count, seen))


def looked_at(
    frames: Iterable[Frame],
    drawn_times: frozenset[float],
    detector: FaceDetector,
    settings: Settings,
) -> Iterator[tuple[KeyFrame, list[Detection]]]:
    """Yield a segment's key frames with the faces on them, in the order the settings say."""
    batch_size = settings.faces.batch_size
    if settings.keyframes.order == "difference-first":
        chosen = key_frames(frames, settings.keyframes, drawn_times=drawn_times)
        for batch in _batches(chosen, batch_size):
            yield from zip(batch, detector.detect([k.frame.image_rgb for k in batch]), strict=True)
        return
    found: dict[int, list[Detection]] = {}

    def with_faces() -> Iterator[Frame]:
        for batch in _batches(frames, batch_size):
            results = detector.detect([frame.image_rgb for frame in batch])
            for frame, detections in zip(batch, results, strict=True):
                if detections:
                    found[frame.index] = detections
                    yield frame

    for key_frame in key_frames(with_faces(), settings.keyframes, drawn_times=drawn_times):
        yield key_frame, found.pop(key_frame.frame.index)
        for dropped in [i for i in found if i < key_frame.frame.index]:
            del found[dropped]


def embedded(
    found: Iterable[tuple[KeyFrame, list[Detection]]],
    media: Media,
    span: SegmentSpan,
    networks: Networks,
) -> Iterator[tuple[KeyFrame, list[Face]]]:
    """Yield key frames with their embedded faces; blurred ones are dropped by the settings."""
    from indexer.faces import sharpness

    for batch in _batches(found, networks.settings.faces.batch_size):
        listed = [
            (i, detection, sharp)
            for i, (key_frame, detections) in enumerate(batch)
            for detection in detections
            if (sharp := sharpness(_cut(key_frame.frame.image_rgb, detection.box_xyxy)))
            >= networks.settings.faces.min_sharpness
        ]
        crops = [networks.embedder.crop(batch[i][0].frame.image_rgb, d) for i, d, _ in listed]
        vectors: Iterable[np.ndarray] = networks.embedder.embed(np.array(crops)) if crops else ()
        faces: list[list[Face]] = [[] for _ in batch]
        for (i, detection, sharp), vector in zip(listed, vectors, strict=True):
            identity = networks.embedder.identity
            faces[i].append(
                _face(media, span, batch[i][0].frame, detection, sharp, vector, identity.key)
            )
        yield from ((key_frame, faces[i]) for i, (key_frame, _) in enumerate(batch))


def _tracked(
    frames: Iterable[Frame],
    drawn_times: frozenset[float],
    media: Media,
    span: SegmentSpan,
    networks: Networks,
) -> tuple[list[tuple[Track, tuple[Face, ...]]], int]:
    settings = networks.settings
    tracker = Tracker(min_cosine=networks.link_cosine, max_gap_s=link_gap_s(settings))
    looked = looked_at(frames, drawn_times, networks.detector, settings)
    count = 0
    for key_frame, faces in embedded(looked, media, span, networks):
        tracker.add(key_frame, faces)
        count += 1
    return tracker.runs(), count


def link_gap_s(settings: Settings) -> float:
    """Return how long a person may be unseen: at least one missed frame of a sampled video."""
    strategy = parse_strategy(settings.keyframes.strategy)
    sampled_s = 2.0 / strategy.amount if strategy.name == "fps" else 0.0
    return max(settings.appearances.max_gap_s, sampled_s)


def _drawn_times(source: Source, settings: Settings) -> frozenset[float]:
    strategy = parse_strategy(settings.keyframes.strategy)
    if strategy.name != "random":
        return frozenset()
    return random_times(source.timestamps_s, int(strategy.amount), settings.keyframes.seed)


def _face(
    media: Media,
    span: SegmentSpan,
    frame: Frame,
    detection: Detection,
    sharp: float,
    vector: np.ndarray,
    model: str,
) -> Face:
    from indexer.faces import thumbnail

    x1, y1, x2, y2 = detection.box_xyxy
    height, width = frame.image_rgb.shape[:2]
    return Face(
        id=face_id(media.id, frame.timestamp_s, detection.box_xyxy),
        media_id=media.id,
        segment=span.number,
        frame_index=frame.index,
        timestamp_s=frame.timestamp_s,
        box_xyxy=detection.box_xyxy,
        landmarks_xy=detection.landmarks_xy,
        frame_width=width,
        frame_height=height,
        probability=detection.probability,
        face_px=min(x2 - x1, y2 - y1),
        sharpness=sharp,
        model=model,
        indexed_at=datetime.now(timezone.utc),
        embedding=vector,
        thumbnail=thumbnail(frame.image_rgb, detection.box_xyxy),
    )


def _cut(image_rgb: np.ndarray, box_xyxy: Box) -> np.ndarray:
    x1, y1, x2, y2 = (round(edge) for edge in box_xyxy)
    return image_rgb[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]


class _Met:
    """Counts frames as they pass."""

    def __init__(self, span: SegmentSpan) -> None:
        self._span = span
        self._frames = 0

    def count(self, frames: Iterable[Frame], on_time: Callable[[float], None]) -> Iterator[Frame]:
        for frame in frames:
            self._frames += 1
            on_time(frame.timestamp_s)
            yield frame

    def counts(self, source: Source, key_frames: int, faces: int) -> SegmentCounts:
        damage = source.damage(self._span.start_s, self._span.end_s)
        return SegmentCounts(
            self._frames, key_frames, faces, damage.undecodable, damage.left_out, damage.file
        )


def _batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
