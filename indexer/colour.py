"""CIELAB colours and their difference, in true Delta E (CIE 1976) units."""

from __future__ import annotations

import numpy as np

from indexer.points import GRID_COLUMNS, GRID_ROWS

# Temporary arrays of this many pixels stay in the processor's cache: ten times as fast as all
# pixels of a frame at once.
_STRIP_PIXELS = 12288

_CODES = np.arange(256) / 255.0
_LINEAR = np.where(_CODES > 0.04045, ((_CODES + 0.055) / 1.055) ** 2.4, _CODES / 12.92)
_LINEAR = _LINEAR.astype(np.float32).reshape(1, 256, 1)
"""Linear light of each 8-bit sRGB code (IEC 61966-2-1)."""

_XYZ_FROM_RGB = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
_WHITE_D65 = np.array([0.95047, 1.0, 1.08883])
_DARK, _SLOPE = 0.008856, 7.787
"""CIE's function is a cube root from _DARK on, and a straight line of this slope up to there."""
_RELATIVE_XYZ = np.column_stack([_XYZ_FROM_RGB / _WHITE_D65[:, None], [-_DARK] * 3])
_RELATIVE_XYZ = _RELATIVE_XYZ.astype(np.float32)
"""XYZ in terms of white, above _DARK: the last column is added."""
_LAB = np.array([[0, 116, 0, -16], [500, -500, 0, 0], [0, 200, -200, 0]], np.float32)
_SUM = np.ones((1, 3), np.float32)


def lab(image_rgb: np.ndarray) -> np.ndarray:
    """Return CIELAB colours: (h, w, 3) float32, L* 0 to 100, a* and b* unscaled, D65 white.

    image_rgb: (h, w, 3) uint8 sRGB. CIE 15 with scikit-image's constants, and within 0.001 of its
    rgb2lab; OpenCV's own conversion is off by up to 0.5.
    """
    colours = np.empty(image_rgb.shape, np.float32)
    strips = _strips(*image_rgb.shape[:2])
    spare = np.empty_like(colours[strips[0]])
    for rows in strips:
        strip = image_rgb[rows]
        _lab(strip, colours[rows], spare[: len(strip)])
    return colours


def delta_e(first_lab: np.ndarray, second_lab: np.ndarray) -> np.ndarray:
    """Return the distance of each pair of colours: (h, w) float32, from (h, w, 3) CIELAB."""
    import cv2

    difference = cv2.subtract(first_lab, second_lab)
    return _length(difference, np.empty(difference.shape[:2], np.float32))


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
    import cv2

    height, width = first_rgb.shape[:2]
    strips = _strips(height, width)
    # Memory that is asked for anew is mapped anew, too, which may take longer than to fill it.
    colours = np.empty((3, min(strips[0].stop, height), width, 3), np.float32)
    lengths = np.empty(colours.shape[1:3], np.float32)
    sums = np.zeros(width)
    for rows in strips:
        strip = first_rgb[rows]
        first, second, spare = colours[:, : len(strip)]
        _lab(strip, first, spare)
        _lab(second_rgb[rows], second, spare)
        cv2.subtract(first, second, dst=spare)
        sums += _length(spare, lengths[: len(strip)]).sum(axis=0, dtype=np.float64)
    return sums


def _lab(image_rgb: np.ndarray, colours: np.ndarray, spare: np.ndarray) -> None:
    """Fill `colours` with CIELAB; both it and `spare`, which is written to, are float32."""
    import cv2

    linear = cv2.LUT(image_rgb, _LINEAR, dst=colours)
    above = cv2.transform(linear, _RELATIVE_XYZ, dst=spare)
    _, below = cv2.threshold(above, 0.0, 0.0, cv2.THRESH_TRUNC, dst=colours)
    roots = np.subtract(above, below, out=spare)
    np.cbrt(np.add(roots, _DARK, out=spare), out=spare)
    cv2.scaleAdd(below, _SLOPE, roots, dst=roots)
    cv2.transform(roots, _LAB, dst=colours)


def _length(vectors: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Fill `lengths` with the length of each vector, which is written to; return it."""
    import cv2

    cv2.multiply(vectors, vectors, dst=vectors)
    cv2.transform(vectors, _SUM, dst=lengths)
    return cv2.sqrt(lengths, dst=lengths)


def _strips(height: int, width: int) -> list[slice]:
    rows = max(1, _STRIP_PIXELS // width)
    return [slice(top, top + rows) for top in range(0, height, rows)]


def _edges(length: int, parts: int) -> tuple[np.ndarray, np.ndarray]:
    edges = np.unique(np.linspace(0, length, min(parts, length) + 1).astype(int))
    return edges[:-1], np.diff(edges)
