"""Searching by vector: the best faces, and the best media, each under filters.

The cluster compares quantised vectors, and what these let through by the full ones
(`rescore_vector`). The hits' own scores are computed here, exactly, so they are the same in every
engine. In small collections every quantised vector is compared; within single media, every one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from indexer.engines.checks import exact_cosines, one_per_appearance
from indexer.engines.elastic import faces as face_documents
from indexer.engines.elastic import filters as queries
from indexer.engines.elastic import media as media_documents
from indexer.engines.elastic.nearest import MAX_CANDIDATES, nearest, scores_within
from indexer.engines.elastic.values import batches
from indexer.errors import UsageError
from indexer.results import Group, Hit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from indexer.engines.elastic.store import Store
    from indexer.records import Filters
    from indexer.settings import ElasticsearchSettings

MARGIN = 16
"""Hits asked for beyond k, so that equal scores at the cut are seen and ordered by id."""

ROUNDING = 1e-6
"""More than Elasticsearch's scores can be off; equal vectors do not always get equal ones."""

HITS_PER_GROUP = 8
"""Faces asked for per media wanted: videos keep several of one person."""


class Searcher:
    """Searches on one version of the faces; faces: how many there are."""

    def __init__(
        self, store: Store, index: str, settings: ElasticsearchSettings, *, faces: int
    ) -> None:
        self._store = store
        self._index = index
        self._settings = settings
        self._exhaustive = faces <= MAX_CANDIDATES

    def best_faces(self, vector: np.ndarray, k: int, filters: Filters | None) -> list[Hit]:
        """Return the k best hits; see `Index.search`. Raises UsageError for too large a k."""
        if k > MAX_CANDIDATES - MARGIN:
            raise UsageError(
                f"An index on Elasticsearch gives at most {MAX_CANDIDATES - MARGIN} faces at once."
            )
        query, asked = queries.of_faces(filters), k + MARGIN
        while True:
            (hits,) = self._nearest(vector[None], asked, [query])
            scores = sorted((score for _, score, _ in hits), reverse=True)
            cut = scores[k - 1] - ROUNDING if len(scores) > k else -np.inf
            if len(hits) < asked or asked == MAX_CANDIDATES or scores[-1] < cut:
                break
            asked = min(4 * asked, MAX_CANDIDATES)
        near = [face_id for face_id, score, _ in hits if score >= cut]
        return self._hits(near, vector[None])[:k]

    def best_media(
        self,
        vectors: np.ndarray,
        groups: int,
        filters: Filters | None,
        *,
        min_score: float,
        span_score: float,
    ) -> list[Group]:
        """Return the best media with their hits; see `Index.search_groups`."""
        query = queries.of_faces(filters)
        media_ids = self._near_best_media(vectors, groups, query, min_score)
        scores = scores_within(self._store, self._index, self._settings, vectors, media_ids, query)
        near = [
            face_id
            for of_media in scores.values()
            for face_id in _near_best_of_appearances(of_media, span_score)
        ]
        hits: dict[str, list[Hit]] = {}
        for hit in self._hits(near, vectors):
            hits.setdefault(hit.face.media_id, []).append(hit)
        media = media_documents.get_many(self._store, list(hits))
        best_first = [
            Group(media[media_id], one_per_appearance(of_media, span_score))
            for media_id, of_media in hits.items()
            if media_id in media and of_media[0].score >= min_score
        ]
        return best_first[:groups]

    def _near_best_media(
        self, vectors: np.ndarray, groups: int, query: queries.Query, min_score: float
    ) -> list[str]:
        """Return the media with the best faces, at least `groups` and those as good as the last.

        The best media for several vectors are among the best for each one.
        """
        best: dict[str, float] = {}
        for of_vector in self._near_best_media_of_each(vectors, groups, query, min_score):
            for media_id, score in of_vector.items():
                best[media_id] = max(best.get(media_id, score), score)
        scores = sorted(best.values(), reverse=True)
        at_least = max(min_score, scores[groups - 1] if len(scores) > groups else -np.inf)
        return [media_id for media_id, score in best.items() if score >= at_least - ROUNDING]

    def _near_best_media_of_each(
        self, vectors: np.ndarray, groups: int, query: queries.Query, min_score: float
    ) -> list[dict[str, float]]:
        """Return for each vector its best media, at least `groups`, all if fewer: id -> cosine.

        Each round leaves out the media found before, until enough are found that no face still
        unseen can come before theirs, or none is left.
        """
        best: list[dict[str, float]] = [{} for _ in vectors]
        asked = min(groups * HITS_PER_GROUP + MARGIN, MAX_CANDIDATES)
        active = list(range(len(vectors)))
        while active:
            left = [_without(query, best[n]) for n in active]
            unfinished = []
            for n, hits in zip(active, self._nearest(vectors[active], asked, left), strict=True):
                for _, score, media_id in hits:
                    best[n][media_id] = max(best[n].get(media_id, score), score)
                if len(hits) == asked:
                    floor = min(score for _, score, _ in hits)
                    ahead = sum(score > floor + ROUNDING for score in best[n].values())
                    if ahead < groups and floor >= min_score - ROUNDING:
                        unfinished.append(n)
            active = unfinished
        return best

    def _nearest(
        self, vectors: np.ndarray, k: int, query: Sequence[queries.Query]
    ) -> list[list[tuple[str, float, str]]]:
        return nearest(
            self._store,
            self._index,
            self._settings,
            vectors,
            k,
            query,
            exhaustive=self._exhaustive,
        )

    def _hits(self, face_ids: Sequence[str], vectors: np.ndarray) -> list[Hit]:
        """Return hits best first, less faces that were deleted meanwhile, with exact scores."""
        found = face_documents.get_many(self._store, self._index, face_ids, embeddings=True)
        if not found:
            return []
        rows = np.array([face.vector for face in found.values()])
        scores = np.max([exact_cosines(rows, vector[None]) for vector in vectors], axis=0)
        hits = [
            Hit(replace(face, embedding=None), score)
            for face, score in zip(found.values(), scores.tolist(), strict=True)
        ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.face.id))


def _without(query: queries.Query, media_ids: Mapping[str, object]) -> queries.Query:
    if not media_ids:
        return query
    parts = batches(list(media_ids), queries.MAX_VALUES)
    found = [queries.any_of("media_id", part) for part in parts]
    return queries.all_of(query, queries.none_of(*found))


def _near_best_of_appearances(
    scores: Mapping[str, tuple[float, str]], span_score: float
) -> list[str]:
    """Return the faces that may be the best one, or the best of an appearance that reaches it.

    scores: of one media's faces, with the id of the appearance.
    """
    best_of: dict[str, float] = {}
    for score, appearance in scores.values():
        best_of[appearance] = max(best_of.get(appearance, score), score)
    at_least = min(max(best_of.values(), default=-np.inf), span_score) - ROUNDING
    return [
        face_id
        for face_id, (score, appearance) in scores.items()
        if score >= max(best_of[appearance] - ROUNDING, at_least)
    ]
