"""Searching by vector: the best faces, and the best media, each under filters.

Scores are the raw cosines of the full vectors: what the quantised ones let through is compared
again with these (`rescore_vector`). Small collections and single media are searched exactly.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from elasticsearch import ApiError

from indexer.engines.checks import one_per_appearance
from indexer.engines.elastic import faces as face_documents
from indexer.engines.elastic import filters as queries
from indexer.engines.elastic import media as media_documents
from indexer.engines.elastic.values import to_vector
from indexer.results import Group, Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from elasticsearch import Elasticsearch

    from indexer.engines.elastic.store import Store
    from indexer.engines.elastic.versions import Version
    from indexer.records import Filters
    from indexer.settings import ElasticsearchSettings

MAX_CANDIDATES = 10_000
"""Elasticsearch's bound on num_candidates; a search among no more vectors than that is exact."""

MARGIN = 16
"""Hits asked for beyond k, so that equal scores at the cut are seen and ordered by id."""

HITS_PER_GROUP = 8
"""Faces asked for per media wanted: videos keep several of one person."""

SEARCHES_TOGETHER = 50
"""Searches that one request carries; they run at the same time on the cluster."""

Scored = dict[str, float]


class Searcher:
    """One search on one version, with the settings that bound its effort."""

    def __init__(
        self, store: Store, version: Version, settings: ElasticsearchSettings, faces: int
    ) -> None:
        self._store = store
        self._version = version
        self._settings = settings
        self._exact = faces <= MAX_CANDIDATES

    def best_faces(self, vector: np.ndarray, k: int, query: queries.Query) -> list[Hit]:
        """Return the k best hits, equal ones in order of face id."""
        asked = k + MARGIN
        while True:
            (hits,) = self._nearest(vector[None], min(asked, MAX_CANDIDATES), [query])
            scores = sorted((score for _, score, _ in hits), reverse=True)
            if len(hits) < asked or asked >= MAX_CANDIDATES or scores[-1] < scores[k - 1]:
                break
            asked *= 4
        best = sorted(((-score, face_id) for face_id, score, _ in hits))[:k]
        return self._hits([(face_id, -negative) for negative, face_id in best])

    def best_media(
        self, vectors: np.ndarray, groups: int, query: queries.Query, min_score: float
    ) -> list[str]:
        """Return the media with the best faces, best first, equal ones by their best face's id.

        The best media for several vectors are among the best for each one.
        """
        best: dict[str, tuple[float, str]] = {}
        for of_vector in self._best_media_of_each(vectors, groups, query, min_score):
            for media_id, rank in of_vector.items():
                best[media_id] = min(best.get(media_id, rank), rank)
        ranked = sorted((rank, media_id) for media_id, rank in best.items())
        return [media_id for (negative, _), media_id in ranked if -negative >= min_score][:groups]

    def _best_media_of_each(
        self, vectors: np.ndarray, groups: int, query: queries.Query, min_score: float
    ) -> list[dict[str, tuple[float, str]]]:
        """Return for each vector its best media, at least `groups`, all if fewer: (-cosine, face).

        Each round leaves out the media found before, until enough are found that no face still
        unseen can come before theirs, or none is left.
        """
        best: list[dict[str, tuple[float, str]]] = [{} for _ in vectors]
        asked = min(groups * HITS_PER_GROUP + MARGIN, MAX_CANDIDATES)
        active = list(range(len(vectors)))
        while active:
            left = [self._without(query, best[n]) for n in active]
            unfinished = []
            for n, hits in zip(active, self._nearest(vectors[active], asked, left), strict=True):
                for face_id, score, media_id in hits:
                    rank = (-score, face_id)
                    best[n][media_id] = min(best[n].get(media_id, rank), rank)
                if len(hits) == asked:
                    floor = min(score for _, score, _ in hits)
                    ahead = sum(-negative > floor for negative, _ in best[n].values())
                    if ahead < groups and floor >= min_score:
                        unfinished.append(n)
            active = unfinished
        return best

    @staticmethod
    def _without(query: queries.Query, media_ids: Mapping[str, object]) -> queries.Query:
        if not media_ids:
            return query
        return queries.all_of(query, queries.none_of(queries.any_of("media_id", list(media_ids))))

    def hits_within(
        self, vectors: np.ndarray, media_ids: Sequence[str], query: queries.Query, span_score: float
    ) -> dict[str, list[Hit]]:
        """Return all hits of each media that reach the score, and its best one: exactly.

        Of an appearance only the best is returned.
        """
        parts = list(self._parts(media_ids, query))
        scores: dict[str, dict[str, tuple[float, str]]] = {media_id: {} for media_id in media_ids}
        searches = [
            (self._knn(vector, count, part, num_candidates=count), count)
            for _, part, count in parts
            for vector in vectors
        ]
        owners = [media_id for media_id, _, _ in parts for _ in vectors]
        answers = self._search_all(searches, fields=["appearance_id"])
        for media_id, hits in zip(owners, answers, strict=True):
            for hit in hits:
                appearance = hit.get("fields", {}).get("appearance_id", [hit["_id"]])[0]
                known = scores[media_id].get(hit["_id"], (-2.0, ""))
                scores[media_id][hit["_id"]] = max(known, (_cosine(hit["_score"]), appearance))
        chosen = {
            media_id: _best_of_appearances(of_media, span_score)
            for media_id, of_media in scores.items()
        }
        hits_of = {
            hit.face.id: hit for hit in self._hits([pair for some in chosen.values() for pair in some])
        }
        return {
            media_id: [hits_of[face_id] for face_id, _ in some if face_id in hits_of]
            for media_id, some in chosen.items()
        }

    def _parts(
        self, media_ids: Sequence[str], query: queries.Query
    ) -> Iterator[tuple[str, queries.Query, int]]:
        """Yield (media id, query, number of faces) so that each can be searched exactly."""
        within = queries.all_of(query, queries.any_of("media_id", media_ids))
        counts: dict[str, int] = {}
        buckets = self._store.composite(
            self._version.index, [{"media": {"terms": {"field": "media_id"}}}], within
        )
        for bucket in buckets:
            counts[bucket["key"]["media"]] = bucket["doc_count"]
        for media_id, count in counts.items():
            of_media = queries.all_of(query, queries.any_of("media_id", [media_id]))
            if count <= MAX_CANDIDATES:
                yield media_id, of_media, count
            else:
                yield from self._parts_by_time(media_id, of_media)

    def _parts_by_time(
        self, media_id: str, of_media: queries.Query
    ) -> Iterator[tuple[str, queries.Query, int]]:
        ids = self._store.scan(
            self._version.index, of_media, face_documents.ORDER, page=MAX_CANDIDATES, source=False
        )
        listed = [hit["_id"] for hit in ids]
        for start in range(0, len(listed), MAX_CANDIDATES):
            some = listed[start : start + MAX_CANDIDATES]
            yield media_id, queries.all_of(of_media, queries.any_of("face_id", some)), len(some)

    def _nearest(
        self, vectors: np.ndarray, k: int, query: Sequence[queries.Query]
    ) -> list[list[tuple[str, float, str]]]:
        """Return (face id, cosine, media id) of the k nearest of each vector under its query."""
        candidates = MAX_CANDIDATES if self._exact else max(self._settings.num_candidates, k)
        searches = [
            (self._knn(vector, k, of_vector, num_candidates=candidates), k)
            for vector, of_vector in zip(vectors, query, strict=True)
        ]
        answers = self._search_all(searches, fields=["media_id"])
        return [
            [(hit["_id"], _cosine(hit["_score"]), hit["fields"]["media_id"][0]) for hit in hits]
            for hits in answers
        ]

    def _knn(
        self, vector: np.ndarray, k: int, query: queries.Query, *, num_candidates: int
    ) -> dict[str, Any]:
        knn: dict[str, Any] = {
            "field": "embedding",
            "query_vector": to_vector(vector),
            "k": k,
            "num_candidates": max(num_candidates, k),
        }
        if query != queries.EVERYTHING:
            knn["filter"] = query
        if self._settings.vector_type not in ("hnsw", "flat"):
            knn["rescore_vector"] = {"oversample": self._settings.oversample}
        return knn

    def _search_all(
        self, searches: Sequence[tuple[Mapping[str, Any], int]], fields: Sequence[str]
    ) -> list[list[dict[str, Any]]]:
        """Return the hits of each search (knn, size), without sources, with the fields."""
        found: list[list[dict[str, Any]]] = []
        connection = self._store.connection
        for start in range(0, len(searches), SEARCHES_TOGETHER):
            lines: list[dict[str, Any]] = []
            for knn, size in searches[start : start + SEARCHES_TOGETHER]:
                body = {
                    "knn": knn,
                    "size": size,
                    "_source": False,
                    "docvalue_fields": list(fields),
                    "track_total_hits": False,
                }
                lines += [{"allow_partial_search_results": False}, body]
            answer = connection.call(
                _every_search, client=connection.client, index=self._version.index, searches=lines
            )
            found += [item["hits"]["hits"] for item in answer["responses"]]
        return found

    def _hits(self, scored: Sequence[tuple[str, float]]) -> list[Hit]:
        """Return hits in the order given, less faces that were deleted meanwhile."""
        faces = face_documents.get_many(
            self._store, self._version.index, [face_id for face_id, _ in scored]
        )
        return [Hit(faces[face_id], score) for face_id, score in scored if face_id in faces]


