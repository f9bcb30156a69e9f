"""How FaceNet is given its faces: which part of the picture, and whether with the mirror image."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args
from urllib.parse import parse_qsl

from indexer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

CROP_PX = 160
# Measured on 3,075 LFW photos of 802 people, as the share of pairs of one person accepted at
# false-accept rate 1e-4: margins 14, 24, 32 and 44 gave 0.820, 0.821, 0.824 and 0.811, and with the
# mirror image's vector added 0.829, 0.829, 0.835 and 0.822.
MARGIN_PX = 32
LARGEST_MARGIN_PX = CROP_PX // 2

Crop = Literal["region", "aligned"]
OPTIONS = "?crop=region|aligned&margin=PIXELS&mirror=yes|no"
_YES = {"yes": True, "no": False}
_REGION, _ALIGNED = "MTCNN box", "five landmarks to the ArcFace template"
_RECIPE = re.compile(
    rf"({_REGION}|{_ALIGNED}), margin (\d+) at {CROP_PX} px, "
    r"RGB, \(x - 127\.5\) / 128(, mirror sum)?"
)


@dataclass(frozen=True)
class Preparation:
    """What is done to a face before FaceNet sees it, as a model's spec says after a `?`.

    crop: `region`, the box stretched to a square, or `aligned`, five landmarks brought to the
    ArcFace template. margin_px: of both sides together, in pixels of the crop: around the box,
    or around the template. mirror: whether the mirror image's vector is added.
    """

    crop: Crop = "region"
    margin_px: int = MARGIN_PX
    mirror: bool = True

    @property
    def recipe(self) -> str:
        """What an index keeps of it; `preparation_of_recipe` reads it."""
        begun = _REGION if self.crop == "region" else _ALIGNED
        return (
            f"{begun}, margin {self.margin_px} at {CROP_PX} px, RGB, (x - 127.5) / 128"
            f"{', mirror sum' if self.mirror else ''}"
        )


def preparation_of(options: str) -> Preparation:
    """Read what stands after the `?` of a spec, e.g. `margin=14&mirror=no`; empty: the default.

    Raises UsageError, which names what is wrong and what can be given.
    """
    chosen: dict[str, str] = {}
    try:
        given = parse_qsl(options, keep_blank_values=True, strict_parsing=bool(options))
    except ValueError as error:
        raise _refused(f"{options!r} is none of FaceNet's options") from error
    for name, value in given:
        if name in chosen:
            raise _refused(f"{name} is given twice")
        chosen[name] = value
    if unknown := chosen.keys() - {"crop", "margin", "mirror"}:
        raise _refused(f"FaceNet has no option {min(unknown)!r}")
    margin = chosen.get("margin", str(MARGIN_PX))
    if not (margin.isascii() and margin.isdigit() and int(margin[:4]) <= LARGEST_MARGIN_PX):
        raise _refused(f"margin={margin} is no whole number from 0 to {LARGEST_MARGIN_PX}")
    crops: Iterable[Crop] = get_args(Crop)
    crop = next((each for each in crops if each == chosen.get("crop", "region")), None)
    if crop is None:
        raise _refused(f"there is no crop {chosen['crop']!r}")
    if chosen.get("mirror", "yes") not in _YES:
        raise _refused(f"mirror={chosen['mirror']} is neither yes nor no")
    return Preparation(crop, int(margin), _YES[chosen.get("mirror", "yes")])


def preparation_of_recipe(recipe: str) -> Preparation:
    """Return the preparation that an index's recipe begins with; the default for another recipe."""
    found = _RECIPE.match(recipe)
    if not found:
        return Preparation()
    crop: Crop = "region" if found[1] == _REGION else "aligned"
    return Preparation(crop, int(found[2]), mirror=found[3] is not None)


def _refused(what: str) -> UsageError:
    return UsageError(f"{what}: give facenet{OPTIONS}, or a part of these options.")
