"""What a search gives: how many of the first results show the person that was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import UsageError
from indexer.evaluation.similarity import (
    codes_of,
    exclude,
    others_of,
    pictures_of,
    ranked,
    similarity_blocks,
    unit,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from indexer.evaluation.records import Features, Metric

    Array = np.ndarray[Any, Any]

TOP = 20
"""Results of a search; the studies show their 20 nearest."""

RECALL_AT = (1, 5, 20)

BANDS: tuple[tuple[int, int | None], ...] = ((2, 3), (4, 7), (8, 15), (16, 63), (64, None))
"""Numbers of photos that a person has, from and to."""


@dataclass(frozen=True)
class Retrieval:
    """Results for every photo of a person with two photos or more.

    Neither the photo itself nor a copy of it ever counts, nor is a query whose person has no other
    photos than copies; copies: how many photos are one of an earlier photo.

    All means are over queries, so that the most photographed people weigh most: see `by_photos`.
    top20, top20_of_existing: mean share of the first k results that are right, of k and of as many
    as there can be (the lesser of k and the person's other photos). mean_average_precision: over
    the whole exact ranking. recall_at: share of queries with a right one among the first k.
    neighbours: (n, k) rows of the features, best first, -1 where there was none; scores: (n, k)
    float32, cosines or Euclidean distances, nan there. average_precision: (n,) float64, nan for
    the only photo of a person.
    """

    k: int
    queries: int
    copies: int
    top: float
    top_of_existing: float
    mean_average_precision: float
    recall_at: dict[str, float]
    by_photos: tuple[dict[str, Any], ...]
    neighbours: Array = field(repr=False)
    scores: Array = field(repr=False)
    average_precision: Array = field(repr=False)

    def metrics(self) -> dict[str, Any]:
        """Return the numbers, under the names of `Outcome`."""
        return {
            f"top{self.k}": self.top,
            f"top{self.k}_of_existing": self.top_of_existing,
            "map": self.mean_average_precision,
            "recall_at": dict(self.recall_at),
            "queries": self.queries,
            "copies": self.copies,
            "by_photos": [dict(band) for band in self.by_photos],
        }

    def arrays(self) -> dict[str, Array]:
        """Return what plots and contact sheets need, under the names of `Outcome`."""
        return {
            "neighbours": self.neighbours,
            "neighbour_scores": self.scores,
            "average_precision": self.average_precision,
        }


def retrieve(
    features: Features,
    neighbours: Array | None = None,
    scores: Array | None = None,
    k: int = TOP,
    metric: Metric = "cosine",
) -> Retrieval:
    """Search for each photo among all others.

    neighbours: (n, k) rows that a store returned for each photo, best first, -1 where it had none
    left; without them the exact ones, of equal ones the first row first. scores: theirs; without
    them they are computed. The exact ranking gives the average precision in any case.
    Raises UsageError if nobody has two photos, and for neighbours of another shape, beyond the
    photos, or twice in a row.
    """
    codes, _ = codes_of(features.persons)
    pictures = pictures_of(features.vectors)
    others = others_of(codes, pictures)
    if not (others > 0).any():
        raise UsageError(
            "Nobody has two different photos: there is nothing that a search could find."
        )
    if neighbours is not None:
        _check(neighbours, len(codes), k)
    exact, precision = _exact(features.vectors, codes, pictures, others, k, metric)
    if neighbours is None:
        neighbours, scores = exact, None
    if scores is None:
        scores = _scores(features.vectors, neighbours, metric)
    right = _right(neighbours, codes, pictures)
    asked = others > 0
    of_existing = right.sum(axis=1)[asked] / np.minimum(others[asked], k)
    return Retrieval(
        k=k,
        queries=int(asked.sum()),
        copies=len(pictures) - len(np.unique(pictures)),
        top=float(right[asked].sum(axis=1).mean() / k),
        top_of_existing=float(of_existing.mean()),
        mean_average_precision=float(precision[asked].mean()),
        recall_at={
            str(first): float(right[asked, :first].any(axis=1).mean())
            for first in RECALL_AT
            if first <= k
        },
        by_photos=_by_photos(
            codes[asked],
            others[asked] + 1,
            {f"top{k}_of_existing": of_existing, "map": precision[asked]},
        ),
        neighbours=neighbours,
        scores=np.asarray(scores, np.float32),
        average_precision=precision,
    )


def _exact(
    vectors: Array, codes: Array, pictures: Array, others: Array, k: int, metric: Metric
) -> tuple[Array, Array]:
    """Return the k nearest of each row, and its average precision over all other pictures."""
    count = len(codes)
    left = count - np.bincount(pictures)[pictures]
    neighbours, precision = np.full((count, k), -1, np.int64), np.full(count, np.nan)
    for start, similarities in similarity_blocks(vectors, vectors, metric):
        block = np.arange(start, start + len(similarities))
        exclude(similarities, pictures, block)
        rankings = ranked(similarities)
        there = np.arange(count) < left[block, None]  # the query and its copies are the last
        neighbours[block, : min(k, count)] = np.where(there, rankings, -1)[:, :k]
        right = there & (codes[rankings] == codes[block, None])
        for query in block[others[block] > 0]:
            places = np.flatnonzero(right[query - start]) + 1
            precision[query] = (np.arange(1, len(places) + 1) / places).mean()
    return neighbours, precision


def _scores(vectors: Array, neighbours: Array, metric: Metric) -> Array:
    """Return how alike each row and its neighbours are, nan where there is none."""
    vectors = unit(vectors) if metric == "cosine" else vectors
    scores = np.full(neighbours.shape, np.nan, np.float32)
    for rank in range(neighbours.shape[1]):
        rows = np.flatnonzero(neighbours[:, rank] >= 0)
        ours, theirs = vectors[rows], vectors[neighbours[rows, rank]]
        if metric == "cosine":
            scores[rows, rank] = (ours * theirs).sum(axis=1).clip(-1.0, 1.0)
        else:
            scores[rows, rank] = np.linalg.norm(ours - theirs, axis=1)
    return scores


def _right(neighbours: Array, codes: Array, pictures: Array) -> Array:
    """Return which neighbours show the query's person in another picture, (n, k) bool."""
    others = (neighbours >= 0) & (pictures[neighbours] != pictures[:, None])
    right: Array = others & (codes[neighbours] == codes[:, None])
    return right


def _check(neighbours: Array, count: int, k: int) -> None:
    fault = None
    if neighbours.shape != (count, k) or neighbours.dtype.kind != "i":
        fault = f"are {neighbours.shape} {neighbours.dtype}, not ({count}, {k}) whole numbers"
    elif neighbours.min(initial=-1) < -1 or neighbours.max(initial=-1) >= count:
        fault = f"name rows beyond the {count} photos"
    else:
        ordered = np.sort(neighbours, axis=1)
        if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
            fault = "name a photo twice for one query"
    if fault:
        raise UsageError(f"The neighbours that the store returned {fault}.")


def _by_photos(
    codes: Array, photos: Array, values: Mapping[str, Array]
) -> tuple[dict[str, Any], ...]:
    """Return the means for people with few photos and with many; bands without any are left out."""
    bands = []
    for least, most in BANDS:
        inside = (photos >= least) & (photos <= (most or np.inf))
        if inside.any():
            bands.append(
                {
                    "photos": f"{least}-{most}" if most else f"{least}+",
                    "people": len(np.unique(codes[inside])),
                    "queries": int(inside.sum()),
                }
                | {name: float(of_queries[inside].mean()) for name, of_queries in values.items()}
            )
    return tuple(bands)
