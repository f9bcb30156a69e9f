"""Asking a cluster for the nearest faces: few candidates of many, or all faces of a media."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from elasticsearch import ApiError

from indexer.engines.elastic import faces as face_documents
from indexer.engines.elastic import filters as queries
from indexer.engines.elastic.values import batches, to_vector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from elasticsearch import Elasticsearch

    from indexer.engines.elastic.store import Store
    from indexer.settings import ElasticsearchSettings

MAX_CANDIDATES = 10_000
"""Elasticsearch's bound on num_candidates.

Among no more vectors than that a search compares every one, but as the index holds them: where they
are quantised, only the best k times `oversample` are compared in full. So it is exact for `hnsw`
and `flat`, and for the others if k times `oversample` is the number of vectors or more.
"""

SEARCHES_TOGETHER = 50
"""Searches that one request carries at most; they run at the same time on the cluster."""

REQUEST_BYTES = 8 << 20
"""Of searches that one request carries: each of them repeats the user's filter."""

HITS_TOGETHER = 50_000
"""Hits that the searches of one request may give: about 8 MB."""


def nearest(
    store: Store,
    index: str,
    settings: ElasticsearchSettings,
    vectors: np.ndarray,
    k: int,
    query: Sequence[queries.Query],
    *,
    exhaustive: bool,
) -> list[list[tuple[str, float, str]]]:
    """Return (face id, cosine, media id) of the k nearest of each vector under its own query.

    Cosines are within float32's rounding. settings: with the index's own vector_type.
    exhaustive: look at 10,000 vectors, if there are so many.
    """
    candidates = MAX_CANDIDATES if exhaustive else max(settings.num_candidates, k)
    searches = [
        (_knn(settings, vector, k, of_vector, num_candidates=candidates), k)
        for vector, of_vector in zip(vectors, query, strict=True)
    ]
    return [
        [(hit["_id"], _cosine(hit["_score"]), hit["fields"]["media_id"][0]) for hit in hits]
        for hits in _search_all(store, index, searches, "media_id")
    ]


def scores_within(
    store: Store,
    index: str,
    settings: ElasticsearchSettings,
    vectors: np.ndarray,
    media_ids: Sequence[str],
    query: queries.Query,
) -> dict[str, dict[str, tuple[float, str]]]:
    """Return each media's faces that pass, with highest cosine and appearance (or face) id.

    All of them: where no more vectors pass than are asked for, a search compares every one.
    """
    scores: dict[str, dict[str, tuple[float, str]]] = {media_id: {} for media_id in media_ids}
    searches, owners = [], []
    for media_id, part, count in _parts(store, index, media_ids, query):
        for vector in vectors:
            searches.append((_knn(settings, vector, count, part, num_candidates=count), count))
            owners.append(media_id)
    answers = _search_all(store, index, searches, "appearance_id")
    for media_id, hits in zip(owners, answers, strict=True):
        of_media = scores[media_id]
        for hit in hits:
            appearance = hit.get("fields", {}).get("appearance_id", [hit["_id"]])[0]
            known = of_media.get(hit["_id"], (-2.0, ""))
            of_media[hit["_id"]] = max(known, (_cosine(hit["_score"]), appearance))
    return scores


def _parts(
    store: Store, index: str, media_ids: Sequence[str], query: queries.Query
) -> Iterator[tuple[str, queries.Query, int]]:
    """Yield (media id, query, number of faces) so that each can be searched exhaustively."""
    within = queries.all_of(query, queries.any_of("media_id", media_ids))
    for bucket in store.composite(index, [{"media": {"terms": {"field": "media_id"}}}], within):
        media_id, count = bucket["key"]["media"], bucket["doc_count"]
        of_media = queries.all_of(query, queries.any_of("media_id", [media_id]))
        if count <= MAX_CANDIDATES:
            yield media_id, of_media, count
            continue
        ids = store.ids(index, of_media, face_documents.ORDER)
        for some in batches(ids, MAX_CANDIDATES):
            yield media_id, queries.all_of(of_media, queries.any_of("face_id", some)), len(some)


def _knn(
    settings: ElasticsearchSettings,
    vector: np.ndarray,
    k: int,
    query: queries.Query,
    *,
    num_candidates: int,
) -> dict[str, Any]:
    knn: dict[str, Any] = {
        "field": "embedding",
        "query_vector": to_vector(vector),
        "k": k,
        "num_candidates": max(num_candidates, k),
    }
    if query != queries.EVERYTHING:
        knn["filter"] = query
    if settings.vector_type not in ("hnsw", "flat"):
        knn["rescore_vector"] = {"oversample": settings.oversample}
    return knn


def _search_all(
    store: Store, index: str, searches: Sequence[tuple[Mapping[str, Any], int]], field: str
) -> Iterator[list[dict[str, Any]]]:
    """Yield the hits of each search (knn, size) in turn, with one field and without sources."""
    connection = store.connection
    for lines in _requests(searches, field):
        answer = connection.call(
            _every_search, client=connection.client, index=index, searches=lines
        )
        yield from (item["hits"]["hits"] for item in answer["responses"])


def _requests(
    searches: Sequence[tuple[Mapping[str, Any], int]], field: str
) -> Iterator[list[bytes]]:
    """Yield the lines of requests that are small, and whose answers are."""
    head = orjson.dumps({"allow_partial_search_results": False})
    lines: list[bytes] = []
    request_bytes = hits = 0
    for knn, size in searches:
        rest = {"_source": False, "docvalue_fields": [field], "track_total_hits": False}
        body = orjson.dumps({"knn": knn, "size": size, **rest})
        if lines and (
            len(lines) == 2 * SEARCHES_TOGETHER
            or request_bytes + len(body) > REQUEST_BYTES
            or hits + size > HITS_TOGETHER
        ):
            yield lines
            lines, request_bytes, hits = [], 0, 0
        lines += [head, body]
        request_bytes += len(body)
        hits += size
    if lines:
        yield lines


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
