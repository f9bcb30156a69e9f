"""Which faces and media are the best: exactly, although few cosines are computed exactly.

What is left out cannot be among the best, because even the highest score that its error allows is
below one that so many others have for certain. Ties are never cut: all of them are returned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.engines.embedded.approximation import Approximation

    Exact = Callable[[np.ndarray], np.ndarray]

_FACES_OF_GROUP = 16
"""Faces that are looked at for each media wanted, before the best face of every media is."""


class _Rescored:
    """Exact scores by index, each computed once; as float64, for comparisons without rounding."""

    def __init__(self, exact: Exact, count: int) -> None:
        self._exact = exact
        self._scores = np.full(count, np.nan)

    def __call__(self, indices: np.ndarray) -> np.ndarray:
        new = indices[np.isnan(self._scores[indices])]
        if len(new):
            self._scores[new] = self._exact(new)
        return np.asarray(self._scores[indices])


def best_faces(approximation: Approximation, k: int, exact: Exact) -> tuple[np.ndarray, np.ndarray]:
    """Return indices and exact scores of all faces that score as high as the k-th best.

    k: at least 1. exact: gives the exact scores of the faces at some indices, float32.
    """
    rescored = _Rescored(exact, len(approximation))
    near = first = approximation.best(k)
    if len(first) == k:
        near = approximation.may_reach(rescored(first).min())
    scores = rescored(near)
    kept = scores >= kth_best(scores, k)
    return near[kept], scores[kept]


def best_groups(
    approximation: Approximation,
    media: np.ndarray,
    groups: int,
    exact: Exact,
    *,
    min_score: float,
    span_score: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return indices and exact scores of the hits of the best media.

    Those are all media whose best face scores as high as the `groups`-th best media's and at
    least `min_score`; of each, the faces from `span_score` up, and in any case the best ones.
    media: (n,) int, each face's. groups: at least 1.
    """
    rescored = _Rescored(exact, len(approximation))
    near = approximation.may_reach(min_score)
    leaders = _leaders(approximation, media, near, groups)
    if len(leaders) == groups:
        near = approximation.may_reach(max(min_score, rescored(leaders).min()))
    near = _perhaps_the_best_of_their_media(approximation, media, near)
    best = np.full(media.max(initial=-1) + 1, -np.inf)
    np.maximum.at(best, media[near], rescored(near))
    chosen = best >= max(kth_best(best, groups), min_score)
    spans = approximation.may_reach(span_score)
    hits = np.union1d(near[chosen[media[near]]], spans[chosen[media[spans]]])
    scores = rescored(hits)
    kept = (scores >= span_score) | (scores >= best[media[hits]])
    return hits[kept], scores[kept]


def _leaders(
    approximation: Approximation, media: np.ndarray, near: np.ndarray, groups: int
) -> np.ndarray:
    """Return the indices of faces of `groups` different media that seem the best; fewer if few.

    Any faces would do; the better they are, the less there is to rescore. near: those that count.
    """
    scores = approximation.scores[near]
    some = near
    if len(near) > _FACES_OF_GROUP * groups:
        some = near[np.argpartition(scores, -_FACES_OF_GROUP * groups)[-_FACES_OF_GROUP * groups :]]
    leaders = _first_of_each(approximation, media, some)
    if len(leaders) < groups and len(some) < len(near):
        best = np.full(media.max() + 1, -np.inf, np.float32)
        np.maximum.at(best, media[near], scores)
        leaders = _first_of_each(approximation, media, near[scores == best[media[near]]])
    by_score = np.argsort(-approximation.scores[leaders], kind="stable")
    return np.asarray(leaders[by_score[:groups]])


def _perhaps_the_best_of_their_media(
    approximation: Approximation, media: np.ndarray, near: np.ndarray
) -> np.ndarray:
    """Return those of the faces than which no other of their media is better for certain."""
    scores, errors = approximation.scores[near], approximation.errors[near]
    certain = np.full(media.max(initial=-1) + 1, -np.inf, np.float32)
    np.maximum.at(certain, media[near], scores - errors)
    return np.asarray(near[scores + errors >= certain[media[near]]])


def _first_of_each(
    approximation: Approximation, media: np.ndarray, indices: np.ndarray
) -> np.ndarray:
    """Return the index of the face of each media that seems the best."""
    best_first = indices[np.argsort(-approximation.scores[indices], kind="stable")]
    return np.asarray(best_first[np.unique(media[best_first], return_index=True)[1]])


def kth_best(scores: np.ndarray, k: int) -> float:
    """Return the k-th highest score, the lowest if there are fewer; minus infinity of none."""
    if len(scores) == 0:
        return -np.inf
    at = max(len(scores) - k, 0)
    return float(np.partition(scores, at)[at])
