"""dlib's face recognition network: read from dlib's own file, and built in torch.

dlib runs it without BLAS as its wheels are built: 75 ms a picture on a core, where OpenVINO needs
3 ms. The vectors are the same: parts differ by less than 1e-6.

The network is `anet_type` of dlib's examples/dnn_face_recognition_ex.cpp, a ResNet of 29 layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import WeightsUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Array = np.ndarray[Any, Any]

DIMENSIONS = 128
MEAN_RGB = (122.782, 117.001, 104.298)
"""Taken from pixels of 0 to 255, which are divided by 256 then (dlib/dnn/input.h)."""

_FIRST, _FIRST_PX = 32, 7
# Channels, blocks, and whether the first block halves the sides: levels 4 to 0 of the example.
_LEVELS = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
_TENSOR_VERSION = 2
_FLOAT = np.dtype("<f4")


class Tensors:
    """The tensors of a file, in the order of the layers from the input on.

    dlib writes no table of them, so each is sought by its header, whose shape is known. Versions
    of layers, names and settings lie between them.
    """

    def __init__(self, path: Path) -> None:
        """Read the file. Raises WeightsUnavailable if it is not there."""
        self._path = path
        try:
            self._content = path.read_bytes()
        except OSError as error:
            raise WeightsUnavailable(f"{path} cannot be read: {error}.") from error
        self._at = 0

    def next(self, *shape: int) -> Array:
        """Return the next tensor of a shape of four. Raises WeightsUnavailable without one."""
        header = b"".join(map(_written, (_TENSOR_VERSION, *shape)))
        found = self._content.find(header, self._at)
        start, count = found + len(header), int(np.prod(shape))
        self._at = start + count * _FLOAT.itemsize
        if found < 0 or self._at > len(self._content):
            raise WeightsUnavailable(
                f"{self._path} does not hold the weights of dlib's face recognition network."
            )
        return np.frombuffer(self._content, _FLOAT, count, start).reshape(shape)

    def convolution(self, channels: int, filters: int, side: int) -> tuple[Array, Array]:
        """Return weights and biases of a convolution, with the affine layer after it in them."""
        count = filters * channels * side * side
        both = self.next(count + filters, 1, 1, 1).ravel()
        scale, shift = self.next(2 * filters, 1, 1, 1).reshape(2, filters)
        weights = both[:count].reshape(filters, channels, side, side)
        return weights * scale[:, None, None, None], both[count:] * scale + shift


def built(path: Path) -> Any:
    """Return the network in torch, (n, 3, 150, 150) -> (n, 128). Raises WeightsUnavailable.

    It takes (x - MEAN_RGB) / 256.
    """
    from torch import nn

    tensors = Tensors(path)
    layers: list[Any] = [
        _convolution(tensors, 3, _FIRST, _FIRST_PX, stride=2, padding=0),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        *_blocks(tensors),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    ]
    last = nn.Linear(_LEVELS[-1][0], DIMENSIONS, bias=False)
    _fill(last.weight, tensors.next(_LEVELS[-1][0], DIMENSIONS, 1, 1)[..., 0, 0].T)
    return nn.Sequential(*layers, last).eval()


def _blocks(tensors: Tensors) -> Iterator[Any]:
    channels = _FIRST
    for filters, count, halves in _LEVELS:
        for number in range(count):
            yield _block(tensors, channels, filters, halves=halves and number == 0)
            channels = filters


def _block(tensors: Tensors, channels: int, filters: int, *, halves: bool) -> Any:
    """Return a residual block; where sums of unequal shapes meet, dlib pads with zeros."""
    from torch import nn
    from torch.nn import functional

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            stride, padding = (2, 0) if halves else (1, 1)
            self.body = nn.Sequential(
                _convolution(tensors, channels, filters, 3, stride, padding),
                nn.ReLU(),
                _convolution(tensors, filters, filters, 3, 1, 1),
            )

        def forward(self, before: Any) -> Any:
            after = self.body(before)
            if halves:
                before = functional.avg_pool2d(before, 2)
                before = functional.pad(before, (0, 0, 0, 0, 0, filters - channels))
                lower, right = (before.shape[side] - after.shape[side] for side in (2, 3))
                after = functional.pad(after, (0, right, 0, lower))
            return functional.relu(before + after)

    return Block()


def _convolution(
    tensors: Tensors, channels: int, filters: int, side: int, stride: int, padding: int
) -> Any:
    from torch import nn

    layer = nn.Conv2d(channels, filters, side, stride, padding)
    weights, biases = tensors.convolution(channels, filters, side)
    _fill(layer.weight, weights)
    _fill(layer.bias, biases)
    return layer


def _fill(parameter: Any, values: Array) -> None:
    import torch

    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)))


def _written(number: int) -> bytes:
    """Return a positive integer as dlib serialises it: how many bytes, then these, lowest first."""
    count = max((number.bit_length() + 7) // 8, 1)
    return bytes([count]) + number.to_bytes(count, "little")
