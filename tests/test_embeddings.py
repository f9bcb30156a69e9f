from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.embeddings import SPECS, available_models, load_identity, load_model
from indexer.embeddings.card import of_identity, read_card
from indexer.errors import MissingExtra, ModelMismatch, UsageError, WeightsUnavailable
from indexer.evaluation.matrix import CARDS
from indexer.runtime import choose_runtime
from indexer.settings import Settings

if TYPE_CHECKING:
    from indexer.records import Detection

CARD = {"input_size": 112, "alignment": "arcface", "dimensions": 128, "licence": "CC0"}
FACENET = "facenet:{models}/facenet-vggface2.pt"
MOBILEFACENET = "onnx:{models}/mobilefacenet.onnx?card={cards}/mobilefacenet.json"
MOBILEFACE_V2 = "onnx:{models}/mobileface-v2.onnx?card={cards}/mobileface-v2.json"
PEOPLE, PHOTOS_EACH = 33, 3


@pytest.fixture(scope="module")
def load(shared_data):
    """Load a model by its spec, once for all tests."""
    loaded = {}

    def load_once(spec: str):
        if spec not in loaded:
            spec = spec.format(models=shared_data / "models", cards=CARDS)
            loaded[spec] = load_model(spec, settings=Settings())
        return loaded[spec]

    return load_once


@pytest.fixture(scope="module")
def portraits(shared_data) -> list[tuple[np.ndarray, Detection]]:
    """99 photos with the face in their centre: three of each of 33 people, one after the other."""
    from PIL import Image

    from indexer.faces import FaceDetector
    from indexer.settings import FaceSettings

    photos = sorted((shared_data / "data/lfw").glob("*/*.jpg"))
    people = [list(mine) for _, mine in groupby(photos, key=lambda photo: photo.parent)]
    many = [mine[:PHOTOS_EACH] for mine in people if len(mine) >= PHOTOS_EACH]
    chosen = [photo for mine in many[:: len(many) // PEOPLE][:PEOPLE] for photo in mine]
    pictures = [np.asarray(Image.open(photo).convert("RGB")) for photo in chosen]
    found = FaceDetector(FaceSettings()).detect(pictures)
    return [
        (picture, min(faces, key=lambda face: _off_centre(face, picture)))
        for picture, faces in zip(pictures, found, strict=True)
    ]


def _off_centre(face: Detection, picture: np.ndarray) -> float:
    x1, y1, x2, y2 = face.box_xyxy
    height, width = picture.shape[:2]
    return abs(x1 + x2 - width) + abs(y1 + y2 - height)


def crops_of(model, portraits) -> np.ndarray:
    return np.stack([model.crop(picture, face) for picture, face in portraits])


# --- what every model keeps -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "found", "people"),
    [(FACENET, 0.9, 20), (MOBILEFACENET, 0.97, PEOPLE), ("dlib", 0.85, 6)],
    ids=["facenet", "mobilefacenet", "dlib"],
)
def test_a_model_tells_people_apart(load, portraits, spec, found, people):
    model = load(spec)
    vectors = model.embed(crops_of(model, portraits[: people * PHOTOS_EACH]))
    cosines = vectors @ vectors.T
    person = np.arange(len(vectors)) // PHOTOS_EACH
    same = person[:, None] == person
    others = ~np.eye(len(vectors), dtype=bool)
    thresholds = model.identity.thresholds
    assert (cosines[same & others] >= thresholds.possible).mean() >= found
    assert (cosines[~same] >= thresholds.possible).mean() <= 0.005
    assert (cosines[~same] >= thresholds.same_person).sum() == 0
    nearest = np.where(others, cosines, -1).argmax(axis=1)
    assert (person[nearest] == person).mean() >= found


@pytest.mark.parametrize(
    "spec", [FACENET, MOBILEFACENET, MOBILEFACE_V2, "dlib"],
    ids=["facenet", "mobilefacenet", "mobileface-v2", "dlib"],
)  # fmt: skip
def test_vectors_have_unit_length_and_do_not_depend_on_the_batch(load, portraits, spec):
    model = load(spec)
    count = 3 if spec == "dlib" else 34
    crops = crops_of(model, portraits[:count])
    vectors = model.embed(crops)
    assert vectors.dtype == np.float32
    assert vectors.shape == (count, model.identity.dimensions)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    for index in (0, count - 1):
        np.testing.assert_allclose(model.embed(crops[[index]]), vectors[[index]], atol=1e-5)
    assert model.embed(crops[:0]).shape == (0, model.identity.dimensions)


@pytest.mark.parametrize("spec", [FACENET, MOBILEFACENET], ids=["facenet", "mobilefacenet"])
def test_crops_of_another_shape_or_type_are_refused(load, spec):
    model = load(spec)
    side = model.crop_px
    for crops in (
        np.zeros((2, side + 1, side + 1, 3), np.uint8),
        np.zeros((side, side, 3), np.uint8),
        np.zeros((2, side, side, 3), np.float32),
    ):
        with pytest.raises(UsageError, match=f"embeds crops of .N, {side}, {side}, 3. uint8"):
            model.embed(crops)


@pytest.mark.parametrize("spec", [FACENET, MOBILEFACENET, "dlib"])
def test_an_indexs_model_is_loaded_again_without_its_spec(load, portraits, spec):
    model = load(spec)
    again = load_identity(model.identity, Settings())
    assert again.identity == model.identity
    picture, face = portraits[0]
    crop = again.crop(picture, face)
    np.testing.assert_array_equal(crop, model.crop(picture, face))
    np.testing.assert_allclose(again.embed(crop[None]), model.embed(crop[None]), atol=1e-6)


# --- naming a model ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spec", ["", "vgg19", "facenet-casia", "onnx", "onnx:", "dlib:x", "FaceNet"]
)
def test_an_unknown_model_is_refused_with_a_list(spec):
    with pytest.raises(UsageError, match="facenet, facenet:PATH, facenet-casia:PATH, dlib, onnx:"):
        load_model(spec, settings=Settings())


