"""Features -> what is measured of them: the metrics and arrays of an outcome."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.evaluation.all_pairs import compare_all
from indexer.evaluation.classification import classify
from indexer.evaluation.groups import compare_groups
from indexer.evaluation.photo_folder import person_of
from indexer.evaluation.retrieval import TOP, retrieve
from indexer.evaluation.similarity import codes_of, pictures_of
from indexer.evaluation.verification import verify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.evaluation.groups import Attributes
    from indexer.evaluation.matrix import Measure
    from indexer.evaluation.records import Features, Metric, Pair
    from indexer.evaluation.storing import Stored
    from indexer.records import ModelIdentity

    Array = np.ndarray[Any, Any]

MAP_PEOPLE, MAP_PHOTOS = 12, 20
"""How many of the most photographed people a map shows, and of how many photos of each."""


class Measured:
    """Metrics and arrays, under the names of `Outcome`, as they come together.

    faces_looked_for: False where whole pictures were embedded, so that none could be missing.
    """

    def __init__(self, features: Features, *, faces_looked_for: bool = True) -> None:
        self._features = features
        photos = len(features.names) + len(features.missing)
        self.metrics: dict[str, Any] = {
            "photos": photos,
            "people": len({person_of(name) for name in features.names + features.missing}),
            "detection_rate": len(features.names) / photos if faces_looked_for else None,
            "dimensions": int(features.vectors.shape[1]),
        }
        self.arrays: dict[str, Array] = {
            "names": np.array(features.names, dtype=str),
            "persons": np.array(features.persons, dtype=str),
        }

    def take(
        self,
        measures: Sequence[Measure],
        *,
        pairs: Sequence[Pair],
        metric: Metric,
        stored: Stored | None,
        seed: int,
    ) -> None:
        """Take measures; without pairs there is no verification.

        metric: by which neighbours are near. stored: what a store found, if one was asked.
        Raises UsageError for features that a measure cannot be taken of.
        """
        if "verification" in measures and pairs:
            self._add(verify(self._features, pairs))
        if "all-pairs" in measures:
            self._add(compare_all(self._features.vectors, self._features.persons))
        if "retrieval" in measures:
            neighbours = stored.neighbours if stored else None
            self._add(retrieve(self._features, neighbours, None, TOP, metric))
            if stored:
                self.metrics["store"] = stored.metrics()
            self._add_map()
        if "classification" in measures:
            self._add(classify(self._features, seed=seed))

    def compare_groups(self, attributes: Attributes, identity: ModelIdentity | None) -> None:
        """Compare groups at the model's threshold `possible`, or at FAR 1e-3 of all pairs.

        `by_group` is empty where there is neither: the photos make too few pairs.
        identity: what made the vectors as they are; None for others, and for reduced ones.
        """
        threshold = identity.thresholds.possible if identity and identity.thresholds else None
        if threshold is None:
            known = (
                self.metrics.get("all_pairs")
                or compare_all(self._features.vectors, self._features.persons).metrics()[
                    "all_pairs"
                ]
            )
            threshold = known["threshold_at_far"]["1e-3"]
        if threshold is None:
            self.metrics["by_group"] = []
            return
        self.metrics["by_group_threshold"] = threshold
        self._add(compare_groups(self._features, attributes, threshold))

    def _add(self, result: Any) -> None:
        self.metrics |= result.metrics()
        self.arrays |= result.arrays()

    def _add_map(self) -> None:
        """Add the vectors of the most photographed people, the first photos of each."""
        codes, counts = codes_of(self._features.persons)
        most = np.argsort(-counts, kind="stable")[:MAP_PEOPLE]
        rows = np.concatenate([np.flatnonzero(codes == code)[:MAP_PHOTOS] for code in most])
        self.arrays["map_rows"] = rows
        self.arrays["map_vectors"] = self._features.vectors[rows]


def with_reduction(features: Features, dimensions: int, *, whiten: bool) -> Features:
    """Return features whose vectors are reduced by a PCA that is fitted on them.

    Raises UsageError for more dimensions than the vectors, or their number, allow.
    """
    from indexer.reduction import fit

    reduction = fit(features.vectors, dimensions, whiten=whiten)
    # Products of matrices round differently by row: what was equal is to stay so.
    _, firsts, own = np.unique(
        pictures_of(features.vectors), return_index=True, return_inverse=True
    )
    return replace(features, vectors=reduction.apply(features.vectors)[firsts[own.reshape(-1)]])
