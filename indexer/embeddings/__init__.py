"""The registry of embedding models: from what a user writes after --model to a loaded model."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from indexer.embeddings.listing import (
    IMAGENET_NAMES,
    INT8_SPEC,
    ONNX_SPEC,
    SPECS,
    ModelRow,
    available_models,
)
from indexer.errors import ModelMismatch, UsageError, WeightsUnavailable
from indexer.runtime import runtime_of

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.embeddings.base import Embedder
    from indexer.embeddings.imagenet import ImageNet
    from indexer.embeddings.int8 import Int8FaceNet, Int8Onnx
    from indexer.embeddings.reduced import Reduced
    from indexer.records import ModelIdentity
    from indexer.runtime import Runtime
    from indexer.settings import Settings
    from indexer.weights import Progress

LOG = logging.getLogger(__name__)

__all__ = ["SPECS", "ModelRow", "available_models", "check_weights", "load_identity", "load_model"]


def load_model(
    spec: str,
    *,
    settings: Settings,
    progress: Progress | None = None,
    runtime: Runtime | None = None,
) -> Embedder:
    """Load the model that a spec names; one without a PATH downloads its weights if need be.

    spec: one of SPECS, FaceNet's also with the options of `embeddings.preparation` after a `?`;
    without `?card=` an ONNX network's card is PATH with the suffix .json; without `?base=` the
    model that a PCA reduces is loaded from where it lay.
    progress: told bytes done and total of a download. runtime: by default that of the settings;
    ONNX networks run on OpenVINO with as many threads.
    Raises UsageError for another spec or a wrong card, WeightsUnavailable, MissingExtra,
    ModelMismatch if `?base=` names another model than the one reduced.
    """
    from pathlib import Path

    family, _, place = spec.partition(":")
    if family.partition("?")[0] == "facenet" or (
        family == "facenet-casia" and place.partition("?")[0]
    ):
        return _facenet(spec, settings, runtime, progress)
    if spec == "dlib":
        from indexer.embeddings.dlib_net import DlibNet

        return DlibNet(runtime or runtime_of(settings))
    if family.partition("?")[0] in IMAGENET_NAMES:
        return _imagenet(spec, runtime or runtime_of(settings), progress)
    if family == "int8" and place:
        return _int8(Path(place).expanduser(), settings, runtime)
    if family == "pca" and place:
        file, _, base = place.partition("?base=")
        return _reduced(Path(file).expanduser(), base, settings, runtime)
    if family == "onnx" and place:
        from indexer.embeddings.card import card_of, read_card
        from indexer.embeddings.onnx_net import OnnxNet

        network, _, card = place.partition("?card=")
        path = Path(network).expanduser()
        chosen = read_card(card_of(path, card))
        return OnnxNet(path, chosen, _openvino_threads(spec, runtime or runtime_of(settings)))
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

        embedder = DlibNet(runtime or runtime_of(settings))
    elif identity.name in ("facenet", "facenet-casia"):
        from indexer.embeddings.facenet import VARIANTS, FaceNet
        from indexer.embeddings.preparation import preparation_of_recipe

        path = _unmoved(identity, f"{identity.name}:PATH")
        prepared = preparation_of_recipe(identity.recipe)
        variant = VARIANTS[identity.name]
        embedder = FaceNet(path, variant, runtime or runtime_of(settings), prepared)
    elif identity.name in IMAGENET_NAMES:
        from indexer.embeddings.imagenet import ARCHITECTURES, ImageNet, crop_of_identity

        crop = crop_of_identity(identity)
        path = _unmoved(identity, f"{identity.name}:PATH?crop={crop}")
        architecture = ARCHITECTURES[identity.name]
        embedder = ImageNet(path, architecture, crop, runtime or runtime_of(settings))
    elif identity.name == "int8":
        embedder = _int8(_unmoved(identity, INT8_SPEC), settings, runtime)
    elif identity.name == "pca":
        embedder = _reduced(_unmoved(identity, "pca:FILE.npz"), "", settings, runtime)
    else:
        from indexer.embeddings.card import of_identity
        from indexer.embeddings.onnx_net import OnnxNet

        threads = _openvino_threads(identity.key, runtime or runtime_of(settings))
        embedder = OnnxNet(_unmoved(identity, ONNX_SPEC), of_identity(identity), threads)
    if embedder.identity.key != identity.key:
        raise ModelMismatch(
            f"The index was made with {identity.key} ({identity.recipe}), and this version of "
            f"Sightings makes {embedder.identity.key} ({embedder.identity.recipe}). Re-embed the "
            "index: sightings reindex --model MODEL"
        )
    return embedder


def _facenet(
    spec: str, settings: Settings, runtime: Runtime | None, progress: Progress | None
) -> Embedder:
    from indexer.embeddings.facenet import VARIANTS, VGGFACE2, FaceNet
    from indexer.embeddings.preparation import preparation_of
    from indexer.weights import download, find_weights

    named, _, options = spec.partition("?")
    family, _, place = named.partition(":")
    prepared = preparation_of(options)
    path = find_weights(VGGFACE2, place or settings.facenet_weights)
    path = path or download(VGGFACE2, progress=progress)
    return FaceNet(path, VARIANTS[family], runtime or runtime_of(settings), prepared)


def check_weights(identity: ModelIdentity) -> None:
    """Look whether a model's weights lie where the index knows them, unchanged, without loading.

    Raises WeightsUnavailable if they do not.
    """
    specs = {"int8": INT8_SPEC, "pca": "pca:FILE.npz", "dlib": "dlib"}
    known = identity.name in ("facenet", "facenet-casia", *IMAGENET_NAMES)
    _unmoved(identity, f"{identity.name}:PATH" if known else specs.get(identity.name, ONNX_SPEC))


def _imagenet(spec: str, runtime: Runtime, progress: Progress | None) -> ImageNet:
    from indexer.embeddings.imagenet import ARCHITECTURES, OPTION, ImageNet, crop_of
    from indexer.weights import download, find_weights

    named, _, crop = spec.partition(OPTION)
    name, _, place = named.partition(":")
    if name not in ARCHITECTURES:
        raise UsageError(f"{spec!r} has another option than {OPTION}whole|region|aligned.")
    chosen, architecture = crop_of(crop), ARCHITECTURES[name]
    path = find_weights(architecture.source, place)
    path = path or download(architecture.source, progress=progress)
    return ImageNet(path, architecture, chosen, runtime)


def _int8(path: Path, settings: Settings, runtime: Runtime | None) -> Int8FaceNet | Int8Onnx:
    from indexer.embeddings.int8 import load_int8

    threads = _openvino_threads(f"int8:{path}", runtime or runtime_of(settings))
    return load_int8(path, threads)


def _openvino_threads(model: str, runtime: Runtime) -> int:
    """Return the threads for a model that runs on OpenVINO alone; say so where others do not."""
    if runtime.name != "openvino":
        LOG.warning(
            "%s runs on OpenVINO on the processor, the face detector on %s.", model, runtime
        )
    return runtime.threads


def _reduced(path: Path, base: str, settings: Settings, runtime: Runtime | None) -> Reduced:
    """Load a reduction and the model under it: the one that `base` says, or from where it lay."""
    from indexer.embeddings.reduced import Reduced
    from indexer.reduction import load

    reduction, fitted_on = load(path)
    if base:
        model = load_model(base, settings=settings, runtime=runtime)
    else:
        try:
            model = load_identity(fitted_on, settings, runtime)
        except WeightsUnavailable as error:
            raise WeightsUnavailable(
                f"{path} reduces vectors of {fitted_on.key}, whose weights are not at "
                f"{fitted_on.weights_path} any more, or have changed. Say where they are: "
                f"--model 'pca:{path}?base=MODEL'"
            ) from error
    return Reduced(path, reduction, fitted_on, model)


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
