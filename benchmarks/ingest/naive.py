"""The naive side: what a competent user of the same libraries writes in an hour.

It has the project's rules (which frames are kept, how a face is cropped, the mirror image's vector
added), so that results can be compared, and nothing of its code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.ingest.records import Seen, Stopwatch, peak_memory_mb
from benchmarks.ingest.rule import MAX_GAP_S, MIN_CELL_DELTA_E, MIN_DELTA_E

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.ingest.records import Run, Task

    Array = np.ndarray[Any, Any]

GRID_ROWS, GRID_COLUMNS = 9, 16
CROP_PX, MARGIN_PX, DIMENSIONS = 160, 32, 512
MIN_PROBABILITY = 0.9


class Naive:
    """OpenCV, scikit-image and facenet-pytorch, one picture and one face at a time."""

    def __init__(self, task: Task) -> None:
        import torch
        from facenet_pytorch import MTCNN, InceptionResnetV1

        # As the project: with the short numbers that cuDNN takes by itself, boxes would differ.
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        self._min_face_px, self._device = task.min_face_px, task.device
        self.mtcnn = MTCNN(
            min_face_size=task.min_face_px,
            thresholds=[0.6, 0.7, MIN_PROBABILITY],
            keep_all=True,
            device=task.device,
        )
        self.facenet = InceptionResnetV1(pretrained=None, classify=False).eval().to(task.device)
        state = torch.load(task.weights, map_location="cpu", weights_only=True)
        state = {key: value for key, value in state.items() if not key.startswith("logits.")}
        self.facenet.load_state_dict(state)

    def warm_up(self, path: Path) -> None:
        """Do everything once on a video's first frame, or on a photo."""
        from skimage.color import rgb2lab

        rgb = photo(path) if path.suffix == ".jpg" else first_frame(path)
        if path.suffix != ".jpg":
            rule, lab = KeepRule(), rgb2lab(rgb)
            rule.keeps(lab, 0.0)
            rule.keeps(lab, 0.1)
        self.detect(rgb)
        self.embed(rgb, np.array([0.0, 0.0, *rgb.shape[1::-1]]))

    def video(self, path: Path) -> Run:
        """Find the faces of a video's key frames, one after the other."""
        import cv2
        from skimage.color import rgb2lab

        watch, seen = Stopwatch(), []
        capture = cv2.VideoCapture(str(path))
        rate = capture.get(cv2.CAP_PROP_FPS)
        rule = KeepRule()
        number = 0
        while True:
            with watch.stage("decode"):
                there, bgr = capture.read()
                if not there:
                    break
                rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
            with watch.stage("filter"):
                kept = rule.keeps(rgb2lab(rgb), number / rate)
            if kept:
                seen.append(self._look(rgb, number, number / rate, watch))
            number += 1
        capture.release()
        return watch.run(number, seen)

    def photos(self, paths: Sequence[Path]) -> Run:
        """Find the faces of photos, one after the other."""
        watch, seen = Stopwatch(), []
        for number, path in enumerate(paths):
            with watch.stage("decode"):
                rgb = photo(path)
            seen.append(self._look(rgb, number, 0.0, watch))
        return watch.run(len(paths), seen)

    def _look(self, rgb: Array, number: int, timestamp_s: float, watch: Stopwatch) -> Seen:
        with watch.stage("detect"):
            boxes = self.detect(rgb)
        with watch.stage("embed"):
            vectors = [self.embed(rgb, box) for box in boxes]
        vectors_of_all = np.array(vectors).reshape(len(boxes), DIMENSIONS)
        return Seen(number, timestamp_s, boxes, vectors_of_all)

    def detect(self, rgb: Array) -> Array:
        """Return the boxes of a picture's faces: (n, 4), within the picture."""
        boxes, _ = self.mtcnn.detect(rgb)
        if boxes is None:
            return np.zeros((0, 4))
        height, width = rgb.shape[:2]
        boxes = np.clip(np.asarray(boxes, float).reshape(-1, 2, 2), 0, (width, height))
        large = (boxes[:, 1] - boxes[:, 0]).min(axis=1) >= self._min_face_px
        kept: Array = boxes[large].reshape(-1, 4)
        return kept

    def embed(self, rgb: Array, box: Array) -> Array:
        """Return the unit vector of one face: (512,) float32."""
        import torch
        from facenet_pytorch import extract_face, fixed_image_standardization

        face = fixed_image_standardization(extract_face(rgb, box, CROP_PX, MARGIN_PX))
        with torch.inference_mode():
            pair = torch.stack([face, face.flip(2)]).to(self._device)
            vector = self.facenet(pair).sum(0).cpu().numpy()
        return np.asarray(vector / np.linalg.norm(vector))

    def peak_memory_mb(self) -> float:
        """Return the most that this process has held in memory so far."""
        return peak_memory_mb()


class KeepRule:
    """Keeps a frame that differs from the last kept one, as a whole or in a cell, or after 1 s."""

    def __init__(self) -> None:
        self._kept_lab: Array | None = None
        self._kept_s = -np.inf
        self.mean = self.cell = np.inf

    def keeps(self, lab: Array, timestamp_s: float) -> bool:
        """Decide on the next frame, (h, w, 3) CIELAB, and remember it if it is kept."""
        keep = self.differs(lab, timestamp_s)
        if keep:
            self.follow(lab, timestamp_s)
        return keep

    def differs(self, lab: Array, timestamp_s: float) -> bool:
        """Return whether the rule keeps a frame; `mean` and `cell` then say how much it differs."""
        from skimage.color import deltaE_cie76

        difference: Any = deltaE_cie76
        if self._kept_lab is None:
            return True
        distance = difference(self._kept_lab, lab)
        self.mean, self.cell = float(distance.mean()), float(_cells(distance).max())
        return (
            self.mean >= MIN_DELTA_E
            or self.cell >= MIN_CELL_DELTA_E
            or timestamp_s - self._kept_s >= MAX_GAP_S
        )

    def is_near(self, tolerance: float) -> bool:
        """Return whether the last difference lies this close to a threshold."""
        return (
            abs(self.mean - MIN_DELTA_E) <= tolerance
            or abs(self.cell - MIN_CELL_DELTA_E) <= tolerance
        )

    def follow(self, lab: Array, timestamp_s: float) -> None:
        """Remember a frame as the last kept one."""
        self._kept_lab, self._kept_s = lab, timestamp_s


def photo(path: Path) -> Array:
    """Return a photo, (h, w, 3) uint8 RGB."""
    import cv2

    bgr = cv2.imread(str(path))
    assert bgr is not None, f"{path} cannot be read"
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))


def first_frame(path: Path) -> Array:
    """Return a video's first frame, (h, w, 3) uint8 RGB."""
    import cv2

    capture = cv2.VideoCapture(str(path))
    _, bgr = capture.read()
    capture.release()
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))


def _cells(distance: Array) -> Array:
    """Return the mean of each cell; the clips' sides are multiples of the grid's."""
    height, width = distance.shape
    shape = GRID_ROWS, height // GRID_ROWS, GRID_COLUMNS, width // GRID_COLUMNS
    means: Array = distance.reshape(shape).mean(axis=(1, 3))
    return means
