"""Networks trained to name what ImageNet's photos show, without their last layer.

They are the baselines of reverse visual search: they find pictures that look alike, rather than the
same person. Weights and preprocessing are torchvision's; nobody has measured verdicts for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from indexer.crops import aligned_crop, margin_crop, preset_crop
from indexer.embeddings.base import WHOLE_PICTURE, Embedder
from indexer.embeddings.state_dict import only_weights_of, read_state_dict, without
from indexer.errors import UsageError
from indexer.inference import Network, in_parts, load_net, threads_of
from indexer.records import ModelIdentity
from indexer.weights import WeightsSource, sha256_of

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.inference import Array
    from indexer.records import Detection
    from indexer.runtime import Runtime

Crop = Literal["whole", "region", "aligned"]
CROPS: tuple[Crop, ...] = get_args(Crop)
OPTION = "?crop="
DEFAULT_CROP: Crop = "region"
MARGIN = 0.2  # of the input's side, for both sides together: what serves FaceNet
MEAN, DEVIATION = np.array(
    [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], np.float32
)  # of ImageNet's pixels, 0..1
ROWS_ON_PROCESSOR, ROWS_ON_CUDA = 8, 32
LICENCE = "code BSD-3-Clause; none stated for the weights, trained on ImageNet (research only)"


@dataclass(frozen=True)
class Architecture:
    """One of torchvision's networks and its weights IMAGENET1K_V1.

    factory: its name in torchvision.models; options: its arguments. cut: the module that is the
    last layer, or ends with it. left_out: what that is called in state dicts. layer: whose values
    are the vector. input_px, resized_px: torchvision's preset brings the shorter side to resized_px
    and takes the square of input_px in the middle. file_name: ends in the first digits of its
    SHA-256.
    """

    name: str
    factory: str
    dimensions: int
    layer: str
    file_name: str
    size_mb: int
    cut: str = "fc"
    left_out: tuple[str, ...] = ("fc.",)
    options: tuple[tuple[str, Any], ...] = ()
    input_px: int = 224
    resized_px: int = 256

    @property
    def source(self) -> WeightsSource:
        """Where torchvision has its weights."""
        return WeightsSource(
            name=self.name,
            file_name=self.file_name,
            url=f"https://download.pytorch.org/models/{self.file_name}",
            size_bytes=None,
            sha256=self.file_name.rsplit("-", 1)[1].removesuffix(".pth"),
            licence=LICENCE,
            instead=f"Or give a file with the network's weights: --model {self.name}:PATH",
        )


ARCHITECTURES = {
    each.name: each
    for each in (
        Architecture(
            "resnet50", "resnet50", 2048, "average pool", "resnet50-0676ba61.pth", size_mb=103
        ),
        Architecture(
            "resnet152", "resnet152", 2048, "average pool", "resnet152-394f9c45.pth", size_mb=242
        ),
        Architecture(
            "vgg16",
            "vgg16",
            4096,
            "second fully connected layer",
            "vgg16-397923af.pth",
            size_mb=553,
            cut="classifier",
            left_out=("classifier.6.",),
            options=(("init_weights", False),),
        ),
        Architecture(
            "mobilenet",
            "mobilenet_v2",
            1280,
            "average pool",
            "mobilenet_v2-b0353104.pth",
            size_mb=14,
            cut="classifier",
            left_out=("classifier.",),
        ),
        Architecture(
            "inceptionv3",
            "inception_v3",
            2048,
            "average pool",
            "inception_v3_google-0cc3c7bd.pth",
            size_mb=109,
            left_out=("fc.", "AuxLogits."),
            # The weights are Google's, which want values of -1 to 1.
            options=(("init_weights", False), ("aux_logits", False), ("transform_input", True)),
            input_px=299,
            resized_px=342,
        ),
    )
}


class ImageNet(Embedder):
    """A network of ARCHITECTURES on whole pictures, or on faces cut out in one of two ways."""

    def __init__(
        self, path: Path, architecture: Architecture, crop: Crop, runtime: Runtime
    ) -> None:
        """Load a state dict of torchvision's network, with its last layer or without.

        Raises WeightsUnavailable if the file does not hold one.
        """
        self.crop_px = architecture.input_px
        self._crop = crop
        self._resized_px = architecture.resized_px
        self._margin = round(MARGIN * self.crop_px)
        self.identity = ModelIdentity(
            name=architecture.name,
            dimensions=architecture.dimensions,
            recipe=self._recipe(architecture),
            weights_sha256=sha256_of(path),
            weights_path=str(path.resolve()),
            licence=LICENCE,
        )
        network = Network(
            architecture.name, path, partial(_built, architecture=architecture), self.crop_px
        )
        largest = ROWS_ON_CUDA if runtime.device == "cuda" else ROWS_ON_PROCESSOR
        self._net = in_parts(load_net(network, runtime), largest, threads_of(runtime))

    def crop(self, image_rgb: Array, detection: Detection) -> Array:
        """Return the picture's middle, or the face, as the model wants it; see Embedder.crop."""
        size = self.crop_px
        if self._crop == "whole":
            return preset_crop(image_rgb, size=size, resized=self._resized_px)
        if self._crop == "region":
            return margin_crop(image_rgb, detection.box_xyxy, size=size, margin=self._margin)
        return aligned_crop(image_rgb, detection.landmarks_xy, size=size)

    def _vectors(self, crops: Array) -> Array:
        pixels = (crops.astype(np.float32) / 255 - MEAN) / DEVIATION
        return self._net(pixels)[0]

    def _recipe(self, architecture: Architecture) -> str:
        size = self.crop_px
        crops = {
            "whole": f"{WHOLE_PICTURE}, shorter side {self._resized_px}, middle {size} px",
            "region": f"MTCNN box, margin {self._margin} at {size} px",
            "aligned": f"five landmarks to the ArcFace template at {size} px",
        }
        return f"{crops[self._crop]}, RGB, ImageNet mean and deviation; {architecture.layer}"


def crop_of(text: str) -> Crop:
    """Return the crop that a model's spec names; empty: the default. Raises UsageError."""
    for crop in CROPS:
        if crop == (text or DEFAULT_CROP):
            return crop
    raise UsageError(f"There is no crop {text!r}: give one of {', '.join(CROPS)}.")


def crop_of_identity(identity: ModelIdentity) -> Crop:
    """Return the crop with which an index's embeddings were made; it is kept in their recipe."""
    beginnings: dict[str, Crop] = {WHOLE_PICTURE: "whole", "five landmarks": "aligned"}
    return next(
        (crop for text, crop in beginnings.items() if identity.recipe.startswith(text)), "region"
    )


def without_last_layer(architecture: Architecture) -> Any:
    """Return torchvision's network, not trained, whose output is the vector."""
    import torch
    from torchvision import models

    factory = getattr(models, architecture.factory)
    network = factory(weights=None, **dict(architecture.options))
    layer = getattr(network, architecture.cut)
    # What comes before the last layer in a sequence stays, as dropouts do nothing in evaluation.
    is_sequence = isinstance(layer, torch.nn.Sequential)
    shorter = layer[:-1] if is_sequence else torch.nn.Identity()
    setattr(network, architecture.cut, shorter)
    return network


def _built(path: Path, architecture: Architecture) -> Any:
    network = without_last_layer(architecture)
    needed = f"a state dict of torchvision's {architecture.factory} ({architecture.file_name})"
    with only_weights_of(path, architecture.name, needed):
        state = without(read_state_dict(path), *architecture.left_out)
        network.load_state_dict(state, strict=True)
    return network.eval()
