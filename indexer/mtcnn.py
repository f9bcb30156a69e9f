"""MTCNN: three small networks, each looking closer at the boxes that the one before let through.

The networks and weights are facenet-pytorch's, and so are the boxes; the steps between them are
written anew, because its own fail on pictures without candidates, on boxes outside the picture and
on pictures of several sizes, and wrap above 32,767 candidates. They all work on one picture
at a time, so that its faces do not depend on its batch; only the networks see batches.

Zhang et al., Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks,
IEEE Signal Processing Letters 23 (2016); the constants are those of facenet-pytorch 2.5.3.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from indexer.area import Tables, reduced, reduced_boxes, summed_areas
from indexer.errors import WeightsUnavailable
from indexer.inference import Network, in_parts, load_net, threads_of
from indexer.pieces import in_pieces
from indexer.proposals import moved, squared, suppressed, suppressed_within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from indexer.inference import Array, Mapping, Net
    from indexer.runtime import Runtime

WINDOW_PX = 12  # P-Net's field of view, hence the smallest face of any use
STRIDE_PX = 2
PYRAMID_FACTOR = 0.709  # about the square root of one half: every second level halves the sides
CANDIDATE_PROBABILITY = 0.6
REFINED_PROBABILITY = 0.7
R_SIDE_PX, O_SIDE_PX = 24, 48
BOXES_ON_PROCESSOR = 32  # at once; more are not faster
PIXELS_WORTH_THREADS = 500_000
"""Of fewer, a picture takes at most some 40 ms in one thread. There two threads took up to 14 %
more processor time (0.02 to 0.2 megapixels), and from 0.5 megapixels on no more than one."""
PICTURES_ON_CUDA, BOXES_ON_CUDA = 8, 1024


class Found(NamedTuple):
    """The faces of one picture.

    boxes: (n, 4) float32 (x1, y1, x2, y2), possibly beyond the picture's edges.
    landmarks: (n, 5, 2) float32 (x, y). probabilities: (n,) float32.
    """

    boxes: Array
    landmarks: Array
    probabilities: Array


class Cascade:
    """facenet-pytorch's P-, R- and O-Net on a runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self._p_net, self._r_net, self._o_net = (
            in_parts(load_net(network, runtime.in_full()), BOXES_ON_CUDA)
            for network in mtcnn_networks()
        )
        if runtime.name == "openvino":
            self._p_net = in_pieces(self._p_net)
        self._threads = threads_of(runtime)
        self._tables = Tables()
        # On CUDA pictures go through the networks together; on processors side by side.
        on_cuda = runtime.device == "cuda"
        self._pictures_at_once = PICTURES_ON_CUDA if on_cuda else runtime.threads
        self._pictures_each = PICTURES_ON_CUDA if on_cuda else 1
        self._boxes_each = BOXES_ON_CUDA if on_cuda else BOXES_ON_PROCESSOR

    def __call__(
        self, images: Sequence[Array], *, min_face_px: float, min_probability: float
    ) -> list[Found]:
        """Return the faces of each picture.

        images: (h, w, 3) uint8 RGB, all of one size. min_face_px: smallest window looked through,
        at least WINDOW_PX. min_probability: lowest one of O-Net.
        Takes 20 bytes of memory for each pixel of as many images as there are threads: 16 of its
        table of sums, 4 of the RGBA picture that this is made of. What the pyramid's levels and the
        networks take comes on top.
        """
        found: list[Found] = []
        pixels = sum(image.shape[0] * image.shape[1] for image in images)
        with self._threads.mapping(worthwhile=pixels >= PIXELS_WORTH_THREADS) as mapped:
            for start in range(0, len(images), self._pictures_at_once):
                some = images[start : start + self._pictures_at_once]
                with ExitStack() as lent:
                    memory = [lent.enter_context(self._tables.lent(image)) for image in some]
                    tables = list(mapped(summed_areas, some, memory))
                    boxes = self._candidates(tables, min_face_px, mapped)
                    boxes = self._refined(tables, boxes, mapped)
                    found += self._faces(tables, boxes, min_probability, mapped)
        return found

    def _candidates(
        self, tables: Sequence[Array], min_face_px: float, mapped: Mapping
    ) -> list[Array]:
        """Return square boxes (n, 4) of each picture that P-Net takes for faces."""
        shorter = min(tables[0].shape[:2]) - 1
        starts = range(0, len(tables), self._pictures_each)
        units = [
            (tables[start : start + self._pictures_each], scale)
            for scale in _scales(shorter, min_face_px)
            for start in starts
        ]
        levels = list(mapped(self._level, *zip(*units, strict=True))) if units else []
        found: list[list[Array]] = [[] for _ in tables]
        for number, windows in enumerate(levels):
            first = starts[number % len(starts)]
            for rows, each in zip(found[first:], windows, strict=False):
                rows.append(each)
        return [
            squared(_best_windows(np.concatenate(rows))) if rows else _NO_BOXES for rows in found
        ]

    def _level(self, tables: Sequence[Array], scale: float) -> list[Array]:
        """Return the windows (n, 9) of each picture at one level of its pyramid."""
        height, width = tables[0].shape[0] - 1, tables[0].shape[1] - 1
        size = int(height * scale + 1), int(width * scale + 1)
        pixels = _normalised(np.stack([reduced(table, size) for table in tables]))
        offsets, probabilities = self._p_net(pixels)
        return [
            _windows(mine, faces[1], scale)
            for mine, faces in zip(offsets, probabilities, strict=True)
        ]

    def _refined(self, tables: Sequence[Array], boxes: list[Array], mapped: Mapping) -> list[Array]:
        """Return square boxes (n, 4) of each picture that R-Net takes for faces."""
        refined = []
        for windows, offsets, probabilities in self._looked_at(
            self._r_net, R_SIDE_PX, tables, boxes, mapped
        ):
            likely = np.flatnonzero(probabilities[:, 1] > REFINED_PROBABILITY)
            best = likely[suppressed(windows[likely], probabilities[likely, 1], 0.7)]
            refined.append(squared(moved(windows[best], offsets[best])))
        return refined

    def _faces(
        self,
        tables: Sequence[Array],
        boxes: list[Array],
        min_probability: float,
        mapped: Mapping,
    ) -> list[Found]:
        faces = []
        for windows, offsets, points, probabilities in self._looked_at(
            self._o_net, O_SIDE_PX, tables, boxes, mapped
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

    def _looked_at(
        self,
        net: Net,
        side: int,
        tables: Sequence[Array],
        boxes: list[Array],
        mapped: Mapping,
    ) -> Iterator[tuple[Array, ...]]:
        """Yield each picture's boxes that lie in it at all, with the network's outputs for them."""

        def look(table: Array, corners: Array) -> tuple[Array, ...]:
            return net(_normalised(reduced_boxes(table, corners, side)))

        kept, units = [], []
        for table, mine in zip(tables, boxes, strict=True):
            height, width = table.shape[0] - 1, table.shape[1] - 1
            # The window starts one pixel before the box, as in the original MATLAB code.
            corners = np.trunc(mine).astype(np.int64)
            corners[:, :2] = np.maximum(corners[:, :2], 1) - 1
            corners[:, 2:] = np.minimum(corners[:, 2:], (width, height))
            inside = (corners[:, :2] < corners[:, 2:]).all(axis=1)
            kept.append(mine[inside])
            starts = range(0, max(len(kept[-1]), 1), self._boxes_each)
            units += [
                (table, corners[inside][start : start + self._boxes_each]) for start in starts
            ]
        looked = mapped(look, *zip(*units, strict=True))
        for mine in kept:
            parts = islice(looked, -(-max(len(mine), 1) // self._boxes_each))
            yield mine, *map(np.concatenate, zip(*parts, strict=True))


_NO_BOXES = np.zeros((0, 4), np.float32)


def mtcnn_networks() -> list[Network]:
    """Return P-, R- and O-Net with the weights that come with facenet-pytorch."""
    # Importing facenet-pytorch imports torch.
    spec = find_spec("facenet_pytorch")
    if spec is None or not spec.submodule_search_locations:
        raise WeightsUnavailable(
            "MTCNN's weights come with the package facenet-pytorch, which is not installed: "
            "pip install facenet-pytorch"
        )
    data = Path(spec.submodule_search_locations[0]) / "data"
    return [
        Network("mtcnn-p", data / "pnet.pt", partial(_built, "PNet"), None),
        Network("mtcnn-r", data / "rnet.pt", partial(_built, "RNet"), R_SIDE_PX),
        Network("mtcnn-o", data / "onet.pt", partial(_built, "ONet"), O_SIDE_PX),
    ]


def _built(kind: str, weights: Path) -> Any:
    import torch
    from facenet_pytorch.models import mtcnn

    net = getattr(mtcnn, kind)(pretrained=False)
    net.load_state_dict(torch.load(weights, weights_only=True))
    return net.eval()


def _normalised(pixels: Array) -> Array:
    """Bring values of 0..255 to what the networks were trained on; changes the array."""
    pixels -= 127.5
    pixels *= 0.0078125
    return pixels


def _scales(shorter_side: int, min_face_px: float) -> Iterator[float]:
    """Yield the pyramid's scales, from the one that makes the smallest face fill the window."""
    scale = WINDOW_PX / min_face_px
    side = shorter_side * scale
    while side >= WINDOW_PX:
        yield scale
        scale *= PYRAMID_FACTOR
        side *= PYRAMID_FACTOR


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
