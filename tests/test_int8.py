"""FaceNet in 8 bits: made from the user's own faces, and a model of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.embeddings import load_identity, load_model
from indexer.embeddings.int8 import quantise
from indexer.errors import MediaError, MissingExtra, UsageError, WeightsUnavailable
from indexer.face_samples import face_crops
from indexer.settings import Settings
from tests.cli.running import sightings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def facenet(shared_data):
    return load_model(f"facenet:{shared_data}/models/facenet-vggface2.pt", settings=Settings())


@pytest.fixture(scope="module")
def photos(shared_data, tmp_path_factory) -> Path:
    """A folder with 42 photos of LFW, one of each person, and a file that is none."""
    folder = tmp_path_factory.mktemp("photos")
    for person in sorted((shared_data / "data/lfw").iterdir())[::47][:42]:
        first = min(person.glob("*.jpg"))
        (folder / first.name).symlink_to(first)
    (folder / "notes.txt").write_text("no photo")
    return folder


@pytest.fixture(scope="module")
def file(photos, shared_data, tmp_path_factory) -> Path:
    """The model, made by the command."""
    file = tmp_path_factory.mktemp("int8") / "facenet.npz"
    model = f"facenet:{shared_data}/models/facenet-vggface2.pt"
    run = sightings("quantise", file, "--model", model, "--faces", photos)
    assert (run.code, run.out.splitlines()[-1]) == (0, f"Use it: --model int8:{file}")
    return file


@pytest.fixture(scope="module")
def model(file):
    return load_model(f"int8:{file}", settings=Settings())


@pytest.fixture(scope="module")
def faces(facenet, shared_data) -> np.ndarray:
    """Faces of photos that the network was not quantised with."""
    folder = shared_data / "data/lfw"
    return np.concatenate(
        [face_crops(person, facenet, Settings()) for person in sorted(folder.iterdir())[20:60:4]]
    )


@pytest.mark.slow
def test_vectors_are_nearly_those_of_facenet(model, facenet, faces):
    cosines = (model.embed(faces) * facenet.embed(faces)).sum(axis=1)
    assert len(cosines) >= 10
    assert cosines.mean() > 0.99
    assert cosines.min() > 0.96
    assert cosines.max() < 0.99999


@pytest.mark.slow
def test_it_is_a_model_of_its_own_that_says_what_it_was_made_of(model, facenet):
    assert model.identity.key.startswith("int8-")
    assert facenet.identity.key in model.identity.recipe
    thresholds, before = model.identity.thresholds, facenet.identity.thresholds
    assert (thresholds.possible, thresholds.same_person) == (before.possible, before.same_person)
    assert re.search(r"not measured again; vectors of \d+ faces have cosines", thresholds.basis)
    again = load_identity(model.identity, Settings())
    crops = np.random.default_rng(0).integers(0, 256, (3, 160, 160, 3), np.uint8)
    np.testing.assert_allclose(again.embed(crops), model.embed(crops), atol=1e-6)


@pytest.mark.slow
def test_vectors_do_not_depend_on_the_batch(model, faces):
    np.testing.assert_allclose(model.embed(faces[:1]), model.embed(faces)[:1], atol=1e-3)


def test_too_few_faces_are_refused(facenet, photos, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    for photo in sorted(photos.glob("*.jpg"))[:3]:
        (few / photo.name).symlink_to(photo.resolve())
    crops = face_crops(few, facenet, Settings())
    with pytest.raises(UsageError, match=r"\d faces were found, and 40 are needed"):
        quantise(facenet, crops, tmp_path / "x.npz", 1)
    assert not (tmp_path / "x.npz").exists()


def test_a_folder_that_is_not_there_is_told(facenet, tmp_path):
    with pytest.raises(MediaError, match="nowhere cannot be read: No such file"):
        face_crops(tmp_path / "nowhere", facenet, Settings())


def test_a_file_that_is_there_is_never_replaced(facenet, tmp_path):
    (tmp_path / "x.npz").write_text("dear")
    with pytest.raises(UsageError, match="is there already"):
        quantise(facenet, np.zeros((50, 160, 160, 3), np.uint8), tmp_path / "x.npz", 1)


def test_nncf_is_asked_for_where_it_is_missing(facenet, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(MissingExtra, match=r"sightings\[int8\]"):
        quantise(facenet, np.zeros((50, 160, 160, 3), np.uint8), tmp_path / "x.npz", 1)


def test_other_files_and_models_are_refused(tmp_path):
    (tmp_path / "x.npz").write_text("no")
    with pytest.raises(WeightsUnavailable, match="is not what sightings quantise writes"):
        load_model(f"int8:{tmp_path}/x.npz", settings=Settings())
    run = sightings("quantise", tmp_path / "y.npz", "--model", "dlib", "--faces", tmp_path)
    assert run.code == 2
    assert "Only FaceNet and ONNX networks can be quantised" in run.err


@pytest.mark.slow
def test_nobody_is_told_over_the_network_that_a_network_is_quantised():
    code = (
        "import sys; from indexer.int8_net import _nncf; from indexer.openvino_net import openvino;"
        "openvino(); nncf = _nncf(); from nncf.telemetry import wrapper;"
        "print(isinstance(wrapper.telemetry, wrapper.NNCFTelemetry),"
        "'openvino_telemetry' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
