"""torchvision's ImageNet networks without their last layer, as embedding models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from indexer.crops import aligned_crop, margin_crop
from indexer.embeddings import available_models, load_identity, load_model
from indexer.embeddings.imagenet import ARCHITECTURES, without_last_layer
from indexer.errors import UsageError, WeightsUnavailable
from indexer.records import Detection
from indexer.runtime import choose_runtime
from indexer.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

LAYERS = {
    "resnet50": "flatten",
    "vgg16": "classifier.4",
    "mobilenet": "flatten",
    "inceptionv3": "flatten",
}
LAST = {
    "resnet50": "fc.",
    "resnet152": "fc.",
    "vgg16": "classifier.6.",
    "mobilenet": "classifier.1.",
    "inceptionv3": "fc.",
}
FACE = Detection(
    (60.0, 50.0, 130.0, 150.0),
    ((80.0, 85.0), (112.0, 86.0), (95.0, 105.0), (82.0, 125.0), (110.0, 126.0)),
    0.99,
)


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory) -> Path:
    """A cache of converted networks for this module alone: they take 300 MB."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGHTINGS_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[:400:2, :500:2])


@pytest.fixture(scope="module")
def mobilenet(shared_data):
    """Load MobileNetV2 with the weights of the test data, once for each crop."""
    loaded: dict[str, Any] = {}

    def load(crop: str = "region"):
        if crop not in loaded:
            path = shared_data / "models/mobilenet_v2-imagenet-features.pt"
            loaded[crop] = load_model(f"mobilenet:{path}?crop={crop}", settings=Settings())
        return loaded[crop]

    return load


def torchvision_network(name: str) -> Any:
    """Return torchvision's whole network, with nothing in its parameters yet."""
    import torch
    from torchvision import models

    options = {"init_weights": False} if name in ("vgg16", "inceptionv3") else {}
    if name == "inceptionv3":
        options["transform_input"] = True
    with torch.device("meta"):
        return getattr(models, ARCHITECTURES[name].factory)(weights=None, **options)


def made_up_weights(name: str) -> dict[str, Any]:
    """Return a whole state dict; rows overlap in memory, so that its file is small."""
    import torch

    chance = torch.Generator().manual_seed(7)

    def values(key: str, shape: tuple[int, ...]) -> Any:
        if key.endswith("num_batches_tracked"):
            return torch.tensor(0)
        if len(shape) == 1:
            near_one = key.endswith(("running_var", ".weight"))
            return 0.1 * torch.randn(shape, generator=chance) + near_one
        row = int(np.prod(shape[1:]))
        drawn = torch.randn(7 * shape[0] + row, generator=chance) * (2 / row) ** 0.5
        strides = (7, *(int(np.prod(shape[i + 1 :])) for i in range(1, len(shape))))
        return drawn.as_strided(shape, strides)

    parameters = torchvision_network(name).state_dict()
    return {key: values(key, tuple(value.shape)) for key, value in parameters.items()}


@pytest.fixture
def saved(tmp_path):
    """Save made-up weights of a network and return their path."""
    import torch

    def save(name: str) -> Path:
        path = tmp_path / f"{name}.pth"
        torch.save(made_up_weights(name), path)
        return path

    return save


def noise(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (count, side, side, 3), np.uint8)


# --- what the networks give ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_networks_are_torchvisions_less_the_last_layer(name):
    import torch

    architecture = ARCHITECTURES[name]
    side = architecture.input_px
    with torch.device("meta"):  # of shapes alone, as two of them have half a gigabyte of weights
        network = without_last_layer(architecture).eval()
        vectors = network(torch.zeros(2, 3, side, side))
    assert vectors.shape == (2, architecture.dimensions)
    whole = set(torchvision_network(name).state_dict())
    left_out = whole - set(network.state_dict())
    assert left_out == {key for key in whole if key.startswith(architecture.left_out)}
    assert all(key.startswith((LAST[name], "AuxLogits.")) for key in left_out)


