from __future__ import annotations

import numpy as np
import pytest

from indexer.crops import ARCFACE_TEMPLATE, aligned_crop, margin_crop, similarity
from indexer.errors import UsageError


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    from skimage import data

    return data.astronaut()


@pytest.mark.parametrize("margin", [0, 14, 32, 44])
@pytest.mark.parametrize(
    "box",
    [
        (177.3, 70.9, 274.6, 200.2),
        (0.0, 0.0, 512.0, 512.0),
        (-20.5, 300.0, 80.0, 530.0),
        (480.2, 3.0, 511.9, 45.5),
    ],
    ids=["inside", "whole picture", "beyond left and bottom", "top right corner"],
)
def test_a_margin_crop_is_facenet_pytorchs(astronaut, box, margin):
    from facenet_pytorch.models.utils.detect_face import extract_face

    theirs = extract_face(astronaut, box, image_size=160, margin=margin)
    ours = margin_crop(astronaut, box, size=160, margin=margin)
    assert ours.dtype == np.uint8
    np.testing.assert_array_equal(ours, theirs.numpy().transpose(1, 2, 0))


def test_a_margin_crop_of_a_box_outside_the_picture_is_refused():
    image = np.zeros((40, 60, 3), np.uint8)
    with pytest.raises(UsageError, match="empty in a picture of 60 x 40 pixels"):
        margin_crop(image, (100.0, 10.0, 120.0, 30.0), size=160, margin=0)


def test_the_similarity_is_the_least_squares_one():
    from skimage.transform import SimilarityTransform

    points = np.array([(30.1, 52.0), (71.2, 47.3), (55.5, 70.0), (44.0, 95.1), (70.3, 90.8)])
    theirs = SimilarityTransform.from_estimate(points, np.array(ARCFACE_TEMPLATE))
    np.testing.assert_allclose(
        similarity(points, np.array(ARCFACE_TEMPLATE)), theirs.params[:2], atol=1e-10
    )


def test_a_similarity_turns_scales_and_shifts():
    points = np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
    quarter_turn_doubled = np.array([(5.0, 7.0), (5.0, 9.0), (3.0, 7.0)])
    np.testing.assert_allclose(
        similarity(points, quarter_turn_doubled), [(0, -2, 5), (2, 0, 7)], atol=1e-12
    )


@pytest.mark.parametrize("size", [112, 224])
def test_landmarks_of_an_aligned_crop_lie_on_the_template(size):
    image = np.zeros((300, 300, 3), np.uint8)
    angle = np.deg2rad(30)
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    landmarks = np.array(ARCFACE_TEMPLATE) @ turn + (70, 100)
    nose = landmarks[2].round().astype(int)
    image[nose[1] - 2 : nose[1] + 3, nose[0] - 2 : nose[0] + 3] = 255
    crop = aligned_crop(image, landmarks, size=size)
    assert crop.shape == (size, size, 3)
    assert crop.dtype == np.uint8
    centre = np.argwhere(crop[..., 0] > 127).mean(axis=0)[::-1]
    np.testing.assert_allclose(
        centre, np.array(ARCFACE_TEMPLATE[2]) * size / 112, atol=1.0 * size / 112
    )


def test_an_aligned_crop_is_black_beyond_the_picture():
    image = np.full((112, 112, 3), 200, np.uint8)
    crop = aligned_crop(image, np.array(ARCFACE_TEMPLATE) - (30, 0))
    assert (crop[:, :28] == 0).all()
    assert (crop[:, 32:] == 200).all()


def test_a_small_pattern_in_a_large_face_leaves_no_false_pattern():
    """A reduction by eight that looked at two pixels only would show stripes."""
    image = np.zeros((896, 896, 3), np.uint8)
    image[:, ::9] = 255
    crop = aligned_crop(image, np.array(ARCFACE_TEMPLATE) * 8)
    assert crop[20:92, 20:92].std() < 10


def test_landmarks_that_fix_no_position_are_refused():
    image = np.zeros((112, 112, 3), np.uint8)
    with pytest.raises(UsageError, match="5 landmarks are needed, not 4"):
        aligned_crop(image, ARCFACE_TEMPLATE[:4])
    with pytest.raises(UsageError, match="one point"):
        aligned_crop(image, [(50.0, 50.0)] * 5)
