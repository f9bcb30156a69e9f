"""From which cosine two faces of a video are taken for one person, by the model that made them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.embeddings.listing import IMAGENET_NAMES

if TYPE_CHECKING:
    from indexer.records import ModelIdentity

UNCALIBRATED = 0.5
"""For models without thresholds: between the cosines of different people and of neighbouring
frames of one person in all face models measured."""

UNCALIBRATED_IMAGENET = 0.87
"""For networks that were not trained on faces, whose cosines are high for any two pictures.

MobileNetV2: 95 % of 363 pairs of one face in neighbouring key frames of five videos reach it, and
fewer than 5 % of the pairs of photos of different people among 601 of LFW; of whole pictures, 99 %
of 225 neighbouring key frames. The other networks were not measured.
"""


def link_cosine(model: ModelIdentity) -> float:
    """Return the cosine from which a model's vectors of neighbouring key frames are linked."""
    if model.verdict_thresholds:
        return model.verdict_thresholds.possible
    return UNCALIBRATED_IMAGENET if model.name in IMAGENET_NAMES else UNCALIBRATED