@pytest.mark.parametrize(
    ("name", "runtime"),
    [
        ("mobilenet", "openvino"),
        ("resnet50", "openvino"),
        pytest.param("inceptionv3", "openvino", marks=pytest.mark.slow),
        # In torch, as converting it for OpenVINO takes longer than all the others.
        pytest.param("vgg16", "torch", marks=pytest.mark.slow),
    ],
)
def test_vectors_are_those_of_the_layer_before_torchvisions_last(name, runtime, saved):
    import torch
    from torchvision.models.feature_extraction import create_feature_extractor
    from torchvision.transforms.functional import normalize

    path = saved(name)
    chosen = choose_runtime("cpu", runtime)
    model = load_model(f"{name}:{path}", settings=Settings(), runtime=chosen)
    crops = noise(2, model.crop_px)
    network = torchvision_network(name).to_empty(device="cpu").eval()
    network.load_state_dict(torch.load(path, weights_only=True))
    layer = create_feature_extractor(network, [LAYERS[name]])
    pixels = torch.from_numpy(crops).permute(0, 3, 1, 2) / 255
    with torch.inference_mode():
        values = layer(normalize(pixels, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    expected = values[LAYERS[name]].numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    vectors = model.embed(crops)
    assert vectors.shape == (2, ARCHITECTURES[name].dimensions)
    np.testing.assert_allclose(vectors, expected, atol=1e-4)
    assert abs(vectors[0] - vectors[1]).max() > 1e-3


def test_both_runtimes_give_the_same_vectors(mobilenet, shared_data):
    path = shared_data / "models/mobilenet_v2-imagenet-features.pt"
    by_torch = load_model(
        f"mobilenet:{path}", settings=Settings(), runtime=choose_runtime("cpu", "torch")
    )
    crops = noise(9, 224)
    assert by_torch.identity == mobilenet().identity
    np.testing.assert_allclose(by_torch.embed(crops), mobilenet().embed(crops), atol=1e-4)


def test_the_last_layer_is_not_needed_and_does_no_harm(mobilenet, shared_data, tmp_path):
    import torch

    path = shared_data / "models/mobilenet_v2-imagenet-features.pt"
    state = torch.load(path, weights_only=True)
    last = {"classifier.1.weight": torch.ones(1000, 1280), "classifier.1.bias": torch.ones(1000)}
    torch.save(state | last, tmp_path / "whole.pt")
    whole = load_model(f"mobilenet:{tmp_path}/whole.pt", settings=Settings())
    crops = noise(2, 224)
    np.testing.assert_allclose(whole.embed(crops), mobilenet().embed(crops), atol=1e-6)


def test_models_of_different_crops_are_different_models_without_verdicts(mobilenet):
    identities = [mobilenet(crop).identity for crop in ("whole", "region", "aligned")]
    assert len({identity.key for identity in identities}) == 3
    assert [identity.verdict(0.99) for identity in identities] == [None] * 3
    assert [mobilenet(crop).whole_pictures for crop in ("whole", "region")] == [True, False]


# --- what they are given ------------------------------------------------------------------------


def test_a_whole_picture_is_cut_as_torchvisions_preset_cuts_it(mobilenet, picture):
    import torch
    from torchvision.transforms.functional import center_crop, resize

    crop = mobilenet("whole").crop(picture, FACE)
    pixels = torch.from_numpy(picture).permute(2, 0, 1)
    expected = center_crop(resize(pixels, [256], antialias=True), [224]).permute(1, 2, 0).numpy()
    assert crop.shape == (224, 224, 3)
    assert abs(crop.astype(int) - expected).mean() < 4


def test_a_whole_picture_of_any_shape_can_be_cut(mobilenet):
    for height, width in ((1, 1), (3, 500), (900, 20), (480, 640)):
        crop = mobilenet("whole").crop(np.full((height, width, 3), 9, np.uint8), FACE)
        assert crop.shape == (224, 224, 3)
        assert (crop == 9).all()


def test_a_face_is_cut_out_by_its_box_or_its_landmarks(mobilenet, picture):
    region = margin_crop(picture, FACE.box_xyxy, size=224, margin=45)
    np.testing.assert_array_equal(mobilenet("region").crop(picture, FACE), region)
    aligned = aligned_crop(picture, FACE.landmarks_xy, size=224)
    np.testing.assert_array_equal(mobilenet("aligned").crop(picture, FACE), aligned)


# --- naming and loading -------------------------------------------------------------------------


@pytest.mark.parametrize("crop", ["whole", "region", "aligned"])
def test_an_indexs_model_is_loaded_again_with_its_crop(mobilenet, picture, crop):
    again = load_identity(mobilenet(crop).identity, Settings())
    assert again.identity == mobilenet(crop).identity
    expected = mobilenet(crop).crop(picture, FACE)
    np.testing.assert_array_equal(again.crop(picture, FACE), expected)


def test_the_face_region_is_what_is_taken_unless_told_otherwise(mobilenet, shared_data):
    path = shared_data / "models/mobilenet_v2-imagenet-features.pt"
    plain = load_model(f"mobilenet:{path}", settings=Settings())
    assert plain.identity == mobilenet("region").identity


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ("resnet50?crop=middle", r"no crop 'middle': give one of whole, region, aligned"),
        ("resnet50?size=10", r"another option than \?crop="),
        ("resnet50x", "There is no model 'resnet50x'"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_any_download(spec, fault):
    with pytest.raises(UsageError, match=fault):
        load_model(spec, settings=Settings())


def test_weights_that_cannot_be_fetched_say_what_else_can_be_done(cache, monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(WeightsUnavailable) as caught:
        load_model("resnet50?crop=whole", settings=Settings())
    for part in ("resnet50-0676ba61.pth", "begins with 0676ba61", str(cache), "resnet50:PATH"):
        assert part in str(caught.value)


def test_sources_are_torchvisions_own():
    from torchvision import models

    for architecture in ARCHITECTURES.values():
        weights = models.get_model_weights(architecture.factory).IMAGENET1K_V1
        assert architecture.source.url == weights.url
        assert architecture.source.url.endswith(f"-{architecture.source.sha256}.pth")
        assert architecture.size_mb == round(weights.meta["_file_size"] * 1.048576)
        assert architecture.input_px == weights.transforms().crop_size[0]
        assert architecture.resized_px == weights.transforms().resize_size[0]


def test_the_list_names_them_with_what_they_need():
    rows = {row.spec: row for row in available_models()}
    row = rows["resnet50[:PATH][?crop=whole|region|aligned]"]
    assert (row.dimensions, row.thresholds) == (2048, None)
    assert row.weights == "https://download.pytorch.org/models/resnet50-0676ba61.pth"
    assert row.missing == "about 103 MB, downloaded when first used, or :PATH"


def test_files_that_are_no_such_network_are_refused(saved, tmp_path):
    import torch

    torch.save({"features.0.0.weight": torch.zeros(3)}, tmp_path / "other.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    (tmp_path / "text.pt").write_text("<html>Not found</html>")
    (tmp_path / "empty.pt").touch()
    files = [tmp_path / f"{name}.pt" for name in ("other", "list", "text", "empty")]
    for path in [*files, saved("mobilenet")]:
        needed = rf"{path.name} does not hold resnet50's weights: .*torchvision's resnet50"
        with pytest.raises(WeightsUnavailable, match=needed):
            load_model(f"resnet50:{path}", settings=Settings())
    with pytest.raises(WeightsUnavailable, match=r"no file .*missing\.pt"):
        load_model(f"vgg16:{tmp_path}/missing.pt", settings=Settings())
