"""P-Net on large pictures in pieces of few sizes, so that memory does not grow with the picture.

What a layer of a network hands to the next takes 300 MB for a photo of 12 megapixels, and a
runtime keeps that memory, and what it prepared for the picture's size, for later pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.inference import Array, Net

WHOLE_PX = 200_000
"""Pixels up to which a picture is looked at whole, in a few MB: that is faster for the frames of a
video of 1080 lines, which are all of one size. The largest level of their pyramid has 187,000."""

SIDES_PX = 58, 170
"""Of pieces: even, and few, as the runtime prepares each pair of them for itself. Of those that
were tried, from 20 to 506, these take the least time for photos of sizes not met before."""

_LAST_PX = 11
"""The side of a piece with one window, at the end of an odd length."""


def in_pieces(net: Net, whole_px: int = WHOLE_PX) -> Net:
    """Let P-Net, on (n, h, w, 3), give for a large picture what it gives for it whole.

    whole_px: pixels up to which pictures stay whole.
    Values may differ by the rounding of sums, as they do between any two sizes (by 2e-7).
    """

    def run(pixels: Array) -> tuple[Array, ...]:
        count, height, width, _ = pixels.shape
        if height * width <= whole_px:
            return net(pixels)
        whole: list[Array] = []
        for top, rows in _pieces(height):
            for left, columns in _pieces(width):
                found = net(_cut(pixels, top, left, rows, columns))
                if not whole:
                    windows = _windows(height), _windows(width)
                    whole = [
                        np.empty((count, each.shape[1], *windows), np.float32) for each in found
                    ]
                for target, each in zip(whole, found, strict=True):
                    place = target[:, :, top // 2 :, left // 2 :]
                    place = place[:, :, : each.shape[2], : each.shape[3]]
                    place[:] = each[:, :, : place.shape[2], : place.shape[3]]
        return tuple(whole)

    return run


def _windows(length: int) -> int:
    """Return how many windows of 12 pixels, two apart, P-Net has in a length.

    The last one of an odd length lacks its last pixel: the pooling within rounds up.
    """
    return (length - 1) // 2 - 4


def _pieces(length: int) -> Iterator[tuple[int, int]]:
    """Yield start and length of pieces that have all of a length's windows.

    The last may reach beyond the end, except for an odd length's last window, which has a piece of
    its own: there P-Net must find the end.
    """
    start, left = 0, _windows(length - length % 2)
    while left > 0:
        side = next((side for side in SIDES_PX if _windows(side) >= left), SIDES_PX[-1])
        yield start, side
        start += 2 * _windows(side)
        left -= _windows(side)
    if length % 2:
        yield length - _LAST_PX, _LAST_PX


def _cut(pixels: Array, top: int, left: int, rows: int, columns: int) -> Array:
    """Return a part of pictures, with zeros where it reaches beyond them."""
    part = pixels[:, top : top + rows, left : left + columns]
    if part.shape[1:3] == (rows, columns):
        return part
    padded = np.zeros((len(pixels), rows, columns, 3), np.float32)
    padded[:, : part.shape[1], : part.shape[2]] = part
    return padded
