"""facenet-pytorch and the project, each in a process of its own, looking for the same faces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from multiprocessing.managers import BaseManager
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.ingest.records import Spent

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.records import Detection

    Array = np.ndarray[Any, Any]
    Detect = Callable[[list[Array]], list[Array]]

COLUMNS = 4 + 5 * 2


@dataclass(frozen=True)
class Look:
    """What is looked for: the settings `faces.*` of these names.

    threads: of the networks; 0 for as many as their libraries take by default.
    """

    min_face_px: int
    max_side_px: int
    min_probability: float
    threads: int = 0


@dataclass(frozen=True)
class Seen:
    """The faces of all pictures, and what it took to find them.

    faces: for each picture (n, 14) of a box's x1, y1, x2, y2, which ends at the picture's edges,
    and of x and y of five landmarks, in pixels.
    """

    spent: Spent
    faces: tuple[Array, ...] = field(repr=False)


class Side(ABC):
    """Holds pictures and a detector for each look."""

    def __init__(self) -> None:
        self._pictures: list[Array] = []
        self._ready: dict[Look, Detect] = {}

    def hold(self, pictures: list[Array]) -> None:
        """Look at these pictures from now on; others are let go, and all that was made ready."""
        self._pictures = pictures
        self._ready.clear()

    def look(self, look: Look) -> Seen:
        """Find the faces of all pictures; the first of them has been looked at like this before."""
        if look not in self._ready:
            self._ready[look] = self.detector(look)
            self._ready[look](self._pictures[:1])
        begun = Spent.until_now()
        faces = self._ready[look](self._pictures)
        return Seen(Spent.until_now() - begun, tuple(faces))

    @abstractmethod
    def detector(self, look: Look) -> Detect:
        """Return what takes pictures and gives the faces of each, (n, 14)."""


class Naive(Side):
    """`facenet_pytorch.MTCNN.detect`, one picture after the other."""

    def detector(self, look: Look) -> Detect:
        """Return it with the project's minima; it knows no `max_side_px`."""
        import torch
        from facenet_pytorch import MTCNN

        if look.threads:
            torch.set_num_threads(look.threads)
        thresholds = [0.6, 0.7, look.min_probability]
        mtcnn = MTCNN(min_face_size=look.min_face_px, thresholds=thresholds, keep_all=True)

        def detect(image: Array) -> Array:
            boxes, _, points = mtcnn.detect(image, landmarks=True)
            if boxes is None:
                return np.zeros((0, COLUMNS))
            height, width = image.shape[:2]
            corners = np.clip(np.asarray(boxes, float).reshape(-1, 2, 2), 0, (width, height))
            large = (corners[:, 1] - corners[:, 0]).min(axis=1) >= look.min_face_px
            landmarks = np.asarray(points, float).reshape(-1, 10)
            rows: Array = np.hstack([corners.reshape(-1, 4), landmarks])[large]
            return rows

        return lambda images: [detect(image) for image in images]


class Project(Side):
    """The project's detector, as many pictures at once as it takes by default."""

    def detector(self, look: Look) -> Detect:
        """Return it on this machine's processor with all other settings as they are by default."""
        from indexer.faces import FaceDetector
        from indexer.runtime import choose_runtime
        from indexer.settings import FaceSettings

        settings = FaceSettings(
            min_face_px=look.min_face_px,
            max_side_px=look.max_side_px,
            min_probability=look.min_probability,
        )
        detector = FaceDetector(settings, choose_runtime("cpu", threads=look.threads))

        def detect(images: list[Array]) -> list[Array]:
            return [_rows(faces) for faces in detector.detect(images)]

        return detect


def _rows(faces: list[Detection]) -> Array:
    rows = [(*each.box_xyxy, *np.ravel(each.landmarks_xy)) for each in faces]
    return np.array(rows, float).reshape(-1, COLUMNS)


class Process(BaseManager):
    """A fresh process for one side; use it as a context manager."""

    naive: Callable[[], Naive]
    project: Callable[[], Project]


Process.register("naive", Naive, exposed=("hold", "look"))
Process.register("project", Project, exposed=("hold", "look"))
