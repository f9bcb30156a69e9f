"""Pictures to look for faces in: the indexing benchmark's clips and photos, LFW's, and videos."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from benchmarks.ingest.clips import parse_plan, render
from benchmarks.ingest.pictures import render_photos
from benchmarks.ingest.project import photo
from benchmarks.ingest.rule import key_frame_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np

    Array = np.ndarray[Any, Any]

EVERY = 25
"""Of a video's frames this one is taken: about one a second."""

GOAL = 3.0
"""How many times as fast as facenet-pytorch faces are to be found in frames of 360p to 1080p."""


@dataclass(frozen=True)
class Pictures:
    """Some pictures, each (h, w, 3) uint8 RGB, as tables name them. goal: None if none was set."""

    name: str
    images: list[Array] = field(repr=False)
    goal: float | None = None

    @property
    def longest_side_px(self) -> int:
        """The longest side of any of them."""
        return max(int(max(image.shape[:2])) for image in self.images)


def clip(name: str, frames: int, photos: Sequence[Path], folder: Path) -> Pictures:
    """Return the key frames of a clip of the indexing benchmark, such as `1080p-20`.

    It is rendered in the folder unless it lies there. Raises ValueError for other names.
    """
    from indexer.keyframes import key_frames
    from indexer.video import VideoReader

    path = render(parse_plan(name, frames), photos, folder)
    with VideoReader(path) as reader:
        kept = key_frames(reader.frames(), key_frame_settings())
        return Pictures(name, [each.frame.image_rgb for each in kept], GOAL)


def rendered(count: int, photos: Sequence[Path], folder: Path) -> Pictures:
    """Return so many photos of the indexing benchmark, of 0.3 to 12 megapixels."""
    paths = render_photos(count, photos, folder)
    return Pictures(f"{count} rendered photos", [photo(path) for path in paths])


def given(count: int, photos: Sequence[Path]) -> Pictures:
    """Return so many of the photos as they are, or all; spread evenly over the people."""
    step = max(1, len(photos) // count)
    images = [photo(path) for path in photos[::step][:count]]
    return Pictures(f"{len(images)} photos", images)


def filmed(paths: Sequence[Path]) -> Pictures:
    """Return every 25th frame of some videos."""
    images = [image for path in paths for image in _frames(path)]
    return Pictures(f"{len(paths)} videos", images)


def _frames(path: Path) -> Iterator[Array]:
    from indexer.video import VideoReader

    with VideoReader(path) as reader:
        for frame in islice(reader.frames(), 0, None, EVERY):
            yield frame.image_rgb