def test_the_settings_may_say_where_facenets_weights_are(load, shared_data):
    given = Settings(facenet_weights=str(shared_data / "models/facenet-vggface2.pt"))
    assert load_model("facenet", settings=given).identity == load(FACENET).identity


def test_facenet_without_weights_says_what_else_can_be_done(tmp_path, monkeypatch):
    monkeypatch.setenv("SIGHTINGS_CACHE", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(WeightsUnavailable) as caught:
        load_model("facenet", settings=Settings())
    for part in ("20180402-114759-vggface2.pt", "281cebca8662", str(tmp_path), "--model dlib"):
        assert part in str(caught.value)


def test_models_are_listed_without_loading_any(tmp_path):
    code = (
        "import sys; from indexer.embeddings import available_models; rows = available_models();"
        "print([row.spec for row in rows]); print([row.dimensions for row in rows]);"
        "print({'torch', 'openvino', 'dlib', 'cv2', 'facenet_pytorch'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
        env={"SIGHTINGS_CACHE": str(tmp_path), "PATH": ""},
    )
    assert done.stdout.splitlines() == [
        str(list(SPECS)),
        "[512, 512, 512, 128, None, 2048, 2048, 4096, 1280, 2048, None, None]",
        "set()",
    ]


def test_the_list_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("SIGHTINGS_CACHE", str(tmp_path))
    monkeypatch.setitem(sys.modules, "dlib", None)
    missing = {row.spec: row.missing for row in available_models()}
    assert missing["facenet"] == "111,898,327 bytes, downloaded when first used"
    assert missing["facenet:PATH"] is None
    assert missing["dlib"] == 'The dlib model needs: pip install "sightings[dlib]"'


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(MissingExtra, match="pip install"):
        load_model("dlib", settings=Settings())


# --- the model of an index --------------------------------------------------------------------


def test_weights_that_moved_or_changed_are_an_error(load, tmp_path):
    identity = load(MOBILEFACENET).identity
    moved = replace(identity, weights_path=str(tmp_path / "gone.onnx"))
    with pytest.raises(WeightsUnavailable, match=r"gone\.onnx.*not there any more.*--model 'onnx:"):
        load_identity(moved, Settings())
    (tmp_path / "other.onnx").write_bytes(b"other")
    changed = replace(identity, weights_path=str(tmp_path / "other.onnx"))
    with pytest.raises(WeightsUnavailable, match="have changed"):
        load_identity(changed, Settings())


def test_an_index_made_with_another_recipe_is_refused(load):
    older = replace(load(FACENET).identity, recipe="margin 14")
    with pytest.raises(ModelMismatch, match=r"margin 14.*reindex"):
        load_identity(older, Settings())


# --- runtimes ---------------------------------------------------------------------------------


def test_facenets_vectors_are_those_of_torch(load, portraits):
    spec = FACENET.format(models=Path(load(FACENET).identity.weights_path).parent)
    model = load(FACENET)
    torch_model = load_model(spec, settings=Settings(), runtime=choose_runtime("cpu", "torch"))
    assert torch_model.identity == model.identity
    crops = crops_of(model, portraits)
    np.testing.assert_allclose(model.embed(crops), torch_model.embed(crops), atol=1e-5)


@pytest.mark.parametrize("spec", [MOBILEFACENET, MOBILEFACE_V2])
def test_vectors_of_onnx_networks_are_those_of_onnxruntime(load, portraits, spec):
    import onnxruntime

    model = load(spec)
    crops = crops_of(model, portraits)
    card = of_identity(model.identity)
    scale, offset = np.float32(card.scaling)
    pixels = (crops * scale + offset).transpose(0, 3, 1, 2)
    session = onnxruntime.InferenceSession(model.identity.weights_path)
    expected = sum(
        session.run(None, {"data": np.ascontiguousarray(each)})[0]
        for each in (pixels, pixels[..., ::-1])
    )
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(model.embed(crops), expected, atol=1e-5)


def test_onnx_networks_say_so_when_only_they_run_on_openvino(load, caplog):
    identity = load(MOBILEFACENET).identity
    load_identity(identity, Settings(), choose_runtime("cpu", "openvino"))
    assert not caplog.records
    load_identity(identity, Settings(), choose_runtime("cpu", "torch", threads=1))
    assert "runs on OpenVINO on the processor, the face detector on torch" in caplog.text


# --- FaceNet ----------------------------------------------------------------------------------


def test_facenets_classifier_is_not_needed_and_does_no_harm(load, shared_data, tmp_path):
    import torch

    state = torch.load(shared_data / "models/facenet-vggface2.pt", weights_only=True)
    state |= {"logits.weight": torch.zeros(8631, 512), "logits.bias": torch.zeros(8631)}
    torch.save(state, tmp_path / "with-logits.pt")
    model = load_model(f"facenet:{tmp_path}/with-logits.pt", settings=Settings())
    crop = np.random.default_rng(0).integers(0, 256, (1, 160, 160, 3), np.uint8)
    np.testing.assert_allclose(model.embed(crop), load(FACENET).embed(crop), atol=1e-6)
    assert model.identity.key != load(FACENET).identity.key


def test_facenet_casia_is_another_model_without_verdicts(load, shared_data):
    path = shared_data / "models/facenet-vggface2.pt"
    casia = load_model(f"facenet-casia:{path}", settings=Settings()).identity
    assert casia.name == "facenet-casia"
    assert casia.verdict(0.99) is None
    assert load(FACENET).identity.verdict(0.99) == "same person"


def test_files_that_are_no_facenet_are_refused(tmp_path):
    import torch

    torch.save({"conv.weight": torch.zeros(3)}, tmp_path / "other.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    (tmp_path / "text.pt").write_text("<html>Not found</html>")
    (tmp_path / "empty.pt").touch()
    for name in ("other", "list", "text", "empty"):
        with pytest.raises(WeightsUnavailable, match=rf"{name}\.pt does not hold FaceNet"):
            load_model(f"facenet:{tmp_path}/{name}.pt", settings=Settings())
    with pytest.raises(WeightsUnavailable, match=r"no file .*missing\.pt"):
        load_model(f"facenet:{tmp_path}/missing.pt", settings=Settings())


class _Harmful:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_harmful_weights_file_runs_no_code(tmp_path):
    import torch

    torch.save({"conv.weight": _Harmful(tmp_path / "it ran")}, tmp_path / "harmful.pt")
    with pytest.raises(WeightsUnavailable):
        load_model(f"facenet:{tmp_path}/harmful.pt", settings=Settings())
    assert not (tmp_path / "it ran").exists()


# --- ONNX and its cards -----------------------------------------------------------------------


@pytest.fixture
def with_card(tmp_path, shared_data):
    """Load MobileFaceNet with a card that differs from CARD in some fields."""
    shutil.copy(shared_data / "models/mobilefacenet.onnx", tmp_path / "net.onnx")

    def load_with(**fields):
        (tmp_path / "net.json").write_text(json.dumps(CARD | fields))
        return load_model(f"onnx:{tmp_path}/net.onnx", settings=Settings())

    return load_with


@pytest.mark.parametrize(
    ("fields", "as_input"),
    [
        ({}, lambda crop: crop),
        ({"colour_order": "BGR"}, lambda crop: crop[..., ::-1]),
        ({"scale": 0.5, "offset": 3}, lambda crop: crop * 0.5 + 3),
        ({"mean": 127.5, "std": [100, 128, 150]}, lambda crop: (crop - 127.5) / (100, 128, 150)),
        ({"mean": [1, 2, 3], "colour_order": "BGR"}, lambda crop: crop[..., ::-1] - (1, 2, 3)),
    ],
    ids=["plain", "BGR", "scale and offset", "mean and std", "mean in BGR"],
)
@pytest.mark.parametrize("flip", [False, True])
def test_a_card_says_what_the_network_is_given(with_card, tmp_path, fields, as_input, flip):
    import onnxruntime

    crop = np.random.default_rng(0).integers(0, 256, (112, 112, 3), np.uint8)
    pixels = np.float32(as_input(crop)).transpose(2, 0, 1)[None]
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    expected = session.run(None, {"data": pixels})[0]
    if flip:
        expected = expected + session.run(None, {"data": pixels[..., ::-1].copy()})[0]
    vector = with_card(**fields, flip=flip).embed(crop[None])
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-5)


def test_a_card_chooses_the_crop(with_card, portraits):
    from indexer.crops import aligned_crop, margin_crop

    picture, face = portraits[0]
    aligned = with_card().crop(picture, face)
    np.testing.assert_array_equal(aligned, aligned_crop(picture, face.landmarks_xy, size=112))
    margin = with_card(alignment={"margin": 10}).crop(picture, face)
    expected = margin_crop(picture, face.box_xyxy, size=112, margin=10)
    np.testing.assert_array_equal(margin, expected)


def test_a_models_key_follows_its_recipe_but_not_how_it_is_written(with_card):
    key = with_card().identity.key
    assert with_card(mean=0, std=1, colour_order="RGB").identity.key == key
    assert with_card(licence="MIT").identity.key == key
    assert with_card(flip=True).identity.key != key
    assert with_card(scale=0.5).identity.key != key
    assert with_card(name="mine").identity.key.startswith("mine-")


def test_an_indexs_network_needs_its_card_no_more(with_card, tmp_path):
    thresholds = {"possible": 0.3, "same_person": 0.4, "basis": "a guess"}
    identity = with_card(std=[9, 7, 3], alignment={"margin": 7.5}, thresholds=thresholds).identity
    (tmp_path / "net.json").unlink()
    assert load_identity(identity, Settings()).identity == identity


def test_a_card_that_does_not_fit_its_network_is_refused(with_card):
    with pytest.raises(UsageError, match="does not take what its card says"):
        with_card(input_size=96)
    with pytest.raises(UsageError, match=r"shape \(1, 128\), where its card promises \(1, 512\)"):
        with_card(dimensions=512)


def test_a_file_that_is_no_network_is_refused(tmp_path):
    (tmp_path / "net.onnx").write_text("<html>Not found</html>")
    (tmp_path / "net.json").write_text(json.dumps(CARD))
    with pytest.raises(WeightsUnavailable, match="cannot be loaded as an ONNX network"):
        load_model(f"onnx:{tmp_path}/net.onnx", settings=Settings())
    with pytest.raises(WeightsUnavailable, match="cannot be read"):
        load_model(f"onnx:{tmp_path}/gone.onnx?card={tmp_path}/net.json", settings=Settings())


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_of_a_network_that_is_cut_short_one_plain_sentence_is_said(with_card, tmp_path, part):
    content = (tmp_path / "net.onnx").read_bytes()
    (tmp_path / "net.onnx").write_bytes(content[: int(len(content) * part)])
    with pytest.raises(WeightsUnavailable) as raised:
        with_card()
    assert str(raised.value) == (
        f"{tmp_path}/net.onnx cannot be loaded as an ONNX network: it is cut short, damaged, or "
        "something else."
    )
    assert isinstance(raised.value.__cause__, RuntimeError)


@pytest.mark.parametrize(
    ("card", "fault"),
    [
        ("nonsense", "Invalid JSON"),
        ("[]", "should be an object"),
        ({"licence": None}, "licence: "),
        ({"dimensions": "128"}, "dimensions: .*integer"),
        ({"input_size": 0}, "must be positive"),
        ({"alignment": "eyes"}, "alignment.*arcface"),
        ({"alignment": {"margin": 112}}, "less than input_size"),
        ({"colour_order": "GRB"}, "colour_order: .*'RGB' or 'BGR'"),
        ({"mean": 1, "scale": 2}, "scale and offset exclude mean and std"),
        ({"std": [1, 0, 1]}, "must not be 0"),
        ({"mean": [1, 2]}, "mean"),
        ({"thresholds": {"possible": 0.3}}, r"thresholds\.same_person: .*required"),
        ({"fliip": True}, "fliip: "),
        ({"name": "facenet"}, "another model's"),
    ],
)
def test_a_card_with_a_fault_is_refused_by_name(tmp_path, card, fault):
    path = tmp_path / "card.json"
    path.write_text(card if isinstance(card, str) else json.dumps(CARD | card))
    with pytest.raises(UsageError, match=rf"card\.json cannot be used: .*{fault}"):
        read_card(path)


def test_a_card_that_is_not_there_is_asked_for(tmp_path):
    with pytest.raises(UsageError, match=r"no card .*net\.json.*\?card=CARD\.json"):
        load_model(f"onnx:{tmp_path}/net.onnx", settings=Settings())


@pytest.mark.parametrize("name", ["mobilefacenet", "mobileface-v2"])
def test_the_cards_of_the_test_networks_say_where_their_thresholds_come_from(name):
    card = read_card(CARDS / f"{name}.json")
    assert card.name == name
    assert 0.2 < card.thresholds.possible < card.thresholds.same_person < 0.6
    assert "LFW" in card.thresholds.basis
