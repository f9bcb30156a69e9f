"""dlib's network without dlib: read from its file, it gives the same vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.embeddings import load_model
from indexer.embeddings.dlib_file import DIMENSIONS, MEAN_RGB, built
from indexer.embeddings.dlib_net import INPUT_PX, model_files, views_of
from indexer.errors import WeightsUnavailable
from indexer.inference import Network, load_net
from indexer.records import Detection
from indexer.runtime import choose_runtime
from indexer.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.embeddings.dlib_net import DlibNet

# Of skimage's astronaut; no network is needed to find it.
FACE = Detection(
    (177.0, 65.0, 272.0, 190.0),
    ((205.0, 113.0), (248.0, 110.0), (231.0, 138.0), (211.0, 160.0), (249.0, 157.0)),
    1.0,
)


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    from skimage import data

    return data.astronaut()


@pytest.fixture(scope="module")
def model() -> DlibNet:
    return load_model("dlib", settings=Settings())


@pytest.fixture(scope="module")
def dlibs_own():
    import dlib

    return dlib.face_recognition_model_v1(str(model_files()[0]))


@pytest.mark.parametrize("runtime", ["openvino", "torch"])
def test_the_network_gives_the_vectors_of_dlib(astronaut, dlibs_own, runtime) -> None:
    pictures = [astronaut[y : y + INPUT_PX, 150 : 150 + INPUT_PX] for y in (50, 200)]
    expected = dlibs_own.compute_face_descriptor([np.ascontiguousarray(p) for p in pictures])
    network = Network("dlib", model_files()[0], built, INPUT_PX)
    pixels = (np.array(pictures) - np.array(MEAN_RGB, np.float32)) / 256
    (found,) = load_net(network, choose_runtime("cpu", runtime))(pixels.astype(np.float32))
    assert found.shape == (2, DIMENSIONS)
    np.testing.assert_allclose(found, np.array(expected), atol=2e-6)


def test_a_face_has_the_scale_of_dlibs_own_chip(astronaut, model) -> None:
    import dlib

    crop = model.crop(astronaut, FACE)
    predictor = dlib.shape_predictor(str(model_files()[1]))
    shape = predictor(astronaut, dlib.rectangle(162, 65, 287, 190))
    own = np.asarray(dlib.get_face_chip(astronaut, shape, INPUT_PX, 0.25)).astype(int)
    # The same square of the picture, but for the pixels between which it is sampled.
    assert np.abs(crop[5:155, 5:155].astype(int) - own).mean() < 2
    assert np.abs(crop[:150, :150].astype(int) - own).mean() > 8


def test_the_views_are_middles_of_the_chip_and_their_mirror_images(astronaut) -> None:
    chips = np.stack([astronaut[:160, 150:310], astronaut[100:260, 100:260]])
    views = views_of(chips).reshape(2, 3, 2, INPUT_PX, INPUT_PX, 3)
    np.testing.assert_array_equal(views[:, :, 1], views[:, :, 0, :, ::-1])
    np.testing.assert_array_equal(views[:, 1, 0], chips[:, 5:155, 5:155])
    # A zoom: a corner of the chip stays a corner in the widest view, and is outside the closest.
    np.testing.assert_allclose(views[:, 0, 0, 0, 0], chips[:, 0, 0], atol=12)
    np.testing.assert_allclose(views[:, 2, 0, 0, 0], chips[:, 9, 9], atol=12)


def test_a_vector_is_the_direction_of_the_sum_of_all_views(astronaut, model, dlibs_own) -> None:
    chips = np.stack([model.crop(astronaut, FACE)])
    pictures = list(views_of(chips).round().astype(np.uint8))
    total = np.array(dlibs_own.compute_face_descriptor(pictures)).sum(axis=0)
    # dlib takes whole numbers for pixels, so that its zoomed views differ by rounding.
    assert model.embed(chips)[0] @ (total / np.linalg.norm(total)) > 0.9999


def test_files_without_the_network_are_refused(tmp_path: Path) -> None:
    whole = model_files()[0].read_bytes()
    for name, content in (("cut.dat", whole[:-1000]), ("other.dat", b"\x01\x02" * 400)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(WeightsUnavailable, match=rf"{name} does not hold .* dlib's face"):
            built(tmp_path / name)
    with pytest.raises(WeightsUnavailable, match=r"gone\.dat cannot be read"):
        built(tmp_path / "gone.dat")
