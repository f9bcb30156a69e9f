"""Where a media's frames come from: a video reader, or a photo as a source of one frame."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import numpy as np

from indexer.damage import Damage
from indexer.library_threads import decoder_threads
from indexer.records import Frame, SegmentSpan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.settings import Settings


class Source(Protocol):
    """Where a media's frames come from: `video.VideoReader`, or `PhotoSource`."""

    timestamps_s: np.ndarray

    @property
    def decode_errors(self) -> int:
        """Frames that could not be decoded so far."""
        ...

    def frames(self, start_s: float = ..., end_s: float = ...) -> Iterator[Frame]:
        """Yield the frames of a time range, in order."""
        ...

    def warnings(self) -> tuple[str, ...]:
        """Return what went wrong in decoding, in words."""
        ...

    def damage(self, start_s: float, end_s: float) -> Damage:
        """Return what was wrong with the frames of a time range that was read."""
        ...


class PhotoSource:
    """A photo as a source of one frame. decoded_in_s: it is decoded as it is opened, in seconds."""

    timestamps_s = np.zeros(1)
    decode_errors = 0

    def __init__(self, path: Path, settings: Settings) -> None:
        from indexer.photos import read_photo

        begun_s = time.perf_counter()
        self._photo = read_photo(path, settings.media)
        self.decoded_in_s = time.perf_counter() - begun_s

    def frames(self, start_s: float = 0.0, end_s: float = math.inf) -> Iterator[Frame]:
        """Yield the photo as a frame of time 0."""
        if start_s <= 0.0 < end_s:
            yield Frame(0, 0.0, self._photo.image_rgb)

    def warnings(self) -> tuple[str, ...]:
        """Return what went wrong in decoding, in words."""
        return self._photo.warnings

    def damage(self, start_s: float, end_s: float) -> Damage:  # noqa: ARG002
        """Return what was wrong with the photo."""
        return Damage(file=self._photo.warnings)


@contextmanager
def open_source(
    path: Path, kind: str, settings: Settings, *, first: Source | None = None
) -> Iterator[Source]:
    """Open a media for reading. Raises MediaError if it cannot be read.

    first: who opened the same file before, so that a video is not read whole again for its times.
    """
    if kind == "photo":
        yield PhotoSource(path, settings)
        return
    from indexer.video import VideoReader

    timeline = first.timeline if isinstance(first, VideoReader) else None
    threads = decoder_threads(settings)
    with VideoReader(path, settings.media.max_pixels, timeline=timeline, threads=threads) as reader:
        yield reader


def spans_of(source: Source, kind: str, segment_s: float) -> list[SegmentSpan]:
    """Return the segments of a media that hold frames, in order; a photo is one segment."""
    return spans_at(source.timestamps_s, kind, segment_s)


def spans_at(timestamps_s: np.ndarray, kind: str, segment_s: float) -> list[SegmentSpan]:
    """Return the same by the (frames,) times at which the frames are shown."""
    if kind == "photo":
        return [SegmentSpan(0)]
    numbers = np.unique((timestamps_s // segment_s).astype(int)).tolist() or [0]
    return [SegmentSpan(n, n * segment_s, (n + 1) * segment_s) for n in numbers]
