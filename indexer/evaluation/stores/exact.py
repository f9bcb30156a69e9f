"""The reference: every vector compared with numpy, in float64."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer.evaluation.stores.base import Store

if TYPE_CHECKING:
    from indexer.evaluation.records import Metric
    from indexer.evaluation.stores.base import Neighbours

_SCORES_TOGETHER = 1 << 23
"""Scores computed at a time: 64 MB."""

_VECTORS_TOGETHER = 4096
"""Vectors made float64 at a time: 16 MB at 512 dimensions."""


class ExactStore(Store):
    """Vectors in memory; of equal scores the lower row comes first."""

    def __init__(self, name: str, dimensions: int, metric: Metric) -> None:
        super().__init__(name, dimensions, metric)
        self._chunks: list[np.ndarray] = []

    def _insert(self, vectors: np.ndarray) -> None:
        self._chunks.append(vectors.copy())

    def _build(self) -> None:
        self._chunks = [np.concatenate(self._chunks)]

    def _nearest(self, queries: np.ndarray, k: int) -> Neighbours:
        rows = np.empty((len(queries), k), np.int64)
        scores = np.empty((len(queries), k), np.float32)
        together = max(1, _SCORES_TOGETHER // len(self))
        for start in range(0, len(queries), together):
            some = self._scores(queries[start : start + together].astype(np.float64))
            for n, of_query in enumerate(some, start):
                rows[n] = _best(of_query, k)
                scores[n] = of_query[rows[n]]
        return rows, scores

    def _scores(self, queries: np.ndarray) -> np.ndarray:
        """Return the score of each query (m, d) float64 with each vector, (m, n) float64."""
        (vectors,) = self._chunks
        scores = np.empty((len(queries), len(vectors)))
        for start in range(0, len(vectors), _VECTORS_TOGETHER):
            block = slice(start, start + _VECTORS_TOGETHER)
            scores[:, block] = _compared(queries, vectors[block].astype(np.float64), self.metric)
        return scores

    def close(self) -> None:
        """Let go of the vectors."""
        self._chunks, self._count = [], 0


def _compared(queries: np.ndarray, vectors: np.ndarray, metric: Metric) -> np.ndarray:
    products = queries @ vectors.T
    of_queries, of_vectors = (queries**2).sum(axis=1), (vectors**2).sum(axis=1)
    if metric == "cosine":
        return np.asarray(products / np.sqrt(np.outer(of_queries, of_vectors)))
    squares = of_queries[:, None] + of_vectors[None] - 2 * products
    return np.asarray(-np.sqrt(squares.clip(min=0)))


def _best(scores: np.ndarray, k: int) -> np.ndarray:
    """Return the k rows of the highest scores, (k,) int64; equal ones in order of row."""
    at_least = np.partition(scores, -k)[-k]
    rows = np.flatnonzero(scores >= at_least)
    return rows[np.argsort(-scores[rows], kind="stable")][:k]
