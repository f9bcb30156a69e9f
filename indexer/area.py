"""Reduces pictures as torch's adaptive average pooling does: exact means of whole pixels.

Sums come from a summed-area table (Crow, SIGGRAPH 1984) of int32, which may wrap around: the
differences that are taken of it do not, as long as no mean is over more than 8 million pixels.
A fourth, empty channel makes a pixel of the table 16 bytes, which numpy gathers two to three times
as fast as the 12 bytes of three channels.
"""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

Array = np.ndarray[Any, Any]

CHANNELS = 4
KEPT_BYTES = 300_000_000  # of memory for one table, which a photo of 12 megapixels needs
ROWS_AT_ONCE = 32  # so that what lies between two steps stays in the processor's cache


class Tables:
    """Memory for tables, used again: to get fresh pages takes longer than to sum pictures."""

    def __init__(self) -> None:
        self._free: deque[Array] = deque()

    @contextmanager
    def lent(self, image: Array) -> Iterator[Array]:
        """Lend memory for a picture's table: (integers,) int32; what is in it is lost after."""
        height, width = image.shape[:2]
        count = (height + 1) * (width + 1) * CHANNELS + height * width
        try:
            memory = self._free.pop()
        except IndexError:
            memory = np.empty(0, np.int32)
        if memory.size < count:
            memory = np.empty(count, np.int32)
        yield memory
        if memory.nbytes <= KEPT_BYTES:
            self._free.append(memory)


def summed_areas(image: Array, memory: Array) -> Array:
    """Return the table of a (h, w, 3) uint8 picture, which lies in lent memory.

    (h + 1, w + 1, 4) int32.
    """
    import cv2

    height, width = image.shape[:2]
    table, rest = np.split(memory, [(height + 1) * (width + 1) * CHANNELS])
    table = table.reshape(height + 1, width + 1, CHANNELS)
    wide = rest[: height * width].view(np.uint8).reshape(height, width, CHANNELS)
    return np.asarray(cv2.integral(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA, dst=wide), sum=table))


def reduced(table: Array, size: tuple[int, int]) -> Array:
    """Reduce a whole picture, by its table, to size (rows, columns, 3) of float32 in 0..255."""
    top, bottom = _windows(np.zeros((1, 1), np.int64), table.shape[0] - 1, size[0])
    left, right = _windows(np.zeros((1, 1), np.int64), table.shape[1] - 1, size[1])
    means = np.empty((*size, 3), np.float32)
    for start in range(0, size[0], ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        strips = table[bottom[0, rows]]
        strips -= table[top[0, rows]]
        # The indices are inside; `wrap` only spares numpy a copy of the result.
        items = _as_items(strips)
        sums = _as_sums(items.take(right[0], axis=1, mode="wrap"))
        sums -= _as_sums(items.take(left[0], axis=1, mode="wrap"))
        means[rows] = _means(sums[None], (bottom - top)[:, rows], right - left)[0]
    return means


def reduced_boxes(table: Array, boxes: Array, side: int) -> Array:
    """Reduce parts of a picture, by its table, to squares.

    boxes: (n, 4) int64 corners x1, y1, x2, y2 inside the picture.
    Returns (n, side, side, 3) float32 in 0..255.
    """
    if not len(boxes):
        return np.zeros((0, side, side, 3), np.float32)
    x1, y1, x2, y2 = (edge[:, None] for edge in boxes.T)
    top, bottom = _windows(y1, y2 - y1, side)
    left, right = _windows(x1, x2 - x1, side)
    pixels = _as_items(table).reshape(-1)

    def at(rows: Array, columns: Array) -> Array:
        return _as_sums(pixels[(rows * table.shape[1])[:, :, None] + columns[:, None, :]])

    sums = at(bottom, right)
    sums -= at(bottom, left)
    sums -= at(top, right)
    sums += at(top, left)
    return _means(sums, bottom - top, right - left)


def _windows(start: Array, extent: Any, parts: int) -> tuple[Array, Array]:
    """Return the first pixels of `parts` windows over an extent, and those after their last.

    start: (n, 1). extent: pixels, an integer or (n, 1). Windows overlap where it does not divide.
    """
    numbers = np.arange(parts)
    first = start + numbers * extent // parts
    after = start + extent - (parts - 1 - numbers) * extent // parts
    return first, after


def _as_items(sums: Array) -> Array:
    """View (..., 4) int32 as (...) of one 16-byte item each."""
    return sums.view(np.complex128)[..., 0]


def _as_sums(items: Array) -> Array:
    """View gathered items as (..., 4) int32 again."""
    return items[..., None].view(np.int32)


def _means(sums: Array, heights: Array, widths: Array) -> Array:
    """Divide (n, rows, columns, 4) sums by the pixels of their windows; returns three channels.

    heights: (n, rows). widths: (n, columns).
    """
    import cv2

    count, rows, columns, _ = sums.shape
    means = sums.astype(np.float32).reshape(count, rows, -1)
    across = widths.astype(np.float32).repeat(CHANNELS, axis=1)
    counts = heights.astype(np.float32)[:, :, None] * across[:, None]
    # Along whole rows, as a loop over the channels of each pixel is many times slower.
    means /= counts
    flat = means.reshape(count * rows, columns, CHANNELS)
    return np.asarray(cv2.cvtColor(flat, cv2.COLOR_RGBA2RGB)).reshape(count, rows, columns, 3)
