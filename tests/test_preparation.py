"""How FaceNet is given its faces: what a spec says, what an index keeps of it, what it does."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.crops import ARCFACE_TEMPLATE, aligned_crop, margin_crop
from indexer.embeddings import load_identity, load_model
from indexer.embeddings.preparation import Preparation, preparation_of, preparation_of_recipe
from indexer.errors import UsageError
from indexer.evaluation.model_choice import deciding
from indexer.evaluation.photo_runs import said
from indexer.records import Detection
from indexer.settings import Settings

FACE = Detection(
    (60.0, 50.0, 130.0, 150.0),
    ((80.0, 85.0), (112.0, 86.0), (95.0, 105.0), (82.0, 125.0), (110.0, 126.0)),
    0.99,
)


@pytest.fixture(scope="module")
def spec(shared_data) -> str:
    return f"facenet:{shared_data / 'models/facenet-vggface2.pt'}"


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[:400:2, :500:2])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", Preparation("region", 32, mirror=True)),
        ("margin=14&mirror=no", Preparation("region", 14, mirror=False)),
        ("crop=aligned", Preparation("aligned", 32, mirror=True)),
        ("mirror=yes&margin=0&crop=region", Preparation("region", 0, mirror=True)),
    ],
)
def test_options_are_read_and_kept_in_the_recipe(options: str, expected: Preparation) -> None:
    assert preparation_of(options) == expected
    assert preparation_of_recipe(expected.recipe) == expected
    assert preparation_of_recipe(f"{expected.recipe}; in 8 bits") == expected


def test_an_index_made_without_options_stays_the_same_models() -> None:
    assert Preparation().recipe == (
        "MTCNN box, margin 32 at 160 px, RGB, (x - 127.5) / 128, mirror sum"
    )


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ("margin=81", "margin=81 is no whole number from 0 to 80"),
        ("margin=-1", "margin=-1 is no whole"),
        ("margin=", "margin= is no whole"),
        ("margin=99999999999", "is no whole number"),
        ("crop=whole", "no crop 'whole'"),
        ("mirror=maybe", "mirror=maybe is neither yes nor no"),
        ("margin=1&margin=2", "margin is given twice"),
        ("size=3", "no option 'size'"),
        ("margin", "'margin' is none of FaceNet's options"),
    ],
)
def test_what_is_no_option_is_refused_before_weights_are_read(options: str, fault: str) -> None:
    with pytest.raises(UsageError, match=fault) as caught:
        load_model(f"facenet:/no/such/weights.pt?{options}", settings=Settings())
    assert "?crop=region|aligned&margin=PIXELS&mirror=yes|no" in str(caught.value)


def test_crop_and_mirror_image_are_as_asked(spec: str, picture: np.ndarray) -> None:
    usual = load_model(spec, settings=Settings())
    plain = load_model(f"{spec}?margin=14&mirror=no", settings=Settings())
    aligned = load_model(f"{spec}?crop=aligned&margin=48", settings=Settings())
    np.testing.assert_array_equal(
        plain.crop(picture, FACE), margin_crop(picture, FACE.box_xyxy, size=160, margin=14)
    )
    np.testing.assert_array_equal(
        aligned.crop(picture, FACE),
        aligned_crop(picture, FACE.landmarks_xy, size=160, margin=48),
    )
    crop = usual.crop(picture, FACE)[None]
    both = plain.embed(np.concatenate([crop, crop[:, :, ::-1]]))
    one_sided = both[0] @ both[1]
    assert one_sided < 0.999  # else the mirror image would make no difference
    # What is summed is not yet of length 1, so that the two may weigh differently.
    assert usual.embed(crop)[0] @ both[0] > one_sided
    assert usual.embed(crop)[0] @ both[1] > one_sided


def test_another_preparation_is_another_model_without_verdicts(spec: str) -> None:
    usual = load_model(spec, settings=Settings()).identity
    other = load_model(f"{spec}?margin=14", settings=Settings()).identity
    assert usual.thresholds is not None
    assert other.thresholds is None
    assert other.key != usual.key
    assert load_model(f"{spec}?margin=32&crop=region", settings=Settings()).identity == usual
    assert load_identity(other, Settings()).identity == other


def test_the_template_with_a_margin_lies_in_the_middle() -> None:
    picture = np.full((300, 300, 3), 90, np.uint8)
    landmarks = np.array(ARCFACE_TEMPLATE) + 80
    x, y = landmarks[2].round().astype(int)
    picture[y - 3 : y + 4, x - 3 : x + 4] = 255
    crop = aligned_crop(picture, landmarks, size=160, margin=48)
    nose = np.argwhere(crop[..., 0] > 170).mean(axis=0)[::-1]
    np.testing.assert_allclose(nose, np.array(ARCFACE_TEMPLATE[2]) + 24, atol=0.6)


def test_a_matrix_keeps_runs_of_different_options_apart(spec: str) -> None:
    decided = [
        deciding(f"{spec}{options}", Settings())
        for options in ("", "?margin=14", "?margin=14&mirror=no")
    ]
    assert len({str(each) for each in decided}) == 3
    assert said(f"{spec}?margin=14") == "facenet:facenet-vggface2.pt?margin=14"
