"""How long searches take, and how much of what is there they find."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.elasticsearch.collections import fill, merge, new_collection
from benchmarks.elasticsearch.exact import SAME_COSINE, nearest, recall
from indexer.engines.elastic.nearest import MAX_CANDIDATES
from indexer.engines.elastic.search import Searcher
from indexer.settings import ElasticsearchSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from benchmarks.elasticsearch.collections import Collection
    from benchmarks.elasticsearch.exact import Question, Questions
    from benchmarks.elasticsearch.gallery import Gallery

K = 20
GROUPS = 20
GROUP_SCORE = 0.5
"""Least cosine of a group's best face and of its spans, as a model's threshold in a search."""

WRITTEN, MERGED = "as written", "merged"
WARM_UP_ROUNDS = 5
DEFAULT = (ElasticsearchSettings().num_candidates, ElasticsearchSettings().oversample)
OTHERS = {(100, 1.0), (100, 1.5), (100, 3.0), (200, 3.0), (400, 3.0), (200, 5.0), (400, 10.0)}
VARIANTS = sorted(OTHERS | {DEFAULT, (MAX_CANDIDATES, 3.0)})
"""Pairs of num_candidates and oversample. Candidates are never fewer than the hits asked for (36,
as a search for 20 asks for a margin) times the oversampling, so 100 and 3 means 108."""


@dataclass(frozen=True)
class Build:
    """A collection that was filled until searchable, then merged into one segment."""

    vectors: str
    faces: int
    rows_per_s: float
    segments: int
    merge_s: float
    disk_mb: float


@dataclass(frozen=True)
class Latency:
    """Times of one kind of search under one filter; rounds go through all kinds in turn."""

    vectors: str
    state: str
    search: str
    filter: str
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Recall:
    """Recall@20 against exact search: of all neighbours, and of those with a cosine above 0.5."""

    vectors: str
    state: str
    filter: str
    num_candidates: int
    oversample: float
    of_all: float | None
    of_same_person: float | None
    p50_ms: float


def measure_searching(
    url: str, gallery: Gallery, asked: Questions, vector_type: str, rounds: int
) -> Iterator[tuple[str, list[Any]]]:
    """Build a collection; yield titles and rows of what it is as it is written, and merged."""
    with new_collection(url, gallery, vector_type) as collection:
        start_s = time.perf_counter()
        fill(collection, gallery)
        collection.index.refresh()
        rows_per_s, segments = len(gallery) / (time.perf_counter() - start_s), collection.segments
        written = _latency(collection, gallery, asked, WRITTEN, rounds)
        found = measure_recall(collection, gallery, asked, WRITTEN, [DEFAULT])
        start_s = time.perf_counter()
        merge(collection)
        merge_s = time.perf_counter() - start_s
        figures = rows_per_s, segments, merge_s, collection.size_mb
        yield "Building", [Build(vector_type, len(gallery), *figures)]
        yield "Times", written + _latency(collection, gallery, asked, MERGED, rounds)
        yield "Recall", found + measure_recall(collection, gallery, asked, MERGED, VARIANTS)


def _latency(
    collection: Collection, gallery: Gallery, asked: Questions, state: str, rounds: int
) -> list[Latency]:
    """Time searches of every kind and filter in turn, so that all see the same load."""
    index = collection.index
    searches: dict[str, Callable[[Question], object]] = {
        "numpy": lambda asked: nearest(gallery, asked, K),
        "search": lambda asked: index.search(asked.vector, K, asked.filters),
        "search_groups": lambda asked: index.search_groups(
            asked.vector[None],
            GROUPS,
            asked.filters,
            min_score=GROUP_SCORE,
            span_score=GROUP_SCORE,
        ),
    }
    times_ms: dict[tuple[str, str], list[float]] = {}
    for number in range(-WARM_UP_ROUNDS, rounds):
        for name, of_filter in asked.items():
            for kind, search in searches.items():
                start_s = time.perf_counter()
                search(of_filter[number % len(of_filter)])
                took_ms = 1e3 * (time.perf_counter() - start_s)
                if number >= 0:
                    times_ms.setdefault((kind, name), []).append(took_ms)
    vector_type = collection.settings.vector_type
    return [
        Latency(vector_type, state, *key, *map(float, np.percentile(of_one, (50, 99))))
        for key, of_one in sorted(times_ms.items())
    ]


def measure_recall(
    collection: Collection,
    gallery: Gallery,
    asked: Questions,
    state: str,
    variants: Iterable[tuple[int, float]],
) -> list[Recall]:
    """Return recall for each (num_candidates, oversample).

    Small collections, of which a user's search looks at every vector (as with 10,000 candidates),
    are searched as large ones here.
    """
    numbers = {face.id: number for number, face in enumerate(gallery.faces())}
    truths = {
        name: [nearest(gallery, question, K) for question in of_filter]
        for name, of_filter in asked.items()
    }
    vector_type = collection.settings.vector_type
    rows = []
    for candidates, oversample in variants:
        settings = replace(collection.settings, num_candidates=candidates, oversample=oversample)
        searcher = Searcher(collection.store, collection.faces, settings, faces=MAX_CANDIDATES + 1)
        for name, of_filter in asked.items():
            found, times_ms = [], []
            for question in of_filter:
                start_s = time.perf_counter()
                hits = searcher.best_faces(question.vector, K, question.filters)
                times_ms.append(1e3 * (time.perf_counter() - start_s))
                found.append({numbers[hit.face.id] for hit in hits})
            of_all = recall(found, truths[name], above=-1.0)
            of_same = recall(found, truths[name], above=SAME_COSINE)
            figures = of_all, of_same, float(np.median(times_ms))
            rows.append(Recall(vector_type, state, name, candidates, oversample, *figures))
    return rows
