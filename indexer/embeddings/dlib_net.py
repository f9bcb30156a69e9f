"""dlib's face recognition network, 128 dimensions, from the package face-recognition-models.

Davis King, dlib_face_recognition_resnet_model_v1 (2017), github.com/davisking/dlib-models.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.embeddings.base import Embedder
from indexer.errors import MissingExtra, WeightsUnavailable
from indexer.records import ModelIdentity, Thresholds
from indexer.weights import sha256_of

if TYPE_CHECKING:
    from indexer.records import Detection

    Array = np.ndarray[Any, Any]

DIMENSIONS = 128
CHIP_PX = 150
NETWORK_FILE = "dlib_face_recognition_resnet_model_v1.dat"
PREDICTOR_FILE = "shape_predictor_5_face_landmarks.dat"
LICENCE = "CC0 1.0"
THRESHOLDS = Thresholds(
    possible=0.926,
    same_person=0.954,
    basis="cosines at false-accept rates 1e-3 and 1e-5 over 2,426,904 pairs of different people: "
    "2,204 LFW photos of 1,402 people, at most 2 each; 94.6 % and 50.8 % of 802 pairs of one "
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
    """dlib's network on faces that its own five-point predictor aligns.

    The predictor was trained on the boxes of dlib's detector. How one is made of MTCNN's matters
    little: five ways (the box, squares by its sides or by landmarks) accepted 91.5 to 92.1 % of 470
    pairs of LFW photos of one person at false-accept rate 1e-3, and the longer side's square most;
    aligning by MTCNN's own landmarks accepted 90.2 %.
    """

    crop_px = CHIP_PX

    def __init__(self) -> None:
        """Load the network and the predictor. Raises MissingExtra, WeightsUnavailable."""
        try:
            import dlib
        except ImportError as error:
            raise MissingExtra("The dlib model", "dlib") from error
        self._turn = threading.Lock()
        network, predictor = model_files()
        self.identity = ModelIdentity(
            name="dlib",
            dimensions=DIMENSIONS,
            recipe=f"MTCNN box made square by its longer side, five-point predictor "
            f"{sha256_of(predictor)[:12]}, chip of {CHIP_PX} px with padding 0.25, RGB",
            weights_sha256=sha256_of(network),
            weights_path=str(network),
            licence=LICENCE,
            thresholds=THRESHOLDS,
        )
        try:
            self._predictor = dlib.shape_predictor(str(predictor))
            self._network = dlib.face_recognition_model_v1(str(network))
        except RuntimeError as error:
            raise WeightsUnavailable(
                f"{network.parent} holds no whole files: {error}. Reinstall the package "
                "face-recognition-models."
            ) from error

    def crop(self, image_rgb: Array, detection: Detection) -> Array:
        """Return the face as dlib's chip: upright, scaled and centred; see Embedder.crop."""
        import dlib

        x1, y1, x2, y2 = detection.box_xyxy
        half = max(x2 - x1, y2 - y1) / 2
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        square = dlib.rectangle(*(round(edge) for edge in (x - half, y - half, x + half, y + half)))
        pixels = np.ascontiguousarray(image_rgb)
        return np.asarray(dlib.get_face_chip(pixels, self._predictor(pixels, square), CHIP_PX))

    def _vectors(self, crops: Array) -> Array:
        # dlib's networks keep what they compute in themselves.
        with self._turn:
            return np.array(self._network.compute_face_descriptor(list(crops)), np.float32)
