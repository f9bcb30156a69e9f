"""The project's side: its stages one after the other, and indexing as a user starts it."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import chain, groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.ingest.records import Run, Seen, Spent, Stopwatch, peak_memory_mb
from indexer.pipeline import FACES_TOGETHER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from benchmarks.ingest.records import Task
    from indexer.networks import Networks
    from indexer.records import Face, Frame

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class _Looked:
    """A frame or photo whose faces are cut out; what `Seen` says, less the vectors."""

    number: int
    timestamp_s: float
    boxes: Array
    crops: list[Array]


class Project:
    """Sightings with its default settings, but for the key frames' thresholds."""

    def __init__(self, task: Task) -> None:
        from benchmarks.ingest.rule import key_frame_settings
        from indexer.networks import load_networks
        from indexer.settings import FaceSettings, Settings

        faces = FaceSettings(min_face_px=task.min_face_px, device=task.device)
        self.settings = replace(Settings(), faces=faces, keyframes=key_frame_settings())
        self._networks = load_networks(None, self.settings, spec=f"facenet:{task.weights}")
        # As indexing does: a processor looks at one frame in a call, a GPU at several.
        self._frames_together = faces.batch_size if self._networks.on_cuda else 1

    def warm_up(self, path: Path) -> None:
        """Do everything once on a video's first frame, or on a photo."""
        from PIL import Image

        rgb = photo(path) if path.suffix == ".jpg" else first_frame(path)
        with tempfile.TemporaryDirectory(prefix="sightings-benchmark-") as folder:
            picture = Path(folder) / "first.jpg"
            Image.fromarray(rgb).save(picture)
            self.index([picture])
        self._networks.detector.detect([rgb] * self._frames_together)
        px = self._networks.embedder.crop_px
        self._networks.embedder.embed(np.zeros((FACES_TOGETHER, px, px, 3), np.uint8))

    def video(self, path: Path, segment_s: float | None = None) -> Run:
        """Find the faces of a video's key frames, each stage by itself.

        segment_s: at its multiples the filter begins anew; by default the settings' own. The video
        is read once from its beginning all the same.
        """
        from indexer.video import VideoReader

        watch = Stopwatch()
        seen: list[Seen] = []
        waiting: list[_Looked] = []
        with VideoReader(path) as reader:
            decoded = _Decoded(reader.frames())
            chosen = self._key_frames(decoded, segment_s or self.settings.keyframes.segment_s)
            while True:
                with watch.stage("filter"):
                    frames = list(islice(chosen, self._frames_together))
                if not frames:
                    break
                with watch.stage("decode"):
                    images = [frame.image_rgb for frame in frames]
                places = [(frame.index, frame.timestamp_s) for frame in frames]
                waiting += self._look(images, places, watch)
                if _enough(waiting):
                    seen += self._embed(waiting, watch)
                    waiting = []
        seen += self._embed(waiting, watch)
        # The filter takes frames out of the decoder, so its time holds the decoder's.
        watch.moved(decoded.took, source="filter", target="decode")
        return watch.run(decoded.count, seen)

    def _key_frames(self, frames: Iterable[Frame], segment_s: float) -> Iterator[Frame]:
        from indexer.keyframes import key_frames

        segments = groupby(frames, key=lambda frame: frame.timestamp_s // segment_s)
        chosen = (key_frames(segment, self.settings.keyframes) for _, segment in segments)
        return (each.frame for each in chain.from_iterable(chosen))

    def photos(self, paths: Sequence[Path]) -> Run:
        """Find the faces of photos, each stage by itself."""
        watch = Stopwatch()
        seen: list[Seen] = []
        waiting: list[_Looked] = []
        for number, path in enumerate(paths):
            with watch.stage("decode"):
                rgb = photo(path)
            waiting += self._look([rgb], [(number, 0.0)], watch)
            if _enough(waiting):
                seen += self._embed(waiting, watch)
                waiting = []
        seen += self._embed(waiting, watch)
        return watch.run(len(paths), seen)

    def _look(
        self, images: list[Array], places: list[tuple[int, float]], watch: Stopwatch
    ) -> list[_Looked]:
        """Find faces and cut them out; places: number and time of each image."""
        with watch.stage("detect"):
            found = self._networks.detector.detect(images)
        with watch.stage("embed"):
            return [
                _Looked(
                    *place,
                    np.array([each.box_xyxy for each in detections]).reshape(-1, 4),
                    [self._networks.embedder.crop(image, each) for each in detections],
                )
                for place, image, detections in zip(places, images, found, strict=True)
            ]

    def _embed(self, looked: list[_Looked], watch: Stopwatch) -> list[Seen]:
        if not looked:
            return []
        embedder = self._networks.embedder
        with watch.stage("embed"):
            crops = [crop for each in looked for crop in each.crops]
            px = embedder.crop_px
            vectors = embedder.embed(np.array(crops, np.uint8).reshape(-1, px, px, 3))
        ends = np.cumsum([len(each.crops) for each in looked])[:-1]
        return [
            Seen(each.number, each.timestamp_s, each.boxes, mine)
            for each, mine in zip(looked, np.split(vectors, ends), strict=True)
        ]

    def index(self, paths: Sequence[Path], segment_s: float | None = None) -> Run:
        """Index a video or photos into a new index file, as `sightings index` does.

        segment_s: of a video's segments, by default the settings' own.
        """
        from indexer import open_index
        from indexer.ingest import ingest
        from indexer.records import Filters

        networks = self._networks if segment_s is None else self._segmented(segment_s)
        with tempfile.TemporaryDirectory(prefix="sightings-benchmark-") as folder:
            begun = Spent.until_now()
            with open_index(str(Path(folder) / "faces.sightings"), create=True) as index:
                report = ingest(index, list(paths), networks)
                whole = Spent.until_now() - begun
                if report.failed or report.warnings:
                    raise RuntimeError(f"Not all was indexed: {report.failed + report.warnings}")
                numbers = {
                    media.id: number
                    for number, path in enumerate(paths)
                    for media in index.iter_media()
                    if str(path.resolve()) in media.paths
                }
                is_video = {media.kind for media in index.iter_media()} == {"video"}
                counts = [
                    segment.counts for media in numbers for segment in index.list_segments(media)
                ]
                stored = list(index.iter_faces(Filters(), embeddings=True))
        frames, kept, met = (
            sum(getattr(each, name) for each in counts)
            for name in ("frames", "key_frames", "faces")
        )
        seen = _as_seen(stored, {} if is_video else numbers)
        return Run({}, whole, frames, kept, met, seen, _spans(stored) if is_video else None)

    def _segmented(self, segment_s: float) -> Networks:
        keyframes = replace(self.settings.keyframes, segment_s=segment_s)
        return replace(self._networks, settings=replace(self.settings, keyframes=keyframes))

    def peak_memory_mb(self) -> float:
        """Return the most that this process has held in memory so far."""
        return peak_memory_mb()


def _enough(waiting: Sequence[_Looked]) -> bool:
    return sum(len(each.crops) for each in waiting) >= FACES_TOGETHER


def _as_seen(stored: Iterable[Face], photos: Mapping[str, int]) -> tuple[Seen, ...]:
    """Return stored faces by photo, whose numbers are given by media id, or else by frame."""
    by_place = defaultdict(list)
    for face in stored:
        by_place[photos.get(face.media_id, face.frame_index), face.timestamp_s].append(face)
    return tuple(
        Seen(
            *place,
            np.array([face.box_xyxy for face in faces]),
            np.array([face.vector for face in faces]),
        )
        for place, faces in sorted(by_place.items())
    )


def _spans(stored: Iterable[Face]) -> tuple[tuple[float, float], ...]:
    """Return from when to when each appearance of stored faces lasts."""
    spans = {}
    for face in stored:
        assert face.appearance_start_s is not None
        assert face.appearance_end_s is not None
        spans[face.appearance_id] = face.appearance_start_s, face.appearance_end_s
    return tuple(sorted(spans.values()))


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
