"""CIELAB colours and their difference, in true Delta E (CIE 1976) units."""

from __future__ import annotations

import numpy as np

from indexer.points import GRID_COLUMNS, GRID_ROWS

# Temporary arrays of this many pixels stay in the processor's cache, and below the size from which
# the C library maps fresh pages for each: ten times as fast as all pixels of a frame at once.
_STRIP_PIXELS = 9216

_CODES = np.arange(256) / 255.0
_LINEAR = np.where(_CODES > 0.04045, ((_CODES + 0.055) / 1.055) ** 2.4, _CODES / 12.92)
_LINEAR = _LINEAR.astype(np.float32).reshape(1, 256, 1)
"""Linear light of each 8-bit sRGB code (IEC 61966-2-1)."""

_XYZ_FROM_RGB = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
_WHITE_D65 = np.array([0.95047, 1.0, 1.08883])
_RELATIVE_XYZ = (_XYZ_FROM_RGB / _WHITE_D65[:, None]).astype(np.float32)
_LAB = np.array([[0, 116, 0, -16], [500, -500, 0, 0], [0, 200, -200, 0]], np.float32)
_SUM = np.ones((1, 3), np.float32)
_DARK, _SLOPE, _OFFSET = np.float32(0.008856), np.float32(7.787), np.float32(16 / 116)


def lab(image_rgb: np.ndarray) -> np.ndarray:
    """Return CIELAB colours: (h, w, 3) float32, L* 0 to 100, a* and b* unscaled, D65 white.

    image_rgb: (h, w, 3) uint8 sRGB. CIE 15 with scikit-image's constants, and within 0.001 of its
    rgb2lab; OpenCV's own conversion is off by up to 0.5.
    """
    if image_rgb.shape[0] * image_rgb.shape[1] <= _STRIP_PIXELS:
        return _lab(image_rgb)
    colours = np.empty(image_rgb.shape, np.float32)
    for rows in _strips(*image_rgb.shape[:2]):
        colours[rows] = _lab(image_rgb[rows])
    return colours


def delta_e(first_lab: np.ndarray, second_lab: np.ndarray) -> np.ndarray:
    """Return the distance of each pair of colours: (h, w) float32, from (h, w, 3) CIELAB."""
    import cv2

    difference = cv2.subtract(first_lab, second_lab)
    squares = cv2.multiply(difference, difference)
    return cv2.sqrt(cv2.transform(squares, _SUM))


def cell_means(values: np.ndarray) -> np.ndarray:
    """Return the mean of each cell of the grid: (rows, columns), fewer for tiny pictures."""
    rows, row_sizes = _edges(values.shape[0], GRID_ROWS)
    columns, column_sizes = _edges(values.shape[1], GRID_COLUMNS)
    sums = np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1)
    return sums / np.outer(row_sizes, column_sizes)


def full_difference(first_rgb: np.ndarray, second_rgb: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean difference of all pixels of two pictures, and that of each cell of the grid.

    first_rgb, second_rgb: (h, w, 3) uint8 sRGB of one size. Needs memory for a few rows only.
    """
    height, width = first_rgb.shape[:2]
    tops, row_sizes = _edges(height, GRID_ROWS)
    columns, column_sizes = _edges(width, GRID_COLUMNS)
    sums = np.array(
        [
            np.add.reduceat(_column_sums(first_rgb[rows], second_rgb[rows]), columns)
            for rows in map(slice, tops, tops + row_sizes)
        ]
    )
    return float(sums.sum()) / (height * width), sums / np.outer(row_sizes, column_sizes)


def cell_difference(first_rgb: np.ndarray, second_rgb: np.ndarray, row: int, column: int) -> float:
    """Return the mean difference of all pixels of one cell of the grid."""
    tops, row_sizes = _edges(first_rgb.shape[0], GRID_ROWS)
    lefts, column_sizes = _edges(first_rgb.shape[1], GRID_COLUMNS)
    height, width = int(row_sizes[row]), int(column_sizes[column])
    cell = np.s_[tops[row] : tops[row] + height, lefts[column] : lefts[column] + width]
    return float(_column_sums(first_rgb[cell], second_rgb[cell]).sum()) / (height * width)


def _column_sums(first_rgb: np.ndarray, second_rgb: np.ndarray) -> np.ndarray:
    """Return the sum of the differences of each column of pixels: (width,) float64."""
    sums = np.zeros(first_rgb.shape[1])
    for strip in _strips(*first_rgb.shape[:2]):
        values = delta_e(_lab(first_rgb[strip]), _lab(second_rgb[strip]))
        sums += values.sum(axis=0, dtype=np.float64)
    return sums


def _lab(image_rgb: np.ndarray) -> np.ndarray:
    import cv2

    xyz = cv2.transform(cv2.LUT(image_rgb, _LINEAR), _RELATIVE_XYZ)
    root = np.cbrt(xyz)
    np.copyto(root, _SLOPE * xyz + _OFFSET, where=xyz <= _DARK)
    return cv2.transform(root, _LAB)


def _strips(height: int, width: int) -> list[slice]:
    rows = max(1, _STRIP_PIXELS // width)
    return [slice(top, top + rows) for top in range(0, height, rows)]


def _edges(length: int, parts: int) -> tuple[np.ndarray, np.ndarray]:
    edges = np.unique(np.linspace(0, length, min(parts, length) + 1).astype(int))
    return edges[:-1], np.diff(edges)
