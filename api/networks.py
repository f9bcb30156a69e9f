"""The networks of the service: loaded once, used by one thread at a time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

from indexer.embeddings.base import Embedder

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from indexer.faces import FaceDetector
    from indexer.networks import Networks
    from indexer.records import Detection, ModelIdentity
    from indexer.settings import Settings


class SharedNetworks:
    """Loads the index's networks when they are first needed, and again when its model changed.

    Networks use all processors by themselves, and not all of them bear several threads: each batch
    of pictures has its turn.
    """

    def __init__(self, settings: Settings, networks: Networks | None = None) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._loaded = networks and self._shared(networks)

    def load(self, model: ModelIdentity) -> Networks:
        """Return the networks for an index's model.

        Raises WeightsUnavailable, MissingExtra, ModelMismatch.
        """
        from indexer.networks import load_networks

        with self._lock:
            if self._loaded is None or self._loaded.embedder.identity.key != model.key:
                self._loaded = self._shared(load_networks(model, self._settings))
            return self._loaded

    def _shared(self, networks: Networks) -> Networks:
        from indexer.networks import Networks

        return Networks(
            cast("FaceDetector", _SharedDetector(networks.detector, self._turn)),
            _SharedEmbedder(networks.embedder, self._turn),
            networks.settings,
        )


class _SharedDetector:
    def __init__(self, detector: FaceDetector, turn: threading.Lock) -> None:
        self._detector = detector
        self._turn = turn

    def detect(self, images: Sequence[np.ndarray]) -> Any:
        """Return the faces of pictures; see `indexer.faces.FaceDetector.detect`."""
        with self._turn:
            return self._detector.detect(images)


class _SharedEmbedder(Embedder):
    def __init__(self, embedder: Embedder, turn: threading.Lock) -> None:
        self.identity = embedder.identity
        self.crop_px = embedder.crop_px
        self._embedder = embedder
        self._turn = turn

    def crop(self, image_rgb: np.ndarray, detection: Detection) -> np.ndarray:
        return self._embedder.crop(image_rgb, detection)

    def embed(self, crops: np.ndarray) -> np.ndarray:
        with self._turn:
            return self._embedder.embed(crops)

    def _vectors(self, crops: np.ndarray) -> np.ndarray:
        return self.embed(crops)
