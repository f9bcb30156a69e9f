"""What is asked, and what numpy finds, comparing every vector: the yardstick of recall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.elasticsearch.gallery import VIDEO_S
from indexer.records import Filters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.elasticsearch.gallery import Gallery

SAME_COSINE = 0.5
"""Neighbours above it count as the same person."""


@dataclass(frozen=True)
class Question:
    """A query vector under a filter. mask: (n,) bool, the faces that pass; None: all do."""

    vector: np.ndarray
    filters: Filters | None = None
    mask: np.ndarray | None = None


Questions = dict[str, list[Question]]
"""One question for each query of a gallery, by kind of filter."""


def questions(gallery: Gallery, seed: int = 0) -> Questions:
    """Return the queries unfiltered and under filters that let few and many faces pass."""
    rng = np.random.default_rng(seed)
    first_half = Filters(to_s=VIDEO_S / 2), gallery.appearance_starts_s <= VIDEO_S / 2
    asked: Questions = {"none": [], "one video": [], "half the time": []}
    for vector, person in zip(gallery.queries, gallery.query_persons, strict=True):
        video = int(rng.choice(gallery.videos[gallery.persons == person]))
        of_video = Filters(media_ids=(gallery.media(video).id,))
        asked["none"].append(Question(vector))
        asked["one video"].append(Question(vector, of_video, gallery.videos == video))
        asked["half the time"].append(Question(vector, *first_half))
    return asked


def nearest(gallery: Gallery, question: Question, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers and cosines of the k nearest faces that pass, all if fewer, best first."""
    cosines = gallery.vectors @ question.vector
    if question.mask is not None:
        cosines[~question.mask] = -np.inf
    top = np.argpartition(-cosines, min(k, len(cosines)) - 1)[:k]
    top = top[np.argsort(-cosines[top], kind="stable")]
    top = top[np.isfinite(cosines[top])]
    return top, cosines[top]


def recall(
    found: Sequence[set[int]], truths: Sequence[tuple[np.ndarray, np.ndarray]], *, above: float
) -> float | None:
    """Return the share of the nearest faces with a cosine above one that was found, if any."""
    wanted = [set(numbers[cosines > above].tolist()) for numbers, cosines in truths]
    hits = sum(len(of_query & of_truth) for of_query, of_truth in zip(found, wanted, strict=True))
    there = sum(map(len, wanted))
    return hits / there if there else None
