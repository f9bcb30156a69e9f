"""Whose photo is it, by the nearest ones: k-NN accuracy, leave one out and on a split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import UsageError
from indexer.evaluation.similarity import (
    codes_of,
    lengths_differ,
    nearest,
    others_of,
    pictures_of,
)

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
    not all), among the rest of them. Copies of a photo never name it, as in `Retrieval`: whose
    photos are copies of one is not asked for, and copies are on the same side of the split.
    queries: photos asked for leave one out; tested, trained: those of the split. Of equally many
    votes the nearest one's person wins.
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
    """Name each photo by its nearest ones. Raises UsageError if nobody has two different photos."""
    vectors, (codes, _) = features.vectors, codes_of(features.persons)
    pictures = pictures_of(vectors)
    asked = np.flatnonzero(others_of(codes, pictures))
    if not len(asked):
        raise UsageError("Nobody has two different photos: no photo can be named by another one.")
    train, test = stratified_split(codes, pictures, seed=seed)
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
        found = nearest(vectors[test], vectors, most, metric, own=test, among=train)
        split[metric] = _accuracies(np.where(found < 0, -1, codes[found]), codes[test])
    return Classification(left_out, split, len(asked), len(test), len(train), seed)


def stratified_split(
    codes: Array, pictures: Array, *, share: float = TEST_SHARE, seed: int = 0
) -> tuple[Array, Array]:
    """Return the rows to learn from and those to test, each in order, of people with two or more.

    codes: (n,) ints, whose photo each is. pictures: (n,) ints, see `similarity.pictures_of`. Each
    person gives `share` of their pictures to the test, rounded, at least one and at most all but
    one, with all copies of them.
    """
    generator = np.random.default_rng(seed)
    train: list[int] = []
    test: list[int] = []
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        _, first = np.unique(pictures[rows], return_index=True)
        shown = generator.permutation(pictures[rows[np.sort(first)]])
        if len(shown) > 1:
            tested = min(max(1, round(len(shown) * share)), len(shown) - 1)
            in_test = np.isin(pictures[rows], shown[:tested])
            test += rows[in_test].tolist()
            train += rows[~in_test].tolist()
    return np.array(sorted(train), np.int64), np.array(sorted(test), np.int64)


def vote(neighbours: Array) -> Array:
    """Return the code that most neighbours have, (n,); of equally many that of the nearest.

    neighbours: (n, k) codes, nearest first; -1 where there is none, which has no vote.
    """
    votes = (neighbours[:, :, None] == neighbours[:, None, :]).sum(axis=2) * (neighbours >= 0)
    winner = votes.argmax(axis=1)
    chosen: Array = neighbours[np.arange(len(neighbours)), winner]
    return chosen


def _accuracies(neighbours: Array, truth: Array) -> dict[str, float]:
    return {str(k): float((vote(neighbours[:, :k]) == truth).mean()) for k in NEIGHBOURS}
