"""Whose photo is it, by the nearest ones: k-NN accuracy, leave one out and on a split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import UsageError
from indexer.evaluation.similarity import codes_of, lengths_differ, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from indexer.evaluation.records import Features, Metric

    Array = np.ndarray[Any, Any]
    ByK = Mapping[str, float]

METRICS: tuple[Metric, ...] = ("cosine", "euclidean")
NEIGHBOURS = (1, 5)
"""The nearest alone, and the votes of five, as study 000 has them."""

TEST_SHARE = 0.2


@dataclass(frozen=True)
class Classification:
    """Share of photos whose person the nearest photos name, by measure and number of neighbours.

    leave_one_out: each photo of a person with two or more, among all others, those of people with
    one photo included. stratified: a seeded fifth of each such person's photos (at least one, and
    not all), among the rest of them. queries: photos asked for leave one out; tested, trained:
    those of the split. Of equally many votes the nearest one's person wins.
    """

    leave_one_out: Mapping[Metric, ByK]
    stratified: Mapping[Metric, ByK]
    queries: int
    tested: int
    trained: int
    seed: int

    def metrics(self) -> dict[str, Any]:
        """Return the numbers, under the names of `Outcome`; `knn` holds all, the others k = 1."""
        return {
            "knn_leave_one_out": self.leave_one_out["cosine"]["1"],
            "knn_stratified": self.stratified["cosine"]["1"],
            "knn": {
                "leave_one_out": {name: dict(by_k) for name, by_k in self.leave_one_out.items()},
                "stratified": {name: dict(by_k) for name, by_k in self.stratified.items()},
                "queries": self.queries,
                "tested": self.tested,
                "trained": self.trained,
                "seed": self.seed,
            },
        }

    def arrays(self) -> dict[str, Array]:
        """Return nothing: plots need no more than the numbers."""
        return {}


def classify(features: Features, *, seed: int = 0) -> Classification:
    """Name each photo by its nearest ones. Raises UsageError if nobody has two photos."""
    vectors, (codes, counts) = features.vectors, codes_of(features.persons)
    asked = np.flatnonzero(counts[codes] > 1)
    if not len(asked):
        raise UsageError("Nobody has two photos: no photo can be named by another one.")
    train, test = stratified_split(codes, seed=seed)
    most = max(NEIGHBOURS)
    left_out: dict[Metric, ByK] = {}
    split: dict[Metric, ByK] = {}
    # Among vectors of length 1 both measures have the same nearest, and half the work will do.
    one_measure = not lengths_differ(vectors)
    for metric in METRICS:
        if metric == "euclidean" and one_measure:
            left_out[metric], split[metric] = left_out["cosine"], split["cosine"]
            continue
        found = nearest(vectors[asked], vectors, most, metric, own=asked)
        left_out[metric] = _accuracies(np.where(found < 0, -1, codes[found]), codes[asked])
        found = train[nearest(vectors[test], vectors[train], most, metric)]
        split[metric] = _accuracies(codes[found], codes[test])
    return Classification(left_out, split, len(asked), len(test), len(train), seed)


def stratified_split(
    codes: Array, *, share: float = TEST_SHARE, seed: int = 0
) -> tuple[Array, Array]:
    """Return the rows to learn from and those to test, each in order, of people with two or more.

    codes: (n,) ints, whose photo each is. Each person gives `share` of the photos to the test,
    rounded, at least one and at most all but one.
    """
    generator = np.random.default_rng(seed)
    train: list[int] = []
    test: list[int] = []
    for code in np.unique(codes):
        rows = generator.permutation(np.flatnonzero(codes == code)).tolist()
        if len(rows) > 1:
            tested = min(max(1, round(len(rows) * share)), len(rows) - 1)
            test += rows[:tested]
            train += rows[tested:]
    return np.array(sorted(train), np.int64), np.array(sorted(test), np.int64)


def vote(neighbours: Array) -> Array:
    """Return the code that most neighbours have, (n,); of equally many that of the nearest.

    neighbours: (n, k) codes, nearest first.
    """
    votes = (neighbours[:, :, None] == neighbours[:, None, :]).sum(axis=2)
    winner = votes.argmax(axis=1)
    chosen: Array = neighbours[np.arange(len(neighbours)), winner]
    return chosen


def _accuracies(neighbours: Array, truth: Array) -> dict[str, float]:
    return {str(k): float((vote(neighbours[:, :k]) == truth).mean()) for k in NEIGHBOURS}
