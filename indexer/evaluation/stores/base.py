"""What every store of vectors does, whatever keeps them: insert in chunks, find the nearest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from indexer.errors import UsageError

if TYPE_CHECKING:
    from types import TracebackType

    from indexer.evaluation.records import Metric

Neighbours = tuple[np.ndarray, np.ndarray]
"""Rows (m, k) int64 and their scores (m, k) float32, best first; higher is more alike."""

NOBODY = -1
"""The row where a store found fewer than it was asked for; its score is minus infinity."""

UNIT_LENGTH_ERROR = 1e-4
"""By how much the squared length of a vector taken as of length 1 may be off."""


class Store(ABC):
    """Vectors that are searched by one metric; a context manager, which leaves nothing behind.

    Scores are the cosine, or minus the Euclidean distance. name: as `open_store` takes it.
    """

    units_only = False
    """Whether it holds vectors of length 1 alone, and is given them normalised for the cosine."""

    def __init__(self, name: str, dimensions: int, metric: Metric) -> None:
        self.name = name
        self.dimensions = dimensions
        self.metric = metric
        self._count = 0
        self._built = True

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """Return the number of vectors that were inserted."""
        return self._count

    def insert(self, vectors: np.ndarray) -> None:
        """Add vectors, whose rows count on from those there.

        vectors: (n, dimensions) float32, in chunks as large as one likes. Raises UsageError for
        another shape, values that are not finite, vectors of no length where cosines are asked
        for, and where the store cannot hold such vectors; EnvironmentFailure if it fails.
        """
        checked = self._checked(vectors)
        if len(checked):
            self._insert(checked)
            self._count += len(checked)
            self._built = False

    def build(self) -> None:
        """Finish what searches need: an index built, files flushed. `nearest` does so by itself."""
        if not self._built:
            self._build()
            self._built = True

    def nearest(self, queries: np.ndarray, k: int) -> Neighbours:
        """Return the k nearest of each query: rows (m, k) int64, scores (m, k) float32.

        queries: (m, dimensions) float32. Best first; a store that finds fewer says so by rows of
        NOBODY at the end. Raises UsageError for a k that is not from 1 to the number of vectors,
        and as `insert` does.
        """
        if not 1 <= k <= self._count:
            raise UsageError(f"{k} neighbours were asked for, and {self._count} vectors are there.")
        checked = self._checked(queries)
        self.build()
        if not len(checked):
            return np.empty((0, k), np.int64), np.empty((0, k), np.float32)
        return self._nearest(checked, k)

    def server(self) -> str | None:
        """Return the server that keeps the vectors, with its version; None if there is none.

        Raises EnvironmentFailure if it does not say.
        """
        return None

    def close(self) -> None:  # noqa: B027  # there may be nothing to let go of
        """End what the store has started and delete what it has written; twice does no harm."""

    @abstractmethod
    def _insert(self, vectors: np.ndarray) -> None:
        """Add vectors that were checked; their first row is the number of those there."""

    def _build(self) -> None:  # noqa: B027  # there may be nothing to do
        """Finish what searches need."""

    @abstractmethod
    def _nearest(self, queries: np.ndarray, k: int) -> Neighbours:
        """Search for queries that were checked, at least one."""

    def _checked(self, vectors: np.ndarray) -> np.ndarray:
        floats = np.ascontiguousarray(vectors, np.float32)
        if floats.ndim != 2 or floats.shape[1] != self.dimensions:
            raise UsageError(
                f"Vectors have shape {floats.shape}; this store's are (n, {self.dimensions})."
            )
        if not np.isfinite(floats).all():
            raise UsageError("Vectors have values that are not finite.")
        lengths = np.linalg.norm(floats.astype(np.float64), axis=1, keepdims=True)
        if self.metric == "cosine":
            if not lengths.all():
                raise UsageError("A vector has no length, so it has no cosine to others.")
            return np.asarray(floats / lengths, np.float32) if self.units_only else floats
        if self.units_only and (abs(lengths**2 - 1) > UNIT_LENGTH_ERROR).any():
            raise UsageError(
                f"{self.name} holds vectors of length 1 alone, and these are not, so it has no "
                "Euclidean distances between them. Use the cosine, or another store."
            )
        return floats


def padded(found: list[tuple[list[int], list[float]]], k: int) -> Neighbours:
    """Return what was found for each query, rows and scores, as arrays of k columns."""
    rows = np.full((len(found), k), NOBODY, np.int64)
    scores = np.full((len(found), k), -np.inf, np.float32)
    for n, (of_query, their_scores) in enumerate(found):
        rows[n, : len(of_query)] = of_query
        scores[n, : len(of_query)] = their_scores
    return rows, scores
