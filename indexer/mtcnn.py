"""MTCNN: three small networks, each looking closer at the boxes that the one before let through.

The networks and weights are facenet-pytorch's, and so are the boxes; the steps between them are
written anew, because its own fail on pictures without candidates, on boxes outside the picture and
on pictures of several sizes, and wrap above 32,767 candidates. They all work on one picture
at a time, so that its faces do not depend on its batch; only the networks see batches.

Zhang et al., Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks,
IEEE Signal Processing Letters 23 (2016); the constants are those of facenet-pytorch 2.5.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from indexer.proposals import moved, squared, suppressed, suppressed_within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Array = np.ndarray[Any, Any]
    Net = Callable[[Array], tuple[Array, ...]]

WINDOW_PX = 12  # P-Net's field of view, hence the smallest face of any use
STRIDE_PX = 2
PYRAMID_FACTOR = 0.709  # about the square root of one half: every second level halves the sides
CANDIDATE_PROBABILITY = 0.6
REFINED_PROBABILITY = 0.7
NETWORK_BATCH = 512  # bounds memory, whatever the number of candidates


class Found(NamedTuple):
    """The faces of one picture.

    boxes: (n, 4) float32 (x1, y1, x2, y2), possibly beyond the picture's edges.
    landmarks: (n, 5, 2) float32 (x, y). probabilities: (n,) float32.
    """

    boxes: Array
    landmarks: Array
    probabilities: Array


class Cascade:
    """facenet-pytorch's P-, R- and O-Net on a device (`cpu` or `cuda`)."""

    def __init__(self, device: str) -> None:
        from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

        self._p_net, self._r_net, self._o_net = (
            _on_arrays(kind().eval(), device) for kind in (PNet, RNet, ONet)
        )

    def __call__(
        self, images: Sequence[Array], *, min_face_px: float, min_probability: float
    ) -> list[Found]:
        """Return the faces of each picture.

        images: (h, w, 3) uint8 RGB, all of one size. min_face_px: smallest window looked through,
        at least WINDOW_PX. min_probability: lowest one of O-Net.
        Takes about 25 bytes of memory for each pixel of all images together.
        """
        import cv2

        integrals = [cv2.integral(image) for image in images]
        boxes = self._candidates(integrals, min_face_px)
        boxes = self._refined(integrals, boxes)
        return self._faces(integrals, boxes, min_probability)

    def _candidates(self, integrals: Sequence[Array], min_face_px: float) -> list[Array]:
        """Return square boxes (n, 4) of each picture that P-Net takes for faces."""
        height, width = integrals[0].shape[0] - 1, integrals[0].shape[1] - 1
        whole = np.array([[0, 0, width, height]])
        found: list[list[Array]] = [[] for _ in integrals]
        for scale in _scales(min(height, width), min_face_px):
            size = int(height * scale + 1), int(width * scale + 1)
            level = np.concatenate([_area_means(each, whole, size) for each in integrals])
            for rows, offsets, probabilities in zip(found, *self._p_net(level), strict=True):
                rows.append(_windows(offsets, probabilities[1], scale))
        return [
            squared(_best_windows(np.concatenate(rows))) if rows else _NO_BOXES for rows in found
        ]

    def _refined(self, integrals: Sequence[Array], boxes: list[Array]) -> list[Array]:
        """Return square boxes (n, 4) of each picture that R-Net takes for faces."""
        refined = []
        for windows, offsets, probabilities in self._looked_at(self._r_net, 24, integrals, boxes):
            likely = np.flatnonzero(probabilities[:, 1] > REFINED_PROBABILITY)
            best = likely[suppressed(windows[likely], probabilities[likely, 1], 0.7)]
            refined.append(squared(moved(windows[best], offsets[best])))
        return refined

    def _faces(
        self, integrals: Sequence[Array], boxes: list[Array], min_probability: float
    ) -> list[Found]:
        faces = []
        for windows, offsets, points, probabilities in self._looked_at(
            self._o_net, 48, integrals, boxes
        ):
            likely = np.flatnonzero(probabilities[:, 1] >= min_probability)
            refined = moved(windows, offsets)
            best = likely[suppressed_within(refined[likely], probabilities[likely, 1], 0.7)]
            corner = windows[best, None, :2]
            sides = windows[best, None, 2:] - corner + 1
            relative = points[best].reshape(-1, 2, 5).transpose(0, 2, 1)
            faces.append(
                Found(refined[best], relative * sides + corner - 1, probabilities[best, 1])
            )
        return faces

    @staticmethod
    def _looked_at(
        net: Net, side: int, integrals: Sequence[Array], boxes: list[Array]
    ) -> Iterator[tuple[Array, ...]]:
        """Yield each picture's boxes that lie in it at all, with the network's outputs for them."""
        kept, crops = [], []
        for integral, mine in zip(integrals, boxes, strict=True):
            height, width = integral.shape[0] - 1, integral.shape[1] - 1
            # The window starts one pixel before the box, as in the original MATLAB code.
            corners = np.trunc(mine).astype(np.int64)
            corners[:, :2] = np.maximum(corners[:, :2], 1) - 1
            corners[:, 2:] = np.minimum(corners[:, 2:], (width, height))
            inside = (corners[:, :2] < corners[:, 2:]).all(axis=1)
            kept.append(mine[inside])
            crops.append(_area_means(integral, corners[inside], (side, side)))
        outputs = net(np.concatenate(crops))
        ends = np.cumsum([len(mine) for mine in kept])[:-1]
        yield from zip(kept, *(np.split(output, ends) for output in outputs), strict=True)


