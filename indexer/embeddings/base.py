"""What every embedding model does: crop faces its own way and turn the crops into unit vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import UsageError, WeightsUnavailable

if TYPE_CHECKING:
    from indexer.records import Detection, ModelIdentity

    Array = np.ndarray[Any, Any]

WHOLE_PICTURE = "whole picture"
"""How recipes begin of models that want whole pictures instead of faces."""

BATCH = 32  # larger batches gain nothing on CPUs, and this bounds memory


class Embedder(ABC):
    """A loaded embedding model; several threads may use it at once.

    identity: what makes its vectors what they are. crop_px: side of its square crops.
    """

    identity: ModelIdentity
    crop_px: int

    @property
    def whole_pictures(self) -> bool:
        """Whether it wants whole pictures, so that no faces are looked for."""
        return wants_whole_pictures(self.identity)

    @abstractmethod
    def crop(self, image_rgb: Array, detection: Detection) -> Array:
        """Return a face as `embed` wants it: (crop_px, crop_px, 3) uint8 RGB.

        image_rgb: (h, w, 3) uint8, the picture in which the face was detected.
        """

    def embed(self, crops: Array) -> Array:
        """Return one unit vector per face crop.

        crops: (N, crop_px, crop_px, 3) uint8 RGB; N may be 0.
        Returns (N, dimensions) float32; row i belongs to crops[i].
        Raises UsageError unless crops has that shape, WeightsUnavailable if the network's answer
        cannot be a direction (not finite, or all zero).
        """
        shape = (self.crop_px, self.crop_px, 3)
        if crops.ndim != 4 or crops.shape[1:] != shape or crops.dtype != np.uint8:
            raise UsageError(
                f"{self.identity.name} embeds crops of (N, {', '.join(map(str, shape))}) uint8, "
                f"not {crops.shape} {crops.dtype}."
            )
        vectors = np.empty((len(crops), self.identity.dimensions), np.float32)
        for start in range(0, len(crops), BATCH):
            vectors[start : start + BATCH] = self._vectors(crops[start : start + BATCH])
        return self.unit_vectors(vectors)

    def unit_vectors(self, vectors: Array) -> Array:
        """Bring vectors of the model to length 1, in place: (N, dimensions) float32.

        Raises WeightsUnavailable if one cannot be a direction (not finite, or all zero).
        """
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(lengths) & (lengths > 0)).all():
            raise WeightsUnavailable(
                f"{self.identity.name} ({self.identity.weights_path}) gives vectors without a "
                "direction: its weights or its card are wrong."
            )
        vectors /= lengths
        return vectors

    @abstractmethod
    def _vectors(self, crops: Array) -> Array:
        """Return (n, dimensions) float32, of any length, for 1 to BATCH crops."""


def wants_whole_pictures(identity: ModelIdentity) -> bool:
    """Return whether a model wants whole pictures instead of faces."""
    return identity.recipe.startswith(WHOLE_PICTURE)
