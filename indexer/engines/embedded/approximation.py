"""Cosines that are known up to an error, and what bounds the error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from indexer.engines.checks import exact_cosines

RESCORED_TOGETHER = 4096


@dataclass(frozen=True)
class Approximation:
    """What the highest cosine of each of n faces to any query can be.

    scores: (n,) float32, each off by no more than its error; errors: (n,) float32.
    """

    scores: np.ndarray
    errors: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def may_reach(self, score: float) -> np.ndarray:
        """Return the indices of all faces whose exact score may be at least `score`, ascending."""
        return np.flatnonzero(self.scores + self.errors >= np.float32(score))

    def best(self, count: int) -> np.ndarray:
        """Return the indices of `count` faces that seem the best, in no order; all if fewer."""
        if count >= len(self):
            return np.arange(len(self))
        return np.argpartition(self.scores, len(self) - count)[len(self) - count :]


def rounding(queries: np.ndarray) -> float:
    """Return what float32 may lose of a product of any query with a vector of length 1.

    Sums of n products are off by at most n u / (1 - n u) of the factors' lengths, in any order,
    where u is 2**-24: twice that is allowed here. The rest is for the few steps around a sum, the
    rounding of exact scores to float32 included.
    """
    longest = float(np.linalg.norm(queries.astype(np.float64), axis=1).max(initial=0.0))
    return int(queries.shape[1]) * 2.0**-23 * longest + 2e-6 * max(longest, 1.0)


def best_cosines(vectors: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Return the highest exact cosine of each vector to any query, (n,) float32 in [-1, 1].

    vectors: (n, dimensions) float32 of length 1, queries: (queries, dimensions) float32.
    """
    best = np.full(len(vectors), -1.0, np.float32)
    for start in range(0, len(vectors), RESCORED_TOGETHER):
        part = vectors[start : start + RESCORED_TOGETHER]
        if len(queries) == 1:
            best[start : start + len(part)] = exact_cosines(part, queries)
            continue
        products = part @ queries.T
        # Exactly: only the queries that may be a vector's nearest.
        least = products.max(axis=1, keepdims=True) - 2.0 * rounding(queries)
        rows, which = np.nonzero(products >= least)
        for some in range(0, len(rows), RESCORED_TOGETHER):
            pairs = slice(some, some + RESCORED_TOGETHER)
            cosines = exact_cosines(part[rows[pairs]], queries[which[pairs]])
            np.maximum.at(best, start + rows[pairs], cosines)
    return best
