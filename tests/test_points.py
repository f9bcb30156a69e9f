"""The points that stand for a picture are its pixels, as many in each cell, none in a row."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.points import GRID_COLUMNS, GRID_ROWS, pixels_at, spread_points

SIZES = [(1080, 1920), (1920, 1080), (288, 360), (109, 193), (97, 401)]


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("density", [4, 6])
def test_each_cell_holds_its_own_points(height: int, width: int, density: int) -> None:
    y, x = np.divmod(spread_points(height, width, density), width)
    assert y.shape == (GRID_ROWS * density, GRID_COLUMNS * density)
    rows = np.linspace(0, height, GRID_ROWS + 1).astype(int)
    columns = np.linspace(0, width, GRID_COLUMNS + 1).astype(int)
    assert (
        np.searchsorted(rows, y, side="right") - 1 == np.arange(len(y))[:, None] // density
    ).all()
    assert (np.searchsorted(columns, x, side="right") - 1 == np.arange(x.shape[1]) // density).all()


def test_points_are_the_same_each_time_and_none_twice() -> None:
    points = spread_points(720, 1280, 8)
    spread_points.cache_clear()
    assert np.array_equal(spread_points(720, 1280, 8), points)
    assert len(np.unique(points)) == points.size


def test_points_are_pixels_and_not_averages() -> None:
    checkerboard = np.indices((180, 320)).sum(axis=0) % 2 * 255
    image = np.repeat(checkerboard[..., None], 3, axis=2).astype(np.uint8)
    assert set(pixels_at(image, spread_points(180, 320, 8)).ravel().tolist()) == {0, 255}


def test_a_thin_straight_line_has_the_share_of_points_that_it_has_of_pixels() -> None:
    """In straight rows and columns a whole column of points would lie on it, or none."""
    for x in range(600, 660):
        picture = np.zeros((720, 1280, 3), np.uint8)
        picture[:, x : x + 2] = 1
        share = pixels_at(picture, spread_points(720, 1280, 12)).mean() * 1280
        assert 0.5 < share < 4.0
