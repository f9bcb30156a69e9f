"""Which pixels stand for a picture: as many in each cell of a grid, one in each small rectangle.

Drawn at random within their rectangles, once for all pictures of a size. In straight rows and
columns, all points of a column can lie on the edge of a wall, or all of them beside it: on slow
pans that put a mean off by 47 %, twelve times what its spread tells.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

GRID_ROWS, GRID_COLUMNS = 9, 16
"""Cells of the grid: nearly square ones in a 16:9 picture."""


@lru_cache(maxsize=8)
def spread_points(height: int, width: int, density: int) -> np.ndarray:
    """Return `density` x `density` points of each cell of the grid.

    (GRID_ROWS * density, GRID_COLUMNS * density) int64: numbers of the pixels, row by row. Equal
    ones every time. Not to be written to.
    """
    import numpy as np

    drawn = np.random.default_rng(0).random((2, GRID_ROWS * density, GRID_COLUMNS * density))
    y = _places(height, GRID_ROWS, density)[:, None]
    x = _places(width, GRID_COLUMNS, density)[None]
    rows, columns = y[..., 0] + drawn[0] * y[..., 1], x[..., 0] + drawn[1] * x[..., 1]
    points: np.ndarray = rows.astype(np.int64) * width + columns.astype(np.int64)
    points.setflags(write=False)
    return points


def in_cells(values: np.ndarray, density: int, cells: np.ndarray) -> np.ndarray:
    """Return what belongs to some cells of the values at points: (cells, points of each, ...).

    cells: (cells, 2) rows and columns of the grid.
    """
    parted = values.reshape(GRID_ROWS, density, GRID_COLUMNS, density, *values.shape[2:])
    chosen = parted[cells[:, 0], :, cells[:, 1]]
    return chosen.reshape(len(cells), density * density, *values.shape[2:])


def _places(length: int, cells: int, density: int) -> np.ndarray:
    """Return where each of `density` parts of each cell begins, and how long it is."""
    import numpy as np

    edges = np.linspace(0, length, cells + 1).astype(int)
    step = np.repeat(np.diff(edges) / density, density)
    return np.column_stack(
        [np.repeat(edges[:-1], density) + np.tile(range(density), cells) * step, step]
    )


def pixels_at(image_rgb: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the pixels of an image, (h, w, 3) uint8, at numbered points: their shape x 3."""
    return image_rgb.reshape(-1, 3).take(points, axis=0)
