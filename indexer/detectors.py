"""What finds that which is embedded on a picture: faces, or the picture itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from indexer.records import Detection

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from indexer.embeddings.base import Embedder
    from indexer.runtime import Runtime
    from indexer.settings import FaceSettings


class Detector(Protocol):
    """Finds what is embedded; several threads may use it at once."""

    @property
    def runtime(self) -> Runtime:
        """What the networks run on."""

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Detection]]:
        """Return what each picture shows; see `indexer.faces.FaceDetector.detect`."""


class WholePicture:
    """Takes each picture for one face that fills it, for models that want whole pictures.

    Such a face has no landmarks, and the probability 1. A picture whose shorter side is less than
    the smallest face that is looked for gives none.
    """

    def __init__(self, settings: FaceSettings, runtime: Runtime) -> None:
        self.runtime = runtime
        self._min_px = settings.min_face_px

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Detection]]:
        """Return one detection for each picture that is large enough."""
        return [self._whole(*image.shape[:2]) for image in images]

    def _whole(self, height: int, width: int) -> list[Detection]:
        if min(height, width) < self._min_px:
            return []
        return [Detection((0.0, 0.0, float(width), float(height)), (), 1.0)]


def detector_for(embedder: Embedder, settings: FaceSettings, runtime: Runtime) -> Detector:
    """Return the detector whose detections a model embeds. Raises what FaceDetector does."""
    if embedder.whole_pictures:
        return WholePicture(settings, runtime)
    from indexer.faces import FaceDetector

    return FaceDetector(settings, runtime)
