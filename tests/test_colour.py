"""The CIELAB difference agrees with scikit-image on full frames."""

import numpy as np
import pytest
from skimage.color import deltaE_cie76, rgb2lab

from indexer.colour import Picture, cell_means, delta_e, lab
from tests.pictures import noise, plain


def test_colours_agree_with_scikit_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    assert np.abs(lab(image) - rgb2lab(image)).max() < 0.001


def test_the_difference_of_full_frames_agrees_with_scikit_image() -> None:
    first, second = noise(1), noise(2)
    expected = deltaE_cie76(rgb2lab(first), rgb2lab(second))
    assert np.allclose(delta_e(lab(first), lab(second)), expected, atol=0.001)


def test_black_and_white_are_a_hundred_apart() -> None:
    assert delta_e(lab(plain((0, 0, 0))), lab(plain((255, 255, 255)))).mean() == pytest.approx(100)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (640, 360), (333, 251)])
def test_points_give_the_mean_of_all_pixels_within_the_band(width: int, height: int) -> None:
    rng = np.random.default_rng(3)
    first = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    second = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    a, b = Picture(first), Picture(second)
    exact = delta_e(a.full, b.full).mean()
    assert delta_e(a.points, b.points).mean() == pytest.approx(exact, rel=0.05)


def test_points_are_pixels_and_not_averages() -> None:
    checkerboard = np.indices((180, 320)).sum(axis=0) % 2 * 255
    image = np.repeat(checkerboard[..., None], 3, axis=2).astype(np.uint8)
    lightness = Picture(image).points[..., 0]
    assert set(np.round(lightness).astype(int).ravel()) <= {0, 100}


def test_a_cell_holds_the_mean_of_its_own_pixels() -> None:
    values = np.zeros((90, 160))
    values[:10, :10] = 7.0
    cells = cell_means(values)
    assert cells.shape == (9, 16)
    assert cells[0, 0] == 7.0
    assert cells.sum() == 7.0


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (8, 15), (100, 7)])
def test_cells_of_tiny_pictures_cover_them(shape: tuple[int, int]) -> None:
    cells = cell_means(np.ones(shape))
    assert np.allclose(cells, 1.0)
    assert cells.size <= shape[0] * shape[1]
