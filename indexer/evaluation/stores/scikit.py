"""scikit-learn's NearestNeighbors by brute force, as studies 000 and 004 search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import MissingExtra
from indexer.evaluation.stores.base import Store

if TYPE_CHECKING:
    from indexer.evaluation.records import Metric
    from indexer.evaluation.stores.base import Neighbours


class ScikitStore(Store):
    """Vectors in memory; they are given to scikit-learn all at once, when it is to search."""

    def __init__(self, name: str, dimensions: int, metric: Metric) -> None:
        super().__init__(name, dimensions, metric)
        try:
            from sklearn.neighbors import NearestNeighbors
        except ImportError as error:
            raise MissingExtra(f"The store {name}", "evaluate") from error
        self._searcher: Any = NearestNeighbors(algorithm="brute", metric=metric)
        self._chunks: list[np.ndarray] = []

    def _insert(self, vectors: np.ndarray) -> None:
        self._chunks.append(vectors.copy())

    def _build(self) -> None:
        self._chunks = [np.concatenate(self._chunks)]
        self._searcher.fit(self._chunks[0])

    def _nearest(self, queries: np.ndarray, k: int) -> Neighbours:
        distances, rows = self._searcher.kneighbors(queries, k)
        scores = 1 - distances if self.metric == "cosine" else -distances
        return rows.astype(np.int64), scores.astype(np.float32)
