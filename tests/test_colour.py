"""Colours and their difference agree with scikit-image, of whole frames and of single cells."""

import numpy as np
import pytest
from skimage.color import deltaE_cie76, rgb2lab

from indexer.colour import cell_difference, cell_means, delta_e, full_difference, lab
from tests.pictures import noise, plain


def test_colours_agree_with_scikit_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    assert np.abs(lab(image) - rgb2lab(image)).max() < 0.001


def test_dark_colours_agree_with_scikit_image() -> None:
    """Below 0.9 % of white, CIELAB goes by a line instead of a cube root."""
    codes = np.arange(0, 32, dtype=np.uint8)
    image = np.stack(np.meshgrid(codes, codes, codes), axis=-1).reshape(256, 128, 3)
    assert np.abs(lab(image) - rgb2lab(image)).max() < 0.001


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (2, 13000), (13000, 2), (211, 333)])
def test_colours_of_pictures_of_any_shape_agree_with_scikit_image(size: tuple[int, int]) -> None:
    whole = np.random.default_rng(3).integers(0, 256, (size[0], size[1] + 5, 3), dtype=np.uint8)
    part = whole[:, 2:-3]
    for image in (np.ascontiguousarray(part), part):
        before = image.copy()
        assert np.abs(lab(image) - rgb2lab(image)).max() < 0.001
        assert np.array_equal(image, before)


def test_pictures_that_are_the_same_are_not_apart_at_all() -> None:
    image = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    mean, cells = full_difference(image, image.copy())
    assert (mean, cells.max()) == (0.0, 0.0)
    assert delta_e(lab(image), lab(image.copy())).max() == 0.0


def test_a_difference_leaves_the_colours_as_they_were() -> None:
    first, second = lab(noise(1)), lab(noise(2))
    before = first.copy(), second.copy()
    delta_e(first, second)
    assert np.array_equal(first, before[0])
    assert np.array_equal(second, before[1])


def test_the_difference_of_full_frames_agrees_with_scikit_image() -> None:
    first, second = noise(1), noise(2)
    expected = deltaE_cie76(rgb2lab(first), rgb2lab(second))
    assert np.allclose(delta_e(lab(first), lab(second)), expected, atol=0.001)


def test_black_and_white_are_a_hundred_apart() -> None:
    assert delta_e(lab(plain((0, 0, 0))), lab(plain((255, 255, 255)))).mean() == pytest.approx(100)


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


SIZES = [(1, 1), (5, 3), (8, 15), (100, 7), (270, 333), (700, 1300)]


@pytest.mark.parametrize("size", SIZES)
def test_the_difference_of_all_pixels_is_that_of_scikit_image(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(4)
    first, second = (rng.integers(0, 256, (*size, 3), dtype=np.uint8) for _ in range(2))
    expected = deltaE_cie76(rgb2lab(first), rgb2lab(second))
    mean, cells = full_difference(first, second)
    assert mean == pytest.approx(expected.mean(), abs=0.001)
    assert cells == pytest.approx(cell_means(expected), abs=0.001)


@pytest.mark.parametrize("size", SIZES)
def test_a_single_cell_has_the_difference_that_it_has_among_all(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(4)
    first, second = (rng.integers(0, 256, (*size, 3), dtype=np.uint8) for _ in range(2))
    _, cells = full_difference(first, second)
    alone = [cell_difference(first, second, *place) for place in np.ndindex(cells.shape)]
    assert alone == pytest.approx(cells.ravel(), abs=1e-4)
