"""FaceNet and ONNX networks in 8 bits, from files that `sightings quantise` made."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.embeddings.card import of_identity
from indexer.embeddings.facenet import (
    ROWS_ON_PROCESSOR,
    VARIANTS,
    FaceNet,
    network_of,
    pixels_of,
)
from indexer.embeddings.onnx_net import ROWS_AT_ONCE, OnnxNet
from indexer.embeddings.preparation import preparation_of_recipe
from indexer.errors import UsageError, WeightsUnavailable
from indexer.inference import Threads, in_parts
from indexer.model_files import read_model_file, write_model_file
from indexer.records import Thresholds
from indexer.weights import sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.embeddings.base import Embedder
    from indexer.inference import Array, Net
    from indexer.records import ModelIdentity

NAME = "int8"
MADE_BY = "sightings quantise"
FIELDS = ("xml", "weights", "cosines")
FEWEST_FACES = 40
CALIBRATED_SHARE = 0.75  # of the faces; the others tell what is lost


class Int8FaceNet(FaceNet):
    """FaceNet with weights and inner values of 8 bits; it runs on OpenVINO, on the processor."""

    def __init__(self, identity: ModelIdentity, base: ModelIdentity, net: Net) -> None:
        """identity: its own. base: FaceNet's, whose crops it takes. net: the network."""
        self.identity = identity
        self._preparation = preparation_of_recipe(base.recipe)
        self._net = net


class Int8Onnx(OnnxNet):
    """A network that came in ONNX, with weights and inner values of 8 bits, on OpenVINO."""

    def __init__(self, identity: ModelIdentity, base: ModelIdentity, net: Net) -> None:
        """identity: its own. base: that of the ONNX network, whose card holds. net: the network."""
        self.identity = identity
        self._follow(of_identity(base))
        self._net = net


def load_int8(path: Path, threads: int) -> Int8FaceNet | Int8Onnx:
    """Load a file that `quantise` wrote. Raises WeightsUnavailable if it is none."""
    values, base = read_model_file(path, FIELDS, MADE_BY)
    identity = _identity(path, base, values["cosines"])
    try:
        net = _net(values["xml"], values["weights"], _rows(base), threads)
    except RuntimeError as error:  # OpenVINO's only error
        raise WeightsUnavailable(f"{path} cannot be loaded by OpenVINO: {error}") from error
    return (Int8FaceNet if base.name in VARIANTS else Int8Onnx)(identity, base, net)


def checked(embedder: Embedder) -> FaceNet | OnnxNet:
    """Return a model if it is one that can be quantised. Raises UsageError if it is not."""
    if type(embedder) in (FaceNet, OnnxNet):
        return embedder  # type: ignore[return-value]
    raise UsageError(
        "Only FaceNet and ONNX networks can be quantised: give --model facenet, facenet:PATH or "
        "onnx:PATH."
    )


def quantise(base: FaceNet | OnnxNet, crops: Array, path: Path, threads: int) -> Array:
    """Write a model in 8 bits to a file, and return what is lost, which the file states, too.

    crops: (n, crop_px, crop_px, 3) uint8 faces, in any order that mixes people: three of four give
    the ranges of values, the others are embedded by both.
    Returns (the others,) float32, the cosines of their old and new vectors.
    Raises UsageError for too few faces, for a network that cannot be quantised, or if the file is
    there already, MissingExtra, EnvironmentFailure.
    """
    from indexer.int8_net import as_array, quantised

    if len(crops) < FEWEST_FACES:
        raise UsageError(
            f"{len(crops)} faces were found, and {FEWEST_FACES} are needed at least (some hundred "
            "are better): name a folder with more photos."
        )
    if path.exists():
        raise UsageError(f"{path} is there already, and an index may need it: name another file.")
    count = round(CALIBRATED_SHARE * len(crops))
    read, to_pixels = _parts(base)
    try:
        # FaceNet has ReLU; an ONNX network may have PReLU or another activation.
        made = quantised(read, to_pixels(crops[:count]), below_zero=isinstance(base, OnnxNet))
    except RuntimeError as error:  # OpenVINO's only error
        weights_path = base.identity.weights_path
        raise UsageError(f"{weights_path} cannot be quantised: {error}") from error
    xml, weights = map(as_array, made)
    rest = crops[count:]
    quantised_base = copy(base)
    quantised_base._net = _net(xml, weights, _rows(base.identity), threads)
    cosines: Array = (base.embed(rest) * quantised_base.embed(rest)).sum(axis=1)
    write_model_file(path, base.identity, xml=xml, weights=weights, cosines=cosines)
    return cosines


def _parts(base: FaceNet | OnnxNet) -> tuple[Callable[[], Any], Callable[[Array], Array]]:
    """Return what makes the network anew, and what turns crops into its input."""
    from indexer.openvino_net import converted, read_onnx

    path = Path(base.identity.weights_path)
    if isinstance(base, OnnxNet):
        return partial(read_onnx, path), base.pixels_of
    return partial(converted, network_of(path, VARIANTS[base.identity.name])), pixels_of


def _rows(base: ModelIdentity) -> int:
    return ROWS_ON_PROCESSOR if base.name in VARIANTS else ROWS_AT_ONCE


def _net(xml: Array, weights: Array, rows: int, threads: int) -> Net:
    from indexer.openvino_net import load_ir_net

    net, takes_one = load_ir_net(xml.tobytes(), weights.tobytes(), threads)
    return in_parts(net, 1 if takes_one else rows, Threads(threads))


def _identity(path: Path, base: ModelIdentity, cosines: Array) -> ModelIdentity:
    held = base.thresholds
    kept = held and Thresholds(
        held.possible,
        held.same_person,
        f"those of {base.key}, not measured again; vectors of {len(cosines)} faces have cosines "
        f"of {cosines.mean():.4f} on average, {cosines.min():.4f} at least, with its own",
    )
    return replace(
        base,
        name=NAME,
        recipe=f"{base.recipe}; {base.key} in 8 bits",
        weights_sha256=sha256_of(path),
        weights_path=str(path.resolve()),
        thresholds=kept,
    )
