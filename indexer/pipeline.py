"""The stages for one segment of a media: frames -> key frames -> faces -> embeddings -> tracks."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import numpy as np

from indexer.ahead import mapped
from indexer.appearances import best_faces
from indexer.keyframes import random_times
from indexer.labels import find_face
from indexer.looks import look, looks
from indexer.records import Face, KeyFrame, SegmentCounts, SegmentSpan, face_id
from indexer.sources import PhotoSource
from indexer.stage_times import StageTimes
from indexer.strategy import parse_strategy
from indexer.tracks import Track, Tracker, pack_tracks

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from indexer.looks import Cut, Look
    from indexer.networks import Networks
    from indexer.records import Frame, Label, Media
    from indexer.settings import Settings
    from indexer.sources import Source

FACES_TOGETHER = 8
"""Faces that go through the embedding model together, at least; more gain nothing."""

EMBEDDED_AT_ONCE = 4
"""Such batches that are worked on side by side."""


@dataclass(frozen=True)
class SegmentFaces:
    """What a segment gives: the faces kept, its packed tracks, and what was met."""

    faces: tuple[Face, ...]
    tracks: bytes = field(repr=False)
    counts: SegmentCounts


@dataclass(frozen=True)
class LookedPhoto:
    """A photo that was looked at and let go. times: what that took, for embedding to be added."""

    media: Media
    look: Look
    counts: SegmentCounts
    times: StageTimes


def process_segment(
    media: Media,
    span: SegmentSpan,
    source: Source,
    networks: Networks,
    *,
    labels: Sequence[Label] = (),
    on_time: Callable[[float], None] = lambda _: None,
    times: StageTimes | None = None,
) -> SegmentFaces:
    """Find, embed and track the faces of one segment; decoding and the networks overlap.

    labels: the media's; a labelled face is always kept. on_time: called in this thread with the
    time reached, often enough to show progress and to renew a lease; what it raises ends the work.
    times: where what the stages take is added.
    """
    times = times or StageTimes()
    if media.kind == "photo":
        photo = look_at_photo(media, source, networks, on_time=on_time, times=times)
        return photo_faces([photo], networks)[0]
    met = _Met(span)
    frames = met.count(source.frames(span.start_s, span.end_s))
    tracker = Tracker(min_cosine=networks.link_cosine, max_gap_s=link_gap_s(networks.settings))
    looked = looks(
        frames,
        _drawn_times(source, networks.settings),
        media.width * media.height,
        networks,
        times,
        on_time=lambda: on_time(met.reached_s),
    )
    with closing(embedded(looked, media, span, networks, times)) as found:
        for seen, faces in found:
            tracker.add(seen, faces)
            met.key_frames += 1
            on_time(met.reached_s)
    runs = tracker.runs()
    kept: list[Face] = []
    tracks: list[Track] = []
    for track, run_faces in runs:
        pinned = {face.id for label in labels if (face := find_face(run_faces, label))}
        best = best_faces(run_faces, networks.settings.appearances.max_faces, pinned)
        kept += best
        tracks.append(replace(track, face_ids=tuple(face.id for face in best)))
    packed = pack_tracks(tracks, min_cosine=networks.link_cosine)
    seen_faces = sum(len(run_faces) for _, run_faces in runs)
    return SegmentFaces(tuple(kept), packed, met.counts(source, seen_faces))


def look_at_photo(
    media: Media,
    source: Source,
    networks: Networks,
    *,
    on_time: Callable[[float], None] = lambda _: None,
    times: StageTimes | None = None,
) -> LookedPhoto:
    """Find a photo's faces; see `process_segment`, and `photo_faces` for the rest of it."""
    times = times or StageTimes()
    met = _Met(SegmentSpan(0))
    (frame,) = times.each("decode", met.count(source.frames()))
    if isinstance(source, PhotoSource):
        times.add("decode", source.decoded_in_s)
    looked = look(KeyFrame(frame, np.inf, frame.timestamp_s), networks, times)
    met.key_frames = 1
    on_time(met.reached_s)
    return LookedPhoto(media, looked, met.counts(source, len(looked.cuts)), times)


