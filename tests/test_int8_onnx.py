"""ONNX networks in 8 bits: they keep what the card says, and are models of their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.embeddings import load_identity, load_model
from indexer.embeddings.int8 import quantise
from indexer.errors import UsageError
from indexer.evaluation.matrix import CARDS
from indexer.face_samples import face_crops
from indexer.int8_net import as_array, quantised
from indexer.model_files import write_model_file
from indexer.openvino_net import read_onnx
from indexer.settings import Settings
from tests.cli.running import sightings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def spec(shared_data, tmp_path_factory) -> str:
    """MobileFace V2, with a card that says BGR, so that it shows whether the card is kept."""
    card = json.loads((CARDS / "mobileface-v2.json").read_text()) | {"colour_order": "BGR"}
    file = tmp_path_factory.mktemp("card") / "bgr.json"
    file.write_text(json.dumps(card))
    return f"onnx:{shared_data}/models/mobileface-v2.onnx?card={file}"


@pytest.fixture(scope="module")
def base(spec):
    return load_model(spec, settings=Settings())


@pytest.fixture(scope="module")
def photos(shared_data, tmp_path_factory) -> Path:
    """A folder with 42 photos of LFW, one of each person."""
    folder = tmp_path_factory.mktemp("photos")
    for person in sorted((shared_data / "data/lfw").iterdir())[::47][:42]:
        first = min(person.glob("*.jpg"))
        (folder / first.name).symlink_to(first)
    return folder


@pytest.fixture(scope="module")
def faces(base, shared_data) -> np.ndarray:
    """Faces of photos that the network was not quantised with."""
    people = sorted((shared_data / "data/lfw").iterdir())[20:60:4]
    return np.concatenate([face_crops(person, base, Settings()) for person in people])


@pytest.fixture(scope="module")
def file(spec, photos, tmp_path_factory) -> Path:
    """The model, made by the command."""
    file = tmp_path_factory.mktemp("int8") / "mobileface.npz"
    run = sightings("quantise", file, "--model", spec, "--faces", photos)
    assert (run.code, run.out.splitlines()[-1]) == (0, f"Use it: --model int8:{file}")
    return file


@pytest.fixture(scope="module")
def model(file):
    return load_model(f"int8:{file}", settings=Settings())


@pytest.mark.slow
def test_vectors_are_nearly_those_of_the_network_in_ranges_of_other_faces(model, base, faces):
    cosines = (model.embed(faces) * base.embed(faces)).sum(axis=1)
    assert len(cosines) >= 10
    assert cosines.mean() > 0.97
    assert cosines.min() > 0.9
    assert cosines.max() < 0.99999


@pytest.mark.slow
def test_the_colours_are_in_the_order_of_the_card(model, base, faces):
    turned = np.ascontiguousarray(faces[..., ::-1])
    right = (model.embed(faces) * base.embed(faces)).sum(axis=1)
    wrong = (model.embed(turned) * base.embed(faces)).sum(axis=1)
    assert (right > wrong).mean() > 0.9
    assert right.mean() - wrong.mean() > 0.02


@pytest.mark.slow
def test_it_is_a_model_of_its_own_that_says_what_it_was_made_of(model, base, faces):
    assert model.identity.key.startswith("int8-")
    assert base.identity.key in model.identity.recipe
    assert (model.identity.dimensions, model.crop_px) == (256, 112)
    assert model.identity.thresholds.possible == base.identity.thresholds.possible
    assert "not measured again" in model.identity.thresholds.basis
    again = load_identity(model.identity, Settings())
    assert again.identity == model.identity
    np.testing.assert_allclose(again.embed(faces[:3]), model.embed(faces[:3]), atol=1e-6)


@pytest.mark.slow
def test_a_photo_is_found_in_an_index_of_the_model(file, photos, tmp_path):
    index, photo = tmp_path / "faces.sightings", min(photos.iterdir())
    indexed = sightings("index", photo, "--index", index, "--model", f"int8:{file}")
    assert indexed.code == 0
    found = sightings("search", photo, "--index", index, "--json")
    assert found.found == [photo.name]
    assert found.document["results"][0]["score"] == pytest.approx(1.0, abs=1e-5)


@pytest.mark.slow
def test_a_network_that_takes_one_face_at_a_time_is_given_one(base, faces, tmp_path):
    def takes_one():
        network = read_onnx(base.identity.weights_path)
        network.reshape([1, 112, 112, 3])
        return network

    xml, weights = quantised(takes_one, base.pixels_of(faces), below_zero=True)
    arrays = {"xml": as_array(xml), "weights": as_array(weights), "cosines": np.ones(1)}
    write_model_file(tmp_path / "one.npz", base.identity, **arrays)
    model = load_model(f"int8:{tmp_path}/one.npz", settings=Settings())
    together = model.embed(faces[:3])
    alone = np.concatenate([model.embed(faces[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_too_few_faces_are_refused(base, tmp_path):
    with pytest.raises(UsageError, match="3 faces were found, and 40 are needed"):
        quantise(base, np.zeros((3, 112, 112, 3), np.uint8), tmp_path / "x.npz", 1)
    assert not (tmp_path / "x.npz").exists()


@pytest.mark.slow
def test_what_is_quantised_already_is_refused(file, photos, tmp_path):
    again = tmp_path / "again.npz"
    run = sightings("quantise", again, "--model", f"int8:{file}", "--faces", photos)
    assert run.code == 2
    assert "Only FaceNet and ONNX networks can be quantised" in run.err
    assert not again.exists()
