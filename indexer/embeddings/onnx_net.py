"""Any face-embedding network in ONNX, used as its card says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.crops import aligned_crop, margin_crop
from indexer.embeddings.base import Embedder
from indexer.embeddings.card import Margin
from indexer.errors import MissingExtra, UsageError, WeightsUnavailable
from indexer.records import ModelIdentity
from indexer.weights import sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from indexer.embeddings.card import Card
    from indexer.records import Detection

    Array = np.ndarray[Any, Any]


class OnnxNet(Embedder):
    """A network with one input (N x 3 x side x side) and its vectors (N x dimensions) first out."""

    def __init__(self, path: Path, card: Card) -> None:
        """Load the network and try it on one black crop.

        Raises MissingExtra without onnxruntime, WeightsUnavailable if the file is no ONNX network,
        UsageError if the card does not fit it.
        """
        self.identity = ModelIdentity(
            name=card.name,
            dimensions=card.dimensions,
            recipe=card.recipe,
            weights_sha256=sha256_of(path),
            weights_path=str(path.resolve()),
            licence=card.licence,
            thresholds=card.thresholds,
        )
        self.crop_px = card.input_size
        self._card = card
        self._scale, self._offset = (np.array(each, np.float32) for each in card.scaling)
        self._run = _network(path)
        self._try_out()

    def crop(self, image_rgb: Array, detection: Detection) -> Array:
        """Return the face aligned, or with a margin, as the card says; see Embedder.crop."""
        if isinstance(self._card.alignment, Margin):
            margin = self._card.alignment.margin
            return margin_crop(image_rgb, detection.box_xyxy, size=self.crop_px, margin=margin)
        return aligned_crop(image_rgb, detection.landmarks_xy, size=self.crop_px)

    def _vectors(self, crops: Array) -> Array:
        coloured = crops if self._card.colour_order == "RGB" else crops[..., ::-1]
        pixels = (coloured * self._scale + self._offset).transpose(0, 3, 1, 2)
        vectors = self._run(np.ascontiguousarray(pixels))
        if self._card.flip:
            vectors = vectors + self._run(np.ascontiguousarray(pixels[..., ::-1]))
        return vectors

    def _try_out(self) -> None:
        black = np.zeros((1, self.crop_px, self.crop_px, 3), np.uint8)
        expected = (1, self.identity.dimensions)
        try:
            shape = self._vectors(black).shape
        except Exception as error:  # onnxruntime's errors have no common base
            raise UsageError(
                f"{self.identity.weights_path} does not take what its card says: {error}"
            ) from error
        if shape != expected:
            raise UsageError(
                f"{self.identity.weights_path} gives vectors of shape {shape}, where its card "
                f"promises {expected}."
            )


def _network(path: Path) -> Callable[[Array], Array]:
    """Return a network as a function of (n, 3, side, side) float32 that gives (n, dimensions)."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtra("ONNX models", "onnx") from error
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common base
        raise WeightsUnavailable(f"{path} cannot be loaded as an ONNX network: {error}") from error
    given = session.get_inputs()[0]
    fixed_to_one = given.shape[0] == 1

    def run(pixels: Array) -> Array:
        batches = np.split(pixels, len(pixels)) if fixed_to_one else [pixels]
        return np.concatenate([session.run(None, {given.name: batch})[0] for batch in batches])

    return run
