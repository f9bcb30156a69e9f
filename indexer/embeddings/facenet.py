"""FaceNet: InceptionResnetV1 as facenet-pytorch builds it, 512 dimensions.

Schroff et al., FaceNet, CVPR 2015; trained by David Sandberg (github.com/davidsandberg/facenet).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.crops import aligned_crop, margin_crop
from indexer.embeddings.base import Embedder
from indexer.embeddings.preparation import CROP_PX, Preparation
from indexer.embeddings.state_dict import only_weights_of, read_state_dict, without
from indexer.errors import WeightsUnavailable
from indexer.inference import Network, in_parts, load_net, threads_of
from indexer.records import ModelIdentity, Thresholds
from indexer.weights import WeightsSource, sha256_of

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.inference import Array
    from indexer.records import Detection
    from indexer.runtime import Runtime

DIMENSIONS = 512
USUAL = Preparation()
ROWS_ON_PROCESSOR, ROWS_ON_CUDA = 16, 64  # of crops and mirror images; more are not faster
VGGFACE2 = WeightsSource(
    name="FaceNet",
    file_name="20180402-114759-vggface2.pt",
    url="https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/"
    "20180402-114759-vggface2.pt",
    size_bytes=111_898_327,
    sha256="281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
    licence="code MIT; no licence stated for the weights, trained on VGGFace2 (research only)",
    instead="Or use another model: --model facenet:PATH (the same network's weights from a file), "
    '--model dlib (needs: pip install "sightings[dlib]"; no further download), or '
    "--model onnx:PATH (any face-embedding network with its card).",
)
VGGFACE2_THRESHOLDS = Thresholds(
    possible=0.555,
    same_person=0.756,
    basis="cosines at false-accept rates 1e-3 and 1e-5 over 12,969,926 pairs of different people: "
    "5,095 LFW photos of 2,822 people, at most 10 each; 95.8 % and 65.1 % of 7,039 pairs of one "
    "person reach them",
)


@dataclass(frozen=True)
class Variant:
    """What is known of FaceNet as trained on one set of faces; people: how many it held."""

    name: str
    licence: str
    thresholds: Thresholds | None
    people: int


VARIANTS = {
    variant.name: variant
    for variant in (
        Variant("facenet", VGGFACE2.licence, VGGFACE2_THRESHOLDS, people=8631),
        Variant(
            "facenet-casia",
            "code MIT; no licence stated for the weights, trained on CASIA-WebFace (research only)",
            None,
            people=10575,
        ),
    )
}


class FaceNet(Embedder):
    """FaceNet with weights from a file, and faces as a preparation says."""

    crop_px = CROP_PX

    def __init__(
        self,
        path: Path,
        variant: Variant,
        runtime: Runtime,
        preparation: Preparation = USUAL,
    ) -> None:
        """Load a state dict of facenet-pytorch's InceptionResnetV1, with classifier or without.

        Its thresholds hold for the usual preparation alone, and are left out with another.
        Raises WeightsUnavailable if the file does not hold one.
        """
        self.identity = ModelIdentity(
            name=variant.name,
            dimensions=DIMENSIONS,
            recipe=preparation.recipe,
            weights_sha256=sha256_of(path),
            weights_path=str(path.resolve()),
            licence=variant.licence,
            thresholds=variant.thresholds if preparation == USUAL else None,
        )
        self._preparation = preparation
        largest = ROWS_ON_CUDA if runtime.device == "cuda" else ROWS_ON_PROCESSOR
        self._net = in_parts(
            load_net(network_of(path, variant), runtime), largest, threads_of(runtime)
        )

    def crop(self, image_rgb: Array, detection: Detection) -> Array:
        """Return the box with a margin, stretched to a square, or aligned; see Embedder.crop."""
        margin = self._preparation.margin_px
        if self._preparation.crop == "region":
            return margin_crop(image_rgb, detection.box_xyxy, size=CROP_PX, margin=margin)
        return aligned_crop(image_rgb, detection.landmarks_xy, size=CROP_PX, margin=margin)

    def _vectors(self, crops: Array) -> Array:
        pixels = pixels_of(crops)
        if not self._preparation.mirror:
            return self._net(pixels)[0]
        (both,) = self._net(np.concatenate([pixels, pixels[:, :, ::-1]]))
        vectors: Array = both[: len(crops)] + both[len(crops) :]
        return vectors


def pixels_of(crops: Array) -> Array:
    """Return crops, (n, 160, 160, 3) uint8, as the network wants them: float32 of about -1 to 1."""
    pixels: Array = (crops.astype(np.float32) - 127.5) / 128
    return pixels


def network_of(path: Path, variant: Variant) -> Network:
    """Return the network that a file of weights holds."""
    return Network(variant.name, path, partial(_built, variant=variant), CROP_PX)


def _built(path: Path, variant: Variant) -> Any:
    from facenet_pytorch import InceptionResnetV1

    network = InceptionResnetV1(classify=False, pretrained=None)
    needed = f"a state dict of facenet-pytorch's InceptionResnetV1 ({VGGFACE2.file_name})"
    with only_weights_of(path, "FaceNet", needed):
        state = read_state_dict(path)
        # The published files hold the classifier of their training set too.
        people = len(state.get("logits.weight", ()))
        if people and people != variant.people:
            raise WeightsUnavailable(
                f"{path} was trained on {people} people, the weights of {variant.name} on "
                f"{variant.people}: give it to the model it belongs to."
            )
        network.load_state_dict(without(state, "logits."), strict=True)
    return network.eval()
