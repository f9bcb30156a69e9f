"""How much two pictures differ, as a whole and in each cell of a grid: at points, or in full.

Points are pixels, never averages: an area-averaging reduction swallows grain and detail and gives
distances 27 % too low.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from indexer.colour import cell_difference, delta_e, full_difference, lab
from indexer.points import GRID_COLUMNS, GRID_ROWS

if TYPE_CHECKING:
    from indexer.frames import Frame

COARSE, DENSE = 12, 32
"""Points along a side of each cell: 192 x 108 in all, and 512 x 288.

On real and rendered clips coarse means were off by up to 5 % and dense ones by 0.8 %.
"""

_ROUNDING, _ROUNDING_OF_FLAT = 1.0, 4.0
"""How far the mean at points may be off because planes are rounded otherwise than RGB: of pictures
of many colours, and of flat ones, where one colour's rounding counts for all (measured: 3.6)."""

_VARIED = 2.0
"""Standard deviation of the differences from which a picture has many colours."""


@dataclass(frozen=True)
class Difference:
    """Mean CIELAB difference of two pictures and of each cell, and how far they may be off.

    cells, cell_errors: (rows, columns) of the grid. *_error: standard error of as many points
    drawn at random; *_rounding: what comes on top of it. All 0 where all pixels were compared.
    """

    mean: float
    cells: np.ndarray
    mean_error: float = 0.0
    cell_errors: np.ndarray | float = 0.0
    mean_rounding: float = 0.0
    cell_rounding: float = 0.0
    is_exact: bool = False


class Look:
    """A frame's colours at points, each set computed once and only when asked for."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self._at_points: dict[int, np.ndarray] = {}

    def at_points(self, density: int) -> np.ndarray:
        """Return CIELAB at `density` x `density` points of each cell: (rows, columns, 3)."""
        if density not in self._at_points:
            # Few points come cheaper without the whole picture's RGB.
            sampled = self.frame.points if density == COARSE else self.frame.rgb_points
            self._at_points[density] = lab(sampled(density))
        return self._at_points[density]


def difference(first: Look, second: Look, density: int) -> Difference:
    """Return how much two pictures of one size differ at `density` x `density` points a cell.

    Compares all pixels where the pictures have fewer than that.
    """
    import cv2

    height, width = first.frame.shape[:2]
    if height < GRID_ROWS * density or width < GRID_COLUMNS * density:
        return exact_difference(first, second)
    values = delta_e(first.at_points(density), second.at_points(density))
    grid = GRID_COLUMNS, GRID_ROWS
    cells = cv2.resize(values, grid, interpolation=cv2.INTER_AREA)
    squares = cv2.resize(values * values, grid, interpolation=cv2.INTER_AREA)
    mean = float(cells.mean())
    deviation = max(float(squares.mean()) - mean * mean, 0.0) ** 0.5
    flatness = max(1.0 - deviation / _VARIED, 0.0)
    from_planes = density == COARSE
    return Difference(
        mean,
        cells,
        deviation / values.size**0.5,
        np.sqrt(np.maximum(squares - cells * cells, 0.0)) / density,
        _ROUNDING + (_ROUNDING_OF_FLAT - _ROUNDING) * flatness if from_planes else 0.0,
        _ROUNDING_OF_FLAT if from_planes else 0.0,
    )


def exact_difference(first: Look, second: Look) -> Difference:
    """Return how much two pictures of one size differ, by all pixels."""
    mean, cells = full_difference(first.frame.image_rgb, second.frame.image_rgb)
    return Difference(mean, cells, is_exact=True)


def exact_cell(first: Look, second: Look, row: int, column: int) -> float:
    """Return how much one cell of two pictures of one size differs, by all its pixels."""
    return cell_difference(first.frame.image_rgb, second.frame.image_rgb, row, column)
