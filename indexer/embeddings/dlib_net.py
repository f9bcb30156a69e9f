"""dlib's face recognition network, 128 dimensions, from the package face-recognition-models.

Davis King, dlib_face_recognition_resnet_model_v1 (2017), github.com/davisking/dlib-models.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.embeddings.base import Embedder
from indexer.embeddings.dlib_file import DIMENSIONS, MEAN_RGB, built
from indexer.errors import MissingExtra, WeightsUnavailable
from indexer.inference import Network, in_parts, load_net, threads_of
from indexer.records import ModelIdentity, Thresholds
from indexer.weights import sha256_of

if TYPE_CHECKING:
    from indexer.records import Detection
    from indexer.runtime import Runtime

    Array = np.ndarray[Any, Any]

INPUT_PX = 150
CHIP_PX, PADDING = 160, 0.3  # the face as large as in dlib's own chip: 150 with padding 0.25
# Middle squares of the chip that are each brought to 150 px. dlib states 0.9913 on LFW for one view
# and 0.9938 for 100 that are shifted, turned, zoomed and mirrored at random (python_examples of
# dlib, face_recognition.py). On LFW's first five folds one view gives 0.986 here, from
# dlib's own detector (with its predictors of 5 and of 68 points) as from MTCNN's boxes; with the
# mirror image 0.989; zooms of 0.94, 1 and 1.06 and their mirror images 0.993.
VIEW_SIDES_PX = (160, 150, 142)
ROWS_ON_PROCESSOR, ROWS_ON_CUDA = 16, 64  # of views; more are not faster
NETWORK_FILE = "dlib_face_recognition_resnet_model_v1.dat"
PREDICTOR_FILE = "shape_predictor_5_face_landmarks.dat"
LICENCE = "CC0 1.0"
THRESHOLDS = Thresholds(
    possible=0.9305,
    same_person=0.9558,
    basis="cosines at false-accept rates 1e-3 and 1e-5 over 12,969,926 pairs of different people: "
    "5,095 LFW photos of 2,822 people, at most 10 each; 93.8 % and 57.8 % of 7,039 pairs of one "
    "person reach them",
)


def model_files() -> tuple[Path, Path]:
    """Return the paths of the network and of the five-point predictor.

    Raises MissingExtra if the package is not installed, WeightsUnavailable if it lacks them.
    """
    from importlib.util import find_spec

    # Importing the package fails: it needs pkg_resources, which setuptools has removed.
    spec = find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra("The dlib model", "dlib")
    folder = Path(spec.submodule_search_locations[0]) / "models"
    files = folder / NETWORK_FILE, folder / PREDICTOR_FILE
    for file in files:
        if not file.is_file():
            raise WeightsUnavailable(
                f"{file} is missing: reinstall the package face-recognition-models."
            )
    return files


class DlibNet(Embedder):
    """dlib's network on faces that its own five-point predictor aligns, in several views.

    The predictor was trained on the boxes of dlib's detector. How one is made of MTCNN's matters
    little: five ways (the box, squares by its sides or by landmarks) accepted 91.5 to 92.1 % of 470
    pairs of LFW photos of one person at false-accept rate 1e-3, and the longer side's square most;
    aligning by MTCNN's own landmarks accepted 90.2 %.
    """

    crop_px = CHIP_PX

    def __init__(self, runtime: Runtime) -> None:
        """Load the network and the predictor. Raises MissingExtra, WeightsUnavailable."""
        try:
            import dlib
        except ImportError as error:
            raise MissingExtra("The dlib model", "dlib") from error
        weights, predictor = model_files()
        sides = ", ".join(map(str, VIEW_SIDES_PX))
        self.identity = ModelIdentity(
            name="dlib",
            dimensions=DIMENSIONS,
            recipe=f"MTCNN box made square by its longer side, five-point predictor "
            f"{sha256_of(predictor)[:12]}, chip of {CHIP_PX} px with padding {PADDING}, RGB, sum "
            f"of its middle squares of {sides} px and of their mirror images",
            weights_sha256=sha256_of(weights),
            weights_path=str(weights),
            licence=LICENCE,
            thresholds=THRESHOLDS,
        )
        try:
            self._predictor = dlib.shape_predictor(str(predictor))
        except RuntimeError as error:
            raise WeightsUnavailable(
                f"{predictor} is no whole file: {error}. Reinstall the package "
                "face-recognition-models."
            ) from error
        largest = ROWS_ON_CUDA if runtime.device == "cuda" else ROWS_ON_PROCESSOR
        network = Network("dlib", weights, built, INPUT_PX)
        self._net = in_parts(load_net(network, runtime), largest, threads_of(runtime))

    def crop(self, image_rgb: Array, detection: Detection) -> Array:
        """Return the face as dlib's chip: upright, scaled and centred; see Embedder.crop."""
        import dlib

        x1, y1, x2, y2 = detection.box_xyxy
        half = max(x2 - x1, y2 - y1) / 2
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        square = dlib.rectangle(*(round(edge) for edge in (x - half, y - half, x + half, y + half)))
        pixels = np.ascontiguousarray(image_rgb)
        shape = self._predictor(pixels, square)
        return np.asarray(dlib.get_face_chip(pixels, shape, CHIP_PX, PADDING))

    def _vectors(self, crops: Array) -> Array:
        views = views_of(crops)
        # dlib's jitter adds up vectors as the network gives them, too, of any length.
        found = self._net((views - np.array(MEAN_RGB, np.float32)) / 256)[0]
        vectors: Array = found.reshape(len(crops), -1, DIMENSIONS).sum(axis=1)
        return vectors


def views_of(chips: Array) -> Array:
    """Return each chip as the network sees it: squares of its middle, and their mirror images.

    chips: (n, 160, 160, 3) uint8. Returns (n * 6, 150, 150, 3) float32, 0 to 255; those of a chip
    follow each other.
    """
    import cv2

    views = np.empty((len(chips), len(VIEW_SIDES_PX), 2, INPUT_PX, INPUT_PX, 3), np.float32)
    for number, side in enumerate(VIEW_SIDES_PX):
        start = (CHIP_PX - side) // 2
        middles = chips[:, start : start + side, start : start + side]
        for mine, middle in zip(views[:, number], middles, strict=True):
            mine[0] = cv2.resize(middle, (INPUT_PX, INPUT_PX), interpolation=cv2.INTER_LINEAR)
            mine[1] = mine[0, :, ::-1]
    flat: Array = views.reshape(-1, INPUT_PX, INPUT_PX, 3)
    return flat
