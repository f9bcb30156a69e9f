"""The project's side: its stages one after the other, and indexing as a user starts it."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.ingest.records import FRAMES_BATCH, Run, Seen, Spent, Stopwatch, peak_memory_mb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from benchmarks.ingest.records import Task
    from indexer.records import Frame

    Array = np.ndarray[Any, Any]


class Project:
    """Sightings with its default settings, but for the key frames' thresholds."""

    def __init__(self, task: Task) -> None:
        from benchmarks.ingest.rule import key_frame_settings
        from indexer.networks import load_networks
        from indexer.settings import FaceSettings, Settings

        faces = FaceSettings(min_face_px=task.min_face_px, device=task.device)
        self.settings = replace(Settings(), faces=faces, keyframes=key_frame_settings())
        self._networks = load_networks(None, self.settings, spec=f"facenet:{task.weights}")

    def warm_up(self, path: Path) -> None:
        """Do everything once on a video's first frame, or on a photo."""
        from PIL import Image

        rgb = photo(path) if path.suffix == ".jpg" else first_frame(path)
        with tempfile.TemporaryDirectory(prefix="sightings-benchmark-") as folder:
            picture = Path(folder) / "first.jpg"
            Image.fromarray(rgb).save(picture)
            self.index([picture])
        self._networks.detector.detect([rgb] * FRAMES_BATCH)
        px = self._networks.embedder.crop_px
        self._networks.embedder.embed(np.zeros((FRAMES_BATCH, px, px, 3), np.uint8))

    def video(self, path: Path) -> Run:
        """Find the faces of a video's key frames, each stage by itself."""
        from indexer.keyframes import key_frames
        from indexer.video import VideoReader

        watch = Stopwatch()
        seen: list[Seen] = []
        with VideoReader(path) as reader:
            decoded = _Decoded(reader.frames())
            chosen = key_frames(decoded, self.settings.keyframes)
            while True:
                with watch.stage("filter"):
                    batch = [each.frame for each in islice(chosen, FRAMES_BATCH)]
                if not batch:
                    break
                with watch.stage("decode"):
                    images = [frame.image_rgb for frame in batch]
                seen += self._look(images, [frame.index for frame in batch], watch)
        # The filter takes frames out of the decoder, so its time holds the decoder's.
        watch.moved(decoded.took, source="filter", target="decode")
        return watch.run(decoded.count, seen)

    def photos(self, paths: Sequence[Path]) -> Run:
        """Find the faces of photos, each stage by itself."""
        watch = Stopwatch()
        seen: list[Seen] = []
        for number, path in enumerate(paths):
            with watch.stage("decode"):
                rgb = photo(path)
            seen += self._look([rgb], [number], watch)
        return watch.run(len(paths), seen)

    def _look(self, images: list[Array], numbers: list[int], watch: Stopwatch) -> Iterator[Seen]:
        embedder = self._networks.embedder
        with watch.stage("detect"):
            found = self._networks.detector.detect(images)
        with watch.stage("embed"):
            crops = [
                embedder.crop(image, detection)
                for image, detections in zip(images, found, strict=True)
                for detection in detections
            ]
            px = embedder.crop_px
            vectors = embedder.embed(np.array(crops, np.uint8).reshape(-1, px, px, 3))
        ends = np.cumsum([len(detections) for detections in found])[:-1]
        for number, detections, mine in zip(numbers, found, np.split(vectors, ends), strict=True):
            boxes = np.array([each.box_xyxy for each in detections]).reshape(-1, 4)
            yield Seen(number, boxes, mine)

    def index(self, paths: Sequence[Path]) -> Run:
        """Index files into a new index file, as `sightings index` does."""
        from indexer import open_index
        from indexer.ingest import ingest
        from indexer.records import Filters

        with tempfile.TemporaryDirectory(prefix="sightings-benchmark-") as folder:
            begun = Spent.until_now()
            with open_index(str(Path(folder) / "faces.sightings"), create=True) as index:
                report = ingest(index, list(paths), self._networks)
                whole = Spent.until_now() - begun
                if report.failed or report.warnings:
                    raise RuntimeError(f"Not all was indexed: {report.failed + report.warnings}")
                numbers = {
                    media.id: number
                    for number, path in enumerate(paths)
                    for media in index.iter_media()
                    if str(path.resolve()) in media.paths
                }
                counts = [
                    segment.counts for media in numbers for segment in index.list_segments(media)
                ]
                faces = defaultdict(list)
                for face in index.iter_faces(Filters(), embeddings=True):
                    media_number = numbers[face.media_id]
                    faces[face.frame_index if len(paths) == 1 else media_number].append(face)
        seen = tuple(
            Seen(
                number,
                np.array([face.box_xyxy for face in faces[number]]),
                np.array([face.vector for face in faces[number]]),
            )
            for number in sorted(faces)
        )
        frames, kept, met = (
            sum(getattr(each, name) for each in counts)
            for name in ("frames", "key_frames", "faces")
        )
        return Run({}, whole, frames, kept, met, seen)

    def peak_memory_mb(self) -> float:
        """Return the most that this process has held in memory so far."""
        return peak_memory_mb()


class _Decoded:
    """Frames that pass, counted, with the time that they took to come."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._frames = iter(frames)
        self.took, self.count = Spent(), 0

    def __iter__(self) -> Iterator[Frame]:
        while True:
            begun = Spent.until_now()
            frame = next(self._frames, None)
            self.took += Spent.until_now() - begun
            if frame is None:
                return
            self.count += 1
            yield frame


def photo(path: Path) -> Array:
    """Return a photo as the project reads it, (h, w, 3) uint8 RGB."""
    from indexer.photos import read_photo
    from indexer.settings import MediaSettings

    return read_photo(path, MediaSettings()).image_rgb


def first_frame(path: Path) -> Array:
    """Return a video's first frame as the project reads it, (h, w, 3) uint8 RGB."""
    from indexer.video import VideoReader

    with VideoReader(path) as reader:
        return next(reader.frames()).image_rgb
