"""How much two pictures differ, as a whole and in each cell of a grid: at points, or in full.

Points are pixels, never averages: an area-averaging reduction swallows grain and detail and gives
distances 27 % too low.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from indexer.colour import cell_difference, delta_e, full_difference, lab
from indexer.frames import rgb_points
from indexer.points import GRID_COLUMNS, GRID_ROWS, in_cells

if TYPE_CHECKING:
    from indexer.frames import Frame

Deviation = TypeVar("Deviation", float, np.ndarray)

COARSE, DENSE = 6, 24
"""Points along a side of each cell: 96 x 54 in all, and 384 x 216."""

_STANDARD_ERRORS = {COARSE: 5.0, DENSE: 4.0}
"""Standard errors by which a mean at points may be off. Points spread evenly give better means than
chance would: on real and rendered clips the worst were 4.2 and 2.7 near the threshold, of 4,000
cells, and less for whole pictures."""

_ROUNDING, _ROUNDING_OF_FLAT = 0.5, 4.0
"""How far a mean may be off besides, because planes are rounded otherwise than RGB: of pictures
of many colours (measured: 0.09), and of flat places, where one colour's rounding counts for all
(measured: 3.6)."""

_ROUNDING_OF_ONE = 1.5
"""The same for places of many colours if only one of two pictures comes from planes: 0.7."""

_UNSEEN = 300.0
"""And what three dense points at the largest difference weigh: no point tells of what lies between
the points."""

_VARIED = 2.0
"""Standard deviation of the differences from which a place has many colours."""


@dataclass(frozen=True)
class Difference:
    """Mean CIELAB difference of two pictures and of cells of them, and how far they may be off.

    cells: (rows, columns) of the grid, or (cells,) of some of its cells. *_band: 0 where all pixels
    were compared.
    """

    mean: float
    cells: np.ndarray
    mean_band: float = 0.0
    cell_bands: np.ndarray | float = 0.0


class Look:
    """A frame's colours at points, each set computed once and only when asked for."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self._at_points: dict[int, np.ndarray] = {}

    def take_coarse_points(self) -> None:
        """Take the coarse points while the decoder's picture is there.

        Both pictures that are compared must give theirs the same way: from RGB they are rounded
        otherwise, which puts means off by up to 0.7.
        """
        if can_sample(self, COARSE):
            self.at_points(COARSE)

    def at_points(self, density: int) -> np.ndarray:
        """Return CIELAB at `density` x `density` points of each cell: (rows, columns, 3).

        The dense ones are pixels of the RGB picture.
        """
        if density not in self._at_points:
            self._at_points[density] = lab(
                self.frame.points(density)
                if density == COARSE
                else rgb_points(self.frame.image_rgb, density)
            )
        return self._at_points[density]

    def densely_in(self, cells: np.ndarray) -> np.ndarray:
        """Return CIELAB at the dense points of some cells: (cells, points of each, 3)."""
        if DENSE in self._at_points:
            return in_cells(self._at_points[DENSE], DENSE, cells)
        return lab(self.frame.points(DENSE, cells))


def can_sample(first: Look, density: int) -> bool:
    """Return whether a picture has as many pixels as there are points."""
    height, width = first.frame.shape[:2]
    return height >= GRID_ROWS * density and width >= GRID_COLUMNS * density


def difference(first: Look, second: Look, density: int) -> Difference:
    """Return how much two pictures of one size differ at `density` x `density` points a cell.

    Compares all pixels where the pictures have fewer than that.
    """
    import cv2

    if not can_sample(first, density):
        return exact_difference(first, second)
    values = delta_e(first.at_points(density), second.at_points(density))
    grid = GRID_COLUMNS, GRID_ROWS
    cells = cv2.resize(values, grid, interpolation=cv2.INTER_AREA)
    squares = cv2.resize(values * values, grid, interpolation=cv2.INTER_AREA)
    mean, mean_square = cv2.mean(cells)[0], cv2.mean(squares)[0]
    deviation = max(mean_square - mean * mean, 0.0) ** 0.5
    deviations = np.sqrt(np.maximum(squares - cells * cells, 0.0))
    errors = _STANDARD_ERRORS[density]
    mean_band = errors * deviation / values.size**0.5
    cell_bands = deviations * (errors / density)
    if density == COARSE:
        mean_band += _rounding(deviation, _ROUNDING)
        cell_bands += _ROUNDING_OF_FLAT
    else:
        mean_band += _UNSEEN / values.size
        cell_bands += _UNSEEN / density**2
    return Difference(mean, cells, mean_band, cell_bands)


def difference_in(first: Look, second: Look, cells: np.ndarray) -> Difference:
    """Return how much some cells of two pictures differ at dense points, and on average.

    cells: (cells, 2) rows and columns of the grid.
    """
    values = delta_e(first.densely_in(cells), second.densely_in(cells))
    means, deviations = values.mean(axis=1), values.std(axis=1)
    bands = _STANDARD_ERRORS[DENSE] * deviations / DENSE + _UNSEEN / DENSE**2
    bands += _rounding(deviations, _ROUNDING_OF_ONE)
    return Difference(float(means.mean()), means, float(bands.max()), bands)


def _rounding(deviation: Deviation, of_varied: float) -> Deviation:
    flatness = 1.0 - deviation / _VARIED
    return of_varied + (_ROUNDING_OF_FLAT - of_varied) * flatness * (flatness > 0.0)


def exact_difference(first: Look, second: Look) -> Difference:
    """Return how much two pictures of one size differ, by all pixels."""
    mean, cells = full_difference(first.frame.image_rgb, second.frame.image_rgb)
    return Difference(mean, cells)


def exact_cell(first: Look, second: Look, row: int, column: int) -> float:
    """Return how much one cell of two pictures of one size differs, by all its pixels."""
    return cell_difference(first.frame.image_rgb, second.frame.image_rgb, row, column)
