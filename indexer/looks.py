"""Frames -> looks: the key frames' faces, cut out, so that the pictures themselves can go.

A thread decodes and chooses key frames, the threads of `Networks` look for faces on them, and the
looks come in the order of time.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from indexer.ahead import ahead, mapped
from indexer.keyframes import key_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    import numpy as np

    from indexer.networks import Networks
    from indexer.records import Box, Detection, Frame, KeyFrame
    from indexer.stage_times import StageTimes

    Array = np.ndarray[Any, Any]

Item = TypeVar("Item")

PIXELS_HELD, LEAST_HELD, MOST_HELD = 40_000_000, 3, 32
"""Pictures that are held for the networks: in pixels of all segments that are worked on side by
side (two have 9 of 1080p each, 56 MB; one alone has no more), and in number, of each segment. About
half of them wait, the others are looked at, side by side."""


@dataclass(frozen=True)
class Cut:
    """A face cut out of its picture: all that is kept of that.

    crop: (side, side, 3) uint8 RGB, as the embedding model wants it. thumbnail: JPEG.
    """

    detection: Detection
    sharpness: float
    crop: Array = field(repr=False)
    thumbnail: bytes = field(repr=False)


@dataclass(frozen=True)
class Look:
    """A key frame without its picture, and its faces from left to right.

    delta_e, until_s: see `KeyFrame`. width, height: of the picture, in pixels.
    """

    frame_index: int
    timestamp_s: float
    delta_e: float
    until_s: float
    width: int
    height: int
    cuts: tuple[Cut, ...]


def look(key_frame: KeyFrame, networks: Networks, times: StageTimes) -> Look:
    """Look for faces on a picture."""
    with times.of("detect"):
        (detections,) = networks.detector.detect([key_frame.frame.image_rgb])
        return _cut_out(key_frame, detections, networks)


def looks(
    frames: Iterator[Frame],
    drawn_times: frozenset[float],
    pixels: int,
    networks: Networks,
    times: StageTimes,
    *,
    on_time: Callable[[], None],
) -> Generator[Look, None, None]:
    """Yield the looks of a segment's key frames; close it when it is not read to its end.

    drawn_times: see `key_frames`. pixels: of a frame. on_time: called in this thread for every
    batch of pictures, also those without faces, and now and then while none has come.
    """
    settings = networks.settings.keyframes
    pixels_each = PIXELS_HELD // max(networks.segments_at_once, 2)
    held = min(max(pixels_each // max(pixels, 1), LEAST_HELD), MOST_HELD)
    waiting, at_once = held // 2, held - held // 2
    if networks.on_cuda:  # which looks at a batch while the next one gathers
        waiting = at_once = max(held, networks.settings.faces.batch_size)
    if settings.order == "difference-first":
        chosen = key_frames(frames, settings, drawn_times=drawn_times)
        ready_soon = times.each("decode", _with_pixels(chosen, _of_key_frame))
        ready = ahead(ready_soon, networks.decoding, waiting, on_wait=on_time)
        with closing(_detected(ready, _of_key_frame, networks, times, at_once, on_time)) as found:
            for key_frame, detections in found:
                yield _cut_out(key_frame, detections, networks)
        return
    with_pixels = times.each("decode", _with_pixels(frames, _itself))
    decoded = ahead(with_pixels, networks.decoding, waiting, on_wait=on_time)
    with closing(_detected(decoded, _itself, networks, times, at_once, on_time)) as found:
        yield from _looks_of_faces(found, drawn_times, networks)


def _looks_of_faces(
    found: Iterator[tuple[Frame, list[Detection]]],
    drawn_times: frozenset[float],
    networks: Networks,
) -> Iterator[Look]:
    """Yield looks where frames are compared after looking for faces, of those that have some."""
    on_frames: dict[int, list[Detection]] = {}

    def with_faces() -> Iterator[Frame]:
        for frame, detections in found:
            if detections:
                on_frames[frame.index] = detections
                yield frame

    settings = networks.settings.keyframes
    for key_frame in key_frames(with_faces(), settings, drawn_times=drawn_times):
        yield _cut_out(key_frame, on_frames.pop(key_frame.frame.index), networks)
        for dropped in [index for index in on_frames if index < key_frame.frame.index]:
            del on_frames[dropped]


def _detected(
    items: Generator[Item, None, None],
    frame_of: Callable[[Item], Frame],
    networks: Networks,
    times: StageTimes,
    count: int,
    on_time: Callable[[], None],
) -> Generator[tuple[Item, list[Detection]], None, None]:
    """Yield items with the faces on their frames; `count` pictures are looked at at once."""
    # A processor looks at pictures side by side, a GPU at several together.
    together = networks.settings.faces.batch_size if networks.on_cuda else 1

    def detect(batch: list[Item]) -> list[tuple[Item, list[Detection]]]:
        with times.of("detect"):
            found = networks.detector.detect([frame_of(item).image_rgb for item in batch])
        return list(zip(batch, found, strict=True))

    at_once = max(1, count // together)
    batches = mapped(detect, _batched(items, together), networks.threads, at_once)
    with closing(batches):
        for batch in batches:
            on_time()
            yield from batch


def _batched(items: Generator[Item, None, None], size: int) -> Generator[list[Item], None, None]:
    """Yield lists of `size` items, the last with what is left."""
    with closing(items):
        while batch := list(islice(items, size)):
            yield batch


def _with_pixels(items: Iterator[Item], frame_of: Callable[[Item], Frame]) -> Iterator[Item]:
    """Make pictures RGB here, in the thread that decodes."""
    for item in items:
        _ = frame_of(item).image_rgb
        yield item


def _of_key_frame(key_frame: KeyFrame) -> Frame:
    return key_frame.frame


def _itself(frame: Frame) -> Frame:
    return frame


def _cut_out(key_frame: KeyFrame, detections: Sequence[Detection], networks: Networks) -> Look:
    """Cut faces out of their picture; blurred ones are dropped by the settings."""
    from indexer.faces import sharpness, thumbnail

    frame, image_rgb = key_frame.frame, key_frame.frame.image_rgb
    cuts = []
    for detection in detections:
        sharp = sharpness(_part(image_rgb, detection.box_xyxy))
        if sharp >= networks.settings.faces.min_sharpness:
            crop = networks.embedder.crop(image_rgb, detection)
            cuts.append(Cut(detection, sharp, crop, thumbnail(image_rgb, detection.box_xyxy)))
    height, width = image_rgb.shape[:2]
    return Look(
        frame.index,
        frame.timestamp_s,
        key_frame.delta_e,
        key_frame.until_s,
        width,
        height,
        tuple(cuts),
    )


def _part(image_rgb: Array, box_xyxy: Box) -> Array:
    x1, y1, x2, y2 = (round(edge) for edge in box_xyxy)
    return image_rgb[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