_NO_BOXES = np.zeros((0, 4), np.float32)


def _on_arrays(net: Any, device: str) -> Net:
    """Make a network take uint8-valued (n, 3, h, w) float32 arrays and return arrays."""
    import torch

    net = net.to(device)

    def run(pixels: Array) -> tuple[Array, ...]:
        # The networks fail on an empty batch, and only they know the shapes of their outputs.
        filled = pixels if len(pixels) else np.zeros((1, *pixels.shape[1:]), np.float32)
        outputs = []
        with torch.inference_mode():
            for start in range(0, len(filled), NETWORK_BATCH):
                batch = torch.from_numpy(filled[start : start + NETWORK_BATCH]).to(device)
                outputs.append([each.cpu().numpy() for each in net((batch - 127.5) * 0.0078125)])
        return tuple(np.concatenate(parts)[: len(pixels)] for parts in zip(*outputs, strict=True))

    return run


def _scales(shorter_side: int, min_face_px: float) -> Iterator[float]:
    """Yield the pyramid's scales, from the one that makes the smallest face fill the window."""
    scale = WINDOW_PX / min_face_px
    side = shorter_side * scale
    while side >= WINDOW_PX:
        yield scale
        scale *= PYRAMID_FACTOR
        side *= PYRAMID_FACTOR


def _area_means(integral: Array, boxes: Array, size: tuple[int, int]) -> Array:
    """Reduce parts of a picture as torch's adaptive average pooling does.

    integral: (h + 1, w + 1, 3) int32 sums, which may wrap: no mean is over 8 million pixels.
    boxes: (n, 4) int64 corners inside the picture. size: (rows, columns).
    Returns (n, 3, rows, columns) float32 in 0..255.
    """
    rows, columns = np.arange(size[0]), np.arange(size[1])
    x1, y1, x2, y2 = (edge[:, None] for edge in boxes.T)
    top, bottom = y1 + rows * (y2 - y1) // size[0], y2 - (size[0] - 1 - rows) * (y2 - y1) // size[0]
    left = x1 + columns * (x2 - x1) // size[1]
    right = x2 - (size[1] - 1 - columns) * (x2 - x1) // size[1]
    top, bottom, left, right = top[:, :, None], bottom[:, :, None], left[:, None], right[:, None]
    sums = integral[bottom, right] - integral[bottom, left]
    sums -= integral[top, right] - integral[top, left]
    means = sums / ((bottom - top) * (right - left))[..., None]
    return np.ascontiguousarray(means.transpose(0, 3, 1, 2), dtype=np.float32)


def _windows(offsets: Array, probabilities: Array, scale: float) -> Array:
    """Return (n, 9) windows of one level that may hold a face: box, probability, four offsets."""
    at = np.nonzero(probabilities >= CANDIDATE_PROBABILITY)
    corner = STRIDE_PX * np.stack(at[::-1], axis=1).astype(np.float32)
    low = np.floor((corner + 1) / np.float32(scale))
    high = np.floor((corner + WINDOW_PX) / np.float32(scale))
    scores = probabilities[at][:, None]
    windows = np.concatenate([low, high, scores, offsets[:, at[0], at[1]].T], axis=1)
    return windows[suppressed(windows[:, :4], windows[:, 4], 0.5)]


def _best_windows(windows: Array) -> Array:
    """Suppress (n, 9) windows of all levels and apply their offsets; returns boxes (m, 4)."""
    windows = windows[suppressed(windows[:, :4], windows[:, 4], 0.7)]
    sides = windows[:, 2:4] - windows[:, :2]
    boxes: Array = windows[:, :4] + windows[:, 5:] * np.tile(sides, 2)
    return boxes
