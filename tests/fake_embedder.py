"""An embedding model without a network, for tests of everything around it."""

from __future__ import annotations

import numpy as np

from indexer.crops import margin_crop
from indexer.embeddings.base import Embedder
from indexer.records import Detection, ModelIdentity, Thresholds


class FakeEmbedder(Embedder):
    """Maps a face to the colours of its crop in 8 x 8 cells, less their mean.

    The same picture of a face gives cosines near 1 also when shifted by pixels or compressed;
    different faces give lower ones.
    """

    crop_px = 64

    def __init__(self, version: str = "1") -> None:
        self.identity = ModelIdentity(
            name="fake",
            dimensions=192,
            recipe=f"cells of colour, version {version}",
            weights_sha256="0" * 64,
            weights_path="",
            licence="none",
            thresholds=Thresholds(possible=0.8, same_person=0.95, basis="made up"),
        )
        self._sign = 1.0 if version == "1" else -1.0

    def crop(self, image_rgb: np.ndarray, detection: Detection) -> np.ndarray:
        return margin_crop(image_rgb, detection.box_xyxy, size=self.crop_px, margin=0)

    def _vectors(self, crops: np.ndarray) -> np.ndarray:
        cells = crops.reshape(len(crops), 8, 8, 8, 8, 3).mean(axis=(2, 4)).reshape(len(crops), -1)
        return self._sign * (cells - cells.mean(axis=1, keepdims=True) + 1e-3).astype(np.float32)
