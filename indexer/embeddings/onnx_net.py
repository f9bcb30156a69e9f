"""Any face-embedding network in ONNX, used as its card says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer.crops import aligned_crop, margin_crop
from indexer.embeddings.base import Embedder
from indexer.embeddings.card import Margin
from indexer.errors import UsageError, WeightsUnavailable
from indexer.inference import Threads, in_parts
from indexer.records import ModelIdentity
from indexer.weights import sha256_of

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.embeddings.card import Card
    from indexer.inference import Array, Net
    from indexer.records import Detection

ROWS_AT_ONCE = 16  # crops and mirror images in one batch; more are not faster


class OnnxNet(Embedder):
    """A network with one input (N x 3 x side x side) and its vectors (N x dimensions) first out."""

    def __init__(self, path: Path, card: Card, threads: int) -> None:
        """Load the network into OpenVINO and try it on one black crop.

        Raises WeightsUnavailable if the file is no ONNX network, UsageError if the card does not
        fit it.
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
        self._follow(card)
        self._net = _network(path, threads)
        self._try_out()

    def _follow(self, card: Card) -> None:
        self.crop_px = card.input_size
        self._card = card
        self._scale, self._offset = (np.array(each, np.float32) for each in card.scaling)

    def crop(self, image_rgb: Array, detection: Detection) -> Array:
        """Return the face aligned, or with a margin, as the card says; see Embedder.crop."""
        if isinstance(self._card.alignment, Margin):
            margin = self._card.alignment.margin
            return margin_crop(image_rgb, detection.box_xyxy, size=self.crop_px, margin=margin)
        return aligned_crop(image_rgb, detection.landmarks_xy, size=self.crop_px)

    def pixels_of(self, crops: Array) -> Array:
        """Return crops, (n, crop_px, crop_px, 3) uint8, as the network wants them: float32."""
        coloured = crops if self._card.colour_order == "RGB" else crops[..., ::-1]
        pixels: Array = coloured * self._scale + self._offset
        return pixels

    def _vectors(self, crops: Array) -> Array:
        pixels = self.pixels_of(crops)
        if not self._card.flip:
            return self._net(pixels)[0]
        both = self._net(np.concatenate([pixels, pixels[:, :, ::-1]]))[0]
        vectors: Array = both[: len(crops)] + both[len(crops) :]
        return vectors

    def _try_out(self) -> None:
        black = np.zeros((1, self.crop_px, self.crop_px, 3), np.uint8)
        expected = (1, self.identity.dimensions)
        try:
            shape = self._vectors(black).shape
        except RuntimeError as error:  # OpenVINO's only error
            raise UsageError(
                f"{self.identity.weights_path} does not take what its card says: pictures of "
                f"{self.crop_px} x {self.crop_px} pixels."
            ) from error
        if shape != expected:
            raise UsageError(
                f"{self.identity.weights_path} gives vectors of shape {shape}, where its card "
                f"promises {expected}."
            )


def _network(path: Path, threads: int) -> Net:
    """Return a network as a function of (n, side, side, 3) float32, with OpenVINO's threads."""
    from indexer.openvino_net import load_onnx_net

    try:
        net, takes_one = load_onnx_net(path, threads)
    except RuntimeError as error:  # OpenVINO's only error
        raise WeightsUnavailable(
            f"{path} cannot be loaded as an ONNX network: it is cut short, damaged, or something "
            "else."
        ) from error
    return in_parts(net, 1 if takes_one else ROWS_AT_ONCE, Threads(threads))
