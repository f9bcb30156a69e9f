"""RGB of single pixels, straight from the planes in which a decoder leaves a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from indexer.display import undisplayed
from indexer.points import in_cells, spread_points


@dataclass(frozen=True)
class _Layout:
    """Which chroma sample belongs to a pixel, and how samples lie in memory.

    shift_x, shift_y: of a pixel's place to its chroma's. bits: of a sample, in 16-bit words if
    more than 8. together: U and V lie in one plane by turns. spare_bits: below the sample.
    """

    shift_x: int
    shift_y: int
    bits: int = 8
    together: bool = False
    spare_bits: int = 0


_LAYOUTS = {
    "yuv420p": _Layout(1, 1),
    "yuv422p": _Layout(1, 0),
    "yuv444p": _Layout(0, 0),
    "yuvj420p": _Layout(1, 1),
    "yuvj422p": _Layout(1, 0),
    "yuvj444p": _Layout(0, 0),
    "nv12": _Layout(1, 1, together=True),
    "yuv420p10le": _Layout(1, 1, 10),
    "yuv422p10le": _Layout(1, 0, 10),
    "yuv444p10le": _Layout(0, 0, 10),
    "yuv420p12le": _Layout(1, 1, 12),
    "p010le": _Layout(1, 1, 10, together=True, spare_bits=6),
}

_RED_AND_BLUE = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 7: (0.212, 0.087)}
_RED_AND_BLUE |= dict.fromkeys((9, 10), (0.2627, 0.0593))
_ITU601 = (0.299, 0.114)
"""Weights of red and blue in brightness by ITU-T H.273's number of the matrix: BT.709, FCC,
SMPTE 240M and BT.2020. libswscale takes BT.601 for the others, so for pictures that state none."""

_FULL_RANGE = 2


@dataclass(frozen=True)
class _Places:
    """Where the points' samples lie in the planes, as numbers of words: the points' shape."""

    layout: _Layout
    luma: np.ndarray
    chroma: np.ndarray


class PlanePoints:
    """Takes the pixels at `spread_points` of each picture of a video, turned as it is displayed.

    height, width: of the displayed picture. turn: see `display_matrix`.
    """

    def __init__(self, height: int, width: int, density: int, turn: np.ndarray) -> None:
        self._density = density
        self._points = spread_points(height, width, density)
        self._turn = turn
        self._places: dict[tuple[Any, ...], _Places | None] = {}

    def rgb(self, picture: Any, cells: np.ndarray | None = None) -> np.ndarray | None:
        """Return the points of a decoder's picture, of all cells or some: their shape x 3, uint8.

        None for a picture whose pixels cannot be told apart in its planes: of a rarer format, or
        interlaced, where chroma belongs to one of two fields.
        """
        if picture.interlaced_frame:
            return None
        planes = picture.planes
        places = self._places_in(picture, tuple([plane.line_size for plane in planes]))
        if places is None:
            return None
        luma, chroma = places.luma, places.chroma
        if cells is not None:
            luma = in_cells(luma, self._density, cells)
            chroma = in_cells(chroma, self._density, cells)
        return _as_rgb(_samples(planes, places.layout, luma, chroma), picture, places.layout)

    def _places_in(self, picture: Any, line_sizes: tuple[int, ...]) -> _Places | None:
        key = (picture.format.name, picture.width, picture.height, line_sizes)
        if key not in self._places:
            self._places = {key: self._find_places(*key)}
        return self._places[key]

    def _find_places(
        self, name: str, width: int, height: int, line_sizes: tuple[int, ...]
    ) -> _Places | None:
        layout = _LAYOUTS.get(name)
        if layout is None or min(line_sizes) <= 0:
            return None
        y, x = undisplayed(self._points, width, height, self._turn)
        size = 1 if layout.bits == 8 else 2
        of_both = (x >> layout.shift_x) * (2 if layout.together else 1)
        return _Places(
            layout,
            luma=y * (line_sizes[0] // size) + x,
            chroma=(y >> layout.shift_y) * (line_sizes[1] // size) + of_both,
        )


def _samples(
    buffers: Any, layout: _Layout, luma: np.ndarray, chroma: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    word = np.dtype("u1" if layout.bits == 8 else "<u2")
    planes: list[np.ndarray] = [np.frombuffer(plane, word) for plane in buffers]
    if layout.together:
        taken = planes[0].take(luma), planes[1].take(chroma), planes[1][1:].take(chroma)
    else:
        taken = planes[0].take(luma), planes[1].take(chroma), planes[2].take(chroma)
    if layout.spare_bits:
        y, u, v = (np.right_shift(samples, layout.spare_bits) for samples in taken)
        return y, u, v
    return taken


def _as_rgb(
    yuv: tuple[np.ndarray, np.ndarray, np.ndarray], picture: Any, layout: _Layout
) -> np.ndarray:
    import cv2

    full_range = picture.color_range == _FULL_RANGE or picture.format.name.startswith("yuvj")
    matrix = _matrix(picture.colorspace, full_range, layout.bits)
    rgb = cv2.transform(cv2.merge(yuv), matrix)
    return rgb if rgb.dtype == np.uint8 else np.minimum(rgb, 255).astype(np.uint8)


@lru_cache(maxsize=16)
def _matrix(colorspace: int, full_range: bool, bits: int) -> np.ndarray:
    """Return what turns Y, U and V into 8-bit R, G and B: (3, 4) float32, the last one added."""
    red, blue = _RED_AND_BLUE.get(int(colorspace), _ITU601)
    green = 1.0 - red - blue
    to_red, to_blue = 2.0 * (1.0 - red), 2.0 * (1.0 - blue)
    of_unit = np.array(
        [
            [1.0, 0.0, to_red],
            [1.0, -to_blue * blue / green, -to_red * red / green],
            [1.0, to_blue, 0.0],
        ]
    )
    step = 2.0 ** (bits - 8)
    if full_range:
        top = 2.0**bits - 1
        scales, zeros = np.array([top] * 3), np.array([0.0, 128 * step, 128 * step])
    else:
        scales, zeros = step * np.array([219, 224, 224]), step * np.array([16, 128, 128])
    matrix = 255.0 * of_unit / scales
    return np.column_stack([matrix, -matrix @ zeros]).astype(np.float32)