def photo_faces(photos: Sequence[LookedPhoto], networks: Networks) -> list[SegmentFaces]:
    """Embed the faces of photos together; return each photo's."""
    took = StageTimes()
    seen = [(photo.media, SegmentSpan(0), photo.look) for photo in photos]
    found = networks.threads.submit(_faces_of, seen, networks, took).result()
    count = sum(map(len, found))
    for photo, faces in zip(photos, found, strict=True):
        photo.times.add("embed", took.seconds["embed"] * len(faces) / max(count, 1))
    return [
        SegmentFaces(tuple(faces), b"", photo.counts)
        for photo, faces in zip(photos, found, strict=True)
    ]


def _faces_of(
    seen: Sequence[tuple[Media, SegmentSpan, Look]], networks: Networks, times: StageTimes
) -> list[list[Face]]:
    """Return the faces of each look, all embedded together."""
    crops = [cut.crop for _, _, looked in seen for cut in looked.cuts]
    with times.of("embed"):
        vectors = iter(networks.embedder.embed(np.array(crops)) if crops else ())
    model = networks.embedder.identity.key
    return [
        [_face(media, span, looked, cut, next(vectors), model) for cut in looked.cuts]
        for media, span, looked in seen
    ]


def embedded(
    looked: Generator[Look, None, None],
    media: Media,
    span: SegmentSpan,
    networks: Networks,
    times: StageTimes,
) -> Generator[tuple[Look, list[Face]], None, None]:
    """Yield looks with their embedded faces; close it when it is not read to its end."""

    def embed(batch: list[Look]) -> list[tuple[Look, list[Face]]]:
        faces = _faces_of([(media, span, seen) for seen in batch], networks, times)
        return list(zip(batch, faces, strict=True))

    batches = mapped(embed, _batches_of_faces(looked), networks.threads, EMBEDDED_AT_ONCE)
    with closing(batches):
        for batch in batches:
            yield from batch


def _batches_of_faces(looked: Generator[Look, None, None]) -> Generator[list[Look], None, None]:
    batch: list[Look] = []
    with closing(looked):
        for seen in looked:
            batch.append(seen)
            if sum(len(each.cuts) for each in batch) >= FACES_TOGETHER:
                yield batch
                batch = []
    if batch:
        yield batch


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
    media: Media, span: SegmentSpan, seen: Look, cut: Cut, vector: np.ndarray, model: str
) -> Face:
    x1, y1, x2, y2 = cut.detection.box_xyxy
    return Face(
        id=face_id(media.id, seen.timestamp_s, cut.detection.box_xyxy),
        media_id=media.id,
        segment=span.number,
        frame_index=seen.frame_index,
        timestamp_s=seen.timestamp_s,
        box_xyxy=cut.detection.box_xyxy,
        landmarks_xy=cut.detection.landmarks_xy,
        frame_width=seen.width,
        frame_height=seen.height,
        probability=cut.detection.probability,
        face_px=min(x2 - x1, y2 - y1),
        sharpness=cut.sharpness,
        model=model,
        indexed_at=datetime.now(timezone.utc),
        embedding=vector,
        thumbnail=cut.thumbnail,
    )


class _Met:
    """Counts what passes; reached_s: the time of the last frame that was decoded."""

    def __init__(self, span: SegmentSpan) -> None:
        self._span = span
        self._frames = 0
        self.key_frames = 0
        self.reached_s = span.start_s

    def count(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in frames:
            self._frames += 1
            self.reached_s = frame.timestamp_s
            yield frame

    def counts(self, source: Source, faces: int) -> SegmentCounts:
        damage = source.damage(self._span.start_s, self._span.end_s)
        return SegmentCounts(
            self._frames, self.key_frames, faces, damage.undecodable, damage.left_out, damage.file
        )