def best_media(
    store: Store,
    searcher: Searcher,
    vectors: np.ndarray,
    groups: int,
    filters: Filters | None,
    *,
    min_score: float,
    span_score: float,
) -> list[Group]:
    """Return the best media with their hits; see `Index.search_groups`."""
    query = queries.of_faces(filters)
    media_ids = searcher.best_media(vectors, groups, query, min_score)
    hits = searcher.hits_within(vectors, media_ids, query, span_score)
    media = media_documents.get_many(store, media_ids)
    found = [
        Group(media[media_id], one_per_appearance(hits[media_id], span_score))
        for media_id in media_ids
        if media_id in media and hits[media_id]
    ]
    return sorted(found, key=lambda group: (-group.hits[0].score, group.hits[0].face.id))


def _best_of_appearances(
    scores: Mapping[str, tuple[float, str]], span_score: float
) -> list[tuple[str, float]]:
    """Return (face id, cosine), best first: the best, and of each appearance that reaches it."""
    ranked = sorted((-score, face_id, appearance) for face_id, (score, appearance) in scores.items())
    seen: set[str] = set()
    chosen = []
    for negative, face_id, appearance in ranked:
        if appearance not in seen and (not chosen or -negative >= span_score):
            seen.add(appearance)
            chosen.append((face_id, -negative))
    return chosen


def _every_search(client: Elasticsearch, **params: Any) -> Any:
    """Return the answer to several searches; raise the error of the first that failed."""
    answer = client.msearch(**params)
    for item in answer["responses"]:
        if "error" in item:
            raise ApiError("search", replace(answer.meta, status=item["status"]), item)
    return answer


def _cosine(score: float) -> float:
    """Return the cosine of a score of Elasticsearch's, (1 + cosine) / 2 in float32."""
    return float(np.clip(2.0 * np.float64(np.float32(score)) - 1.0, -1.0, 1.0))
