"""Whether two pictures differ by more than a threshold: decided as all their pixels would.

An estimate at points decides where it is farther from every threshold than it can be off. Where it
is not, more is looked at: denser points, then all pixels, and those of the doubtful cells alone
where the mean is sure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from indexer.differences import (
    COARSE,
    DENSE,
    can_sample,
    difference,
    difference_in,
    exact_cell,
    exact_difference,
)

if TYPE_CHECKING:
    from indexer.differences import Difference, Look
    from indexer.settings import KeyframeSettings

_MANY_CELLS = 24
"""More doubtful cells than this cost as much as denser points of the whole picture."""

_NO_CELLS = np.empty((0, 2), np.int64)


@dataclass
class Checks:
    """How many frames were compared, and for how many the first points were not enough.

    denser: single cells were looked at more densely. rechecked: the picture was made RGB for
    denser points, for all pixels of single cells, or (full) for all pixels.
    """

    frames: int = 0
    denser: int = 0
    rechecked: int = 0
    full: int = 0


@dataclass(frozen=True)
class _Doubts:
    """What an estimate leaves open. cells: (n, 2) row and column, the largest difference first."""

    surely_new: bool
    mean: bool
    cells: np.ndarray

    @property
    def any(self) -> bool:
        return not self.surely_new and (self.mean or len(self.cells) > 0)


def differs(first: Look, second: Look, settings: KeyframeSettings, checks: Checks) -> bool:
    """Return whether two pictures of one size differ by a threshold, in the mean or in a cell."""
    checks.frames += 1
    doubts = _doubts(difference(first, second, COARSE), settings)
    if doubts.any and not doubts.mean and len(doubts.cells) <= _MANY_CELLS:
        doubts = _looked_closer(first, second, doubts, settings, checks)
    if not doubts.any:
        return doubts.surely_new
    checks.rechecked += 1
    if doubts.mean or len(doubts.cells) > _MANY_CELLS:
        doubts = _doubts(difference(first, second, DENSE), settings)
    if doubts.mean and not doubts.surely_new:
        checks.full += 1
        return _doubts(exact_difference(first, second), settings).surely_new
    return doubts.surely_new or any(
        exact_cell(first, second, row, column) >= settings.min_cell_delta_e
        for row, column in doubts.cells
    )


def mean_difference(first: Look, second: Look) -> float:
    """Return the mean difference of two pictures, within 2 % of that of all pixels."""
    return difference(first, second, DENSE).mean


def _looked_closer(
    first: Look, second: Look, doubts: _Doubts, settings: KeyframeSettings, checks: Checks
) -> _Doubts:
    if not can_sample(first, DENSE):
        return doubts
    checks.denser += 1
    found = difference_in(first, second, doubts.cells)
    cells = found.cells - settings.min_cell_delta_e
    still = np.flatnonzero(np.abs(cells) < found.cell_bands)
    order = still[np.argsort(-cells[still], kind="stable")]
    return _Doubts(bool((cells >= found.cell_bands).any()), False, doubts.cells[order])


def _doubts(found: Difference, settings: KeyframeSettings) -> _Doubts:
    mean, cells = found.mean - settings.min_delta_e, found.cells - settings.min_cell_delta_e
    of_mean = abs(mean) < found.mean_band
    if (cells + found.cell_bands).max() < 0.0:  # as of most frames: each cell is surely below
        return _Doubts(mean >= found.mean_band, of_mean, _NO_CELLS)
    surely_new = mean >= found.mean_band or bool((cells >= found.cell_bands).any())
    open_cells = np.argwhere(np.abs(cells) < found.cell_bands)
    if len(open_cells) > 1:
        open_cells = open_cells[np.argsort(-cells[tuple(open_cells.T)], kind="stable")]
    return _Doubts(surely_new, of_mean, open_cells)
