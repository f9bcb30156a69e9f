"""A card: the small JSON file that says how a face-embedding network in ONNX wants its faces."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from indexer.embeddings.listing import IMAGENET_NAMES
from indexer.errors import UsageError
from indexer.placing import place_text
from indexer.records import Thresholds  # noqa: TC001 (pydantic reads Card's types when it runs)

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.records import ModelIdentity

RESERVED_NAMES = ("facenet", "facenet-casia", "dlib", "pca", "int8", *IMAGENET_NAMES)
Channels = tuple[float, float, float]


@dataclass(frozen=True)
class Margin:
    """A box with a margin, in pixels of the network's input, stretched to a square."""

    margin: float


@dataclass(frozen=True)
class Card:
    """How a network wants its faces, and what is known of it; the JSON has the same fields.

    input_size: side of the square input in pixels. alignment: `arcface` (five landmarks brought to
    the ArcFace template) or {"margin": PIXELS}. dimensions: of the vectors. name: of the model.
    scale, offset: the network is given x * scale + offset for a channel's value x in 0..255, or
    with mean and std instead (x - mean) / std; each is a number, or three in the colour order.
    flip: whether the vectors of the face and of its mirror image are summed. thresholds: cosines
    {"possible", "same_person"} and the "basis" on which they hold; without them no verdicts.
    Raises ValueError if values contradict each other.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    input_size: int
    alignment: Literal["arcface"] | Margin
    dimensions: int
    licence: str
    name: str = "onnx"
    colour_order: Literal["RGB", "BGR"] = "RGB"
    scale: float | Channels | None = None
    offset: float | Channels | None = None
    mean: float | Channels | None = None
    std: float | Channels | None = None
    flip: bool = False
    thresholds: Thresholds | None = None

    def __post_init__(self) -> None:
        if self.input_size < 1 or self.dimensions < 1:
            raise ValueError("input_size and dimensions must be positive")
        if self.name in RESERVED_NAMES:
            raise ValueError(f"the name {self.name} is another model's")
        if isinstance(self.alignment, Margin) and not 0 <= self.alignment.margin < self.input_size:
            raise ValueError("the margin must be at least 0 and less than input_size")
        if (self.scale, self.offset) != (None, None) and (self.mean, self.std) != (None, None):
            raise ValueError("scale and offset exclude mean and std")
        if 0 in _channels(self.std, 1.0) + _channels(self.scale, 1.0):
            raise ValueError("std and scale must not be 0")

    @property
    def scaling(self) -> tuple[Channels, Channels]:
        """Factor and summand of each channel, in the colour order."""
        if (self.mean, self.std) == (None, None):
            return _channels(self.scale, 1.0), _channels(self.offset, 0.0)
        mean, std = _channels(self.mean, 0.0), _channels(self.std, 1.0)
        factors = 1 / std[0], 1 / std[1], 1 / std[2]
        # Subtracting from zero, as a negated zero would be written as another recipe.
        return factors, (0 - mean[0] / std[0], 0 - mean[1] / std[1], 0 - mean[2] / std[2])

    @property
    def recipe(self) -> str:
        """What decides the vectors besides the weights, as JSON that `of_identity` reads."""
        scale, offset = self.scaling
        recipe = {
            "alignment": asdict(self.alignment)
            if isinstance(self.alignment, Margin)
            else self.alignment,
            "colour_order": self.colour_order,
            "flip": self.flip,
            "input_size": self.input_size,
            "offset": offset,
            "scale": scale,
        }
        return json.dumps(recipe)


def card_of(network: Path, card: str = "") -> Path:
    """Return where a network's card is: the one that is given, or PATH with the suffix .json.

    Raises UsageError for a path without a name, such as a folder's `.`.
    """
    from pathlib import Path

    if card:
        return Path(card).expanduser()
    if not network.name:
        raise UsageError(f"{network} is no ONNX network: give --model onnx:PATH, a file.")
    return network.with_suffix(".json")


def read_card(path: Path) -> Card:
    """Read a card. Raises UsageError that names the file and what is wrong in it."""
    try:
        return _parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no card {path}. An ONNX network needs one beside it, or given with "
            "--model 'onnx:PATH?card=CARD.json'; indexer/embeddings/card.py lists its fields."
        ) from error
    except (OSError, ValueError) as error:
        raise UsageError(f"The card {path} cannot be used: {error}.") from error


def write_thresholds(path: Path, identity: ModelIdentity, thresholds: Thresholds) -> None:
    """Put thresholds into the card of a model, whose other fields stay as they are written.

    Raises UsageError if the card cannot be used, or is not that of the model, EnvironmentFailure if
    it cannot be written.
    """
    card = read_card(path)
    if (card.name, card.recipe, card.dimensions) != (
        identity.name,
        identity.recipe,
        identity.dimensions,
    ):
        raise UsageError(
            f"The card {path} is that of {card.name}, with {card.dimensions} dimensions, and the "
            f"thresholds are of {identity.key}, whose faces are cut or scaled in another way, or "
            "which is another model. Give the card with which the index was made."
        )
    fields = json.loads(path.read_text(encoding="utf-8")) | {"thresholds": asdict(thresholds)}
    place_text(path, json.dumps(fields, indent=2, ensure_ascii=False) + "\n")


def of_identity(identity: ModelIdentity) -> Card:
    """Return the card with which an index's embeddings were made; it is kept in their recipe.

    Raises ValueError if the recipe is none of a card.
    """
    fields = json.loads(identity.recipe) | {
        "name": identity.name,
        "dimensions": identity.dimensions,
        "licence": identity.licence,
    }
    return replace(_parsed(json.dumps(fields)), thresholds=identity.thresholds)


def _parsed(text: str) -> Card:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Card).validate_json(text, strict=True)
    except ValidationError as error:
        faults = (
            ": ".join([".".join(map(str, fault["loc"])), fault["msg"]]).removeprefix(": ")
            for fault in error.errors()
        )
        raise ValueError("; ".join(faults)) from error


def _channels(value: float | Channels | None, default: float) -> Channels:
    if isinstance(value, tuple):
        return value
    each = default if value is None else value
    return each, each, each
