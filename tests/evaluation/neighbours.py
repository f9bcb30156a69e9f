"""Made-up vectors, the neighbours they have, and what a store is held to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from indexer.evaluation.records import Metric
    from indexer.evaluation.stores.base import Neighbours, Store

DIMENSIONS, K = 64, 20


def made_up_vectors() -> np.ndarray:
    """People as clusters on the sphere, (600, 64) float32 of length 1, all different."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((60, 1, DIMENSIONS))
    around = centres + 0.7 * rng.standard_normal((60, 10, DIMENSIONS))
    return unit(around.reshape(-1, DIMENSIONS))


def queries_near(vectors: np.ndarray) -> np.ndarray:
    """Vectors that are not among them, but for the first, (20, 64) float32 of length 1."""
    noise = np.random.default_rng(1).standard_normal((20, DIMENSIONS)) / 20
    noise[0] = 0
    return unit(vectors[::30] + noise)


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def expected(vectors: np.ndarray, queries: np.ndarray, metric: Metric) -> Neighbours:
    """The neighbours and their scores, by a full sort in float64."""
    wide, asked = vectors.astype(np.float64), queries.astype(np.float64)
    if metric == "cosine":
        lengths = np.linalg.norm(asked, axis=1)[:, None] * np.linalg.norm(wide, axis=1)
        scores = asked @ wide.T / lengths
    else:
        scores = -np.linalg.norm(asked[:, None] - wide, axis=2)
    rows = np.argsort(-scores, axis=1, kind="stable")[:, :K]
    return rows, np.take_along_axis(scores, rows, axis=1)


def recall(rows: np.ndarray, wanted: np.ndarray) -> float:
    found = [len(set(a) & set(b)) for a, b in zip(rows.tolist(), wanted.tolist(), strict=True)]
    return sum(found) / wanted.size


def insert_in_chunks(store: Store, vectors: np.ndarray) -> None:
    for start, end in ((0, 1), (1, 250), (250, 250), (250, len(vectors))):
        store.insert(vectors[start:end])


def check(
    store: Store, vectors: np.ndarray, queries: np.ndarray, *, least_recall: float = 1.0
) -> None:
    """Hold a store to the neighbours there are; where all are wanted, to their order and scores."""
    insert_in_chunks(store, vectors)
    assert len(store) == len(vectors)
    rows, scores = store.nearest(queries, K)
    assert (rows.shape, rows.dtype, scores.dtype) == ((len(queries), K), np.int64, np.float32)
    assert (np.diff(scores, axis=1) <= 0).all()
    wanted, their_scores = expected(vectors, queries, store.metric)
    if least_recall < 1:
        assert recall(rows, wanted) >= least_recall
        return
    assert (rows == wanted).all()
    # The root of a difference of two numbers near 1 keeps half of float32's digits.
    tolerance = 1e-3 if store.metric == "euclidean" else 1e-5
    assert (abs(scores - their_scores) <= tolerance * np.maximum(1, abs(their_scores))).all()
