"""FaceNet in 8 bits, from a file that `sightings quantise` made."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.embeddings.facenet import (
    ROWS_ON_PROCESSOR,
    VARIANTS,
    FaceNet,
    network_of,
    pixels_of,
)
from indexer.embeddings.preparation import preparation_of_recipe
from indexer.errors import UsageError, WeightsUnavailable
from indexer.inference import Threads, in_parts
from indexer.model_files import read_model_file, write_model_file
from indexer.records import Thresholds
from indexer.weights import sha256_of

if TYPE_CHECKING:
    from indexer.inference import Array, Net
    from indexer.records import ModelIdentity

NAME = "int8"
MADE_BY = "sightings quantise"
FIELDS = ("xml", "weights", "cosines")
FEWEST_FACES = 40
CALIBRATED_SHARE = 0.75  # of the faces; the others tell what is lost


class Int8FaceNet(FaceNet):
    """FaceNet with weights and inner values of 8 bits; it runs on OpenVINO, on the processor."""

    def __init__(self, path: Path, threads: int) -> None:
        """Load a file that `quantise` wrote. Raises WeightsUnavailable if it is none."""
        values, base = read_model_file(path, FIELDS, MADE_BY)
        self.cosines = values["cosines"]
        self._preparation = preparation_of_recipe(base.recipe)
        self.identity = _identity(path, base, self.cosines)
        try:
            self._net = _loaded(values["xml"], values["weights"], threads)
        except RuntimeError as error:  # OpenVINO's only error
            raise WeightsUnavailable(f"{path} cannot be loaded by OpenVINO: {error}") from error


def quantise(base: FaceNet, crops: Array, path: Path, threads: int) -> Int8FaceNet:
    """Write FaceNet in 8 bits to a file, and return it loaded.

    crops: (n, 160, 160, 3) uint8 faces, in any order that mixes people: three of four give the
    ranges of values, the others the cosines of old and new vectors that the model states.
    Raises UsageError for too few faces or if the file is there already, MissingExtra,
    EnvironmentFailure.
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
    network = network_of(Path(base.identity.weights_path), VARIANTS[base.identity.name])
    xml, weights = (as_array(part) for part in quantised(network, pixels_of(crops[:count])))
    rest = crops[count:]
    quantised_base = copy(base)
    quantised_base._net = _loaded(xml, weights, threads)
    cosines = (base.embed(rest) * quantised_base.embed(rest)).sum(axis=1)
    write_model_file(path, base.identity, xml=xml, weights=weights, cosines=cosines)
    return Int8FaceNet(path, threads)


def _loaded(xml: Array, weights: Array, threads: int) -> Net:
    from indexer.openvino_net import load_ir_net

    net = load_ir_net(xml.tobytes(), weights.tobytes(), threads)
    return in_parts(net, ROWS_ON_PROCESSOR, Threads(threads))


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
