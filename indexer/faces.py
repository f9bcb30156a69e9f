"""Pictures -> faces: boxes, landmarks, sharpness and thumbnails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import UsageError
from indexer.mtcnn import WINDOW_PX, Cascade
from indexer.records import Detection
from indexer.runtime import choose_runtime

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from indexer.mtcnn import Found
    from indexer.records import Box
    from indexer.runtime import Runtime
    from indexer.settings import FaceSettings

    Array = np.ndarray[Any, Any]

BATCH_PIXELS = 20_000_000  # a batch's pictures together; MTCNN's tables take 20 bytes for each
SHARPNESS_PX = 112
THUMBNAIL_PX = 128
THUMBNAIL_MARGIN = 0.2  # of the box's longer side, on each side
THUMBNAIL_QUALITY = 70  # about 3 KB


class FaceDetector:
    """MTCNN with the weights that ship with facenet-pytorch, loaded once for all threads.

    runtime: what its networks run on.
    """

    def __init__(self, settings: FaceSettings, runtime: Runtime | None = None) -> None:
        """Load the networks into a runtime; without one, that of the settings' device.

        Raises UsageError for a minimum below MTCNN's window of 12 pixels, EnvironmentFailure for
        a device that is not there, WeightsUnavailable.
        """
        if settings.min_face_px < WINDOW_PX:
            raise UsageError(
                f"min_face_px is {settings.min_face_px}; MTCNN sees no face under {WINDOW_PX}."
            )
        self._settings = settings
        self.runtime = runtime or choose_runtime(settings.device)
        self._cascade = Cascade(self.runtime)

    def detect(self, images: Sequence[Array]) -> list[list[Detection]]:
        """Return the faces of each picture, from left to right.

        images: (h, w, 3) uint8 RGB of any mix of sizes. Result i belongs to images[i]. Boxes end
        at the picture's edges, landmarks may lie beyond.
        """
        faces: list[list[Detection]] = [[] for _ in images]
        for indices in self._batches(images):
            for index, found in zip(
                indices, self._found([images[i] for i in indices]), strict=True
            ):
                faces[index] = found
        return faces

    def _batches(self, images: Sequence[Array]) -> Iterator[list[int]]:
        """Yield indices of pictures that go through the networks together: those of one size."""
        alike: dict[tuple[int, ...], list[int]] = {}
        for index, image in enumerate(images):
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
                raise UsageError(
                    f"Pictures must be (h, w, 3) uint8, not {image.shape} {image.dtype}."
                )
            alike.setdefault(image.shape, []).append(index)
        for (height, width, _), indices in alike.items():
            fit = BATCH_PIXELS // (height * width)
            count = max(1, min(self._settings.batch_size, fit))
            for start in range(0, len(indices), count):
                yield indices[start : start + count]

    def _found(self, images: list[Array]) -> list[list[Detection]]:
        """Return the faces of pictures that all have one size."""
        import cv2

        height, width = images[0].shape[:2]
        longest = self._settings.max_side_px or max(height, width)
        reduction = min(longest / max(height, width), 1.0)
        if reduction < 1.0:
            size = max(round(width * reduction), 1), max(round(height * reduction), 1)
            images = [cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in images]
        scale = np.array((width / images[0].shape[1], height / images[0].shape[0]))
        found = self._cascade(
            images,
            min_face_px=max(self._settings.min_face_px * reduction, WINDOW_PX),
            min_probability=self._settings.min_probability,
        )
        return [self._kept(each, scale, (width, height)) for each in found]

    def _kept(self, found: Found, scale: Array, size: tuple[int, int]) -> list[Detection]:
        """Return the faces that are large enough, in pixels of the given picture."""
        boxes = np.clip(found.boxes.reshape(-1, 2, 2) * scale, 0, size)
        large = (boxes[:, 1] - boxes[:, 0]).min(axis=1) >= self._settings.min_face_px
        detections = [
            Detection(tuple(box.ravel().tolist()), tuple(map(tuple, points.tolist())), probability)
            for box, points, probability in zip(
                boxes[large],
                found.landmarks[large] * scale,
                found.probabilities[large].tolist(),
                strict=True,
            )
        ]
        return sorted(detections, key=lambda detection: detection.box_xyxy)


def sharpness(crop_rgb: Array) -> float:
    """Return how sharp a face crop is: the variance of its Laplacian, at a fixed size.

    crop_rgb: (h, w, 3) uint8. Brought to 112 x 112 grey pixels first, so that faces of all sizes
    compare: an enlarged face counts as blurred. 0 for a flat picture; of 200 LFW faces 5 % lie
    below 36 and half above 94, and a sharp press photo reaches 660.

    Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, ICPR 2000.
    """
    import cv2

    grey = cv2.cvtColor(_resized(crop_rgb, SHARPNESS_PX), cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())


def thumbnail(image_rgb: Array, box_xyxy: Box) -> bytes:
    """Return a face with some of its surroundings as a square JPEG of 128 pixels, about 3 KB.

    image_rgb: (h, w, 3) uint8. The square is moved, or made smaller, to lie within the picture.
    """
    import cv2

    height, width = image_rgb.shape[:2]
    x1, y1, x2, y2 = box_xyxy
    side = round(max(x2 - x1, y2 - y1) * (1 + 2 * THUMBNAIL_MARGIN))
    side = max(1, min(side, width, height))
    left = min(max(round((x1 + x2 - side) / 2), 0), width - side)
    top = min(max(round((y1 + y2 - side) / 2), 0), height - side)
    face = _resized(image_rgb[top : top + side, left : left + side], THUMBNAIL_PX)
    quality = [cv2.IMWRITE_JPEG_QUALITY, THUMBNAIL_QUALITY]
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(face, cv2.COLOR_RGB2BGR), quality)
    return jpeg.tobytes()


def _resized(image: Array, side: int) -> Array:
    import cv2

    smaller = min(image.shape[:2]) > side
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (side, side), interpolation=how))
