"""From which cosine two faces of a video are taken for one person, by the model that made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from indexer.embeddings.listing import IMAGENET_NAMES

if TYPE_CHECKING:
    import numpy as np

    from indexer.records import ModelIdentity

    Array = np.ndarray[Any, Any]

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
    if model.link_cosine is not None:
        return model.link_cosine
    return UNCALIBRATED_IMAGENET if model.name in IMAGENET_NAMES else UNCALIBRATED


def carried_over(cosine: float, vectors: Array, others: Array) -> float:
    """Return the cosine that as many pairs of other vectors reach as pairs of vectors reach one.

    vectors, others: (n, any dimensions) of the same n faces, of length 1, as two models make them.
    Measured on 2,000 photos of LFW, FaceNet's 0.561 (FAR 1e-3) becomes 0.527 after a PCA to 256
    dimensions and 0.195 after a whitened one, where names give 0.524 and 0.223 for that rate;
    MobileFaceNet's 0.321 becomes 0.392 with 64 of 128 dimensions, where names give 0.394.
    """
    import numpy as np

    pairs = np.triu_indices(len(vectors), 1)
    reached = int(((vectors @ vectors.T)[pairs] >= cosine).sum())
    # Whatever is measured, a pair of equal vectors is linked, and one of opposite ones is not.
    ordered = np.r_[1.0, -np.sort(-(others @ others.T)[pairs]), -1.0]
    return float(ordered[reached : reached + 2].mean())
