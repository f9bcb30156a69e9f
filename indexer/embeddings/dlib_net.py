"""dlib's face recognition network, 128 dimensions, from the package face-recognition-models.

Davis King, dlib_face_recognition_resnet_model_v1 (2017), github.com/davisking/dlib-models.
"""

from __future__ import annotations

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
THRESHOLDS = Thresholds(0.9, 0.95, "to be measured")
# dlib's predictor was trained on boxes of dlib's own detector. Over 447 LFW photos these are
# squares, 3.89 times as wide as MTCNN's five landmarks spread around their mean (standard
# deviation 0.31), and their centre lies on that mean but for 0.04 of the side.
BOX_BY_SPREAD = 3.89


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
    """dlib's network on faces that its own five-point predictor aligns."""

    crop_px = CHIP_PX

    def __init__(self) -> None:
        """Load the network and the predictor. Raises MissingExtra, WeightsUnavailable."""
        try:
            import dlib
        except ImportError as error:
            raise MissingExtra("The dlib model", "dlib") from error
        network, predictor = model_files()
        self.identity = ModelIdentity(
            name="dlib",
            dimensions=DIMENSIONS,
            recipe=f"square around MTCNN landmarks, {BOX_BY_SPREAD} times their spread; "
            f"five-point predictor {sha256_of(predictor)[:12]}; chip of {CHIP_PX} px, padding 0.25",
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

        landmarks = np.array(detection.landmarks_xy)
        centre = landmarks.mean(axis=0)
        spread = float(np.sqrt(((landmarks - centre) ** 2).sum(axis=1).mean()))
        half = spread * BOX_BY_SPREAD / 2
        corners = np.concatenate([centre - half, centre + half]).round().astype(int).tolist()
        pixels = np.ascontiguousarray(image_rgb)
        shape = self._predictor(pixels, dlib.rectangle(*corners))
        return np.asarray(dlib.get_face_chip(pixels, shape, CHIP_PX))

    def _vectors(self, crops: Array) -> Array:
        return np.array(self._network.compute_face_descriptor(list(crops)), np.float32)
