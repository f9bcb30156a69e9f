"""Searching the vectors in memory under filters: the best faces, and the best media."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer.engines.checks import one_per_appearance, query_vectors
from indexer.engines.embedded import faces as face_rows
from indexer.engines.embedded import media as media_rows
from indexer.engines.embedded import nearest, versions
from indexer.records import Filters
from indexer.results import Group, Hit

if TYPE_CHECKING:
    import sqlite3

    from indexer.engines.embedded.vectors import VectorTable
    from indexer.records import ModelIdentity


def best_faces(
    connection: sqlite3.Connection,
    table: VectorTable,
    vector: np.ndarray,
    k: int,
    filters: Filters | None,
) -> list[Hit]:
    """Return the k best hits; see `Index.search`."""
    queries = query_vectors(np.asarray(vector)[None], _model(connection))
    positions = _passing(connection, table, filters)
    if k <= 0 or len(positions) == 0:
        return []
    found, scores = nearest.best_faces(
        table.approximate(queries, positions),
        k,
        lambda indices: table.exact_scores(connection, queries, positions[indices]),
    )
    return _hits(connection, table, positions[found], scores)[:k]


def best_media(
    connection: sqlite3.Connection,
    table: VectorTable,
    vectors: np.ndarray,
    groups: int,
    filters: Filters | None,
    *,
    min_score: float,
    span_score: float,
) -> list[Group]:
    """Return the best media with their hits; see `Index.search_groups`."""
    queries = query_vectors(vectors, _model(connection))
    positions = _passing(connection, table, filters)
    if groups <= 0 or len(queries) == 0 or len(positions) == 0:
        return []
    found, scores = nearest.best_groups(
        table.approximate(queries, positions),
        table.media_at(positions),
        groups,
        lambda indices: table.exact_scores(connection, queries, positions[indices]),
        min_score=min_score,
        span_score=span_score,
    )
    chosen: dict[str, list[Hit]] = {}
    for hit in _hits(connection, table, positions[found], scores):
        chosen.setdefault(hit.face.media_id, []).append(hit)
    best_first = list(chosen.values())[:groups]
    media_of = media_rows.get_many(connection, [hits[0].face.media_id for hits in best_first])
    return [
        Group(media_of[hits[0].face.media_id], one_per_appearance(hits, span_score))
        for hits in best_first
    ]


def _model(connection: sqlite3.Connection) -> ModelIdentity | None:
    version = versions.live(connection)
    return None if version is None else version.model


def _passing(
    connection: sqlite3.Connection, table: VectorTable, filters: Filters | None
) -> np.ndarray:
    table.refresh(connection)
    if filters is None or filters == Filters():
        return table.all_positions()
    columns = table.filter_columns
    if columns.are_of_use(filters):
        return columns.passing(connection, table, filters)
    columns.note_asked(filters)
    return table.positions_of(face_rows.matching(connection, filters))


def _hits(
    connection: sqlite3.Connection, table: VectorTable, positions: np.ndarray, scores: np.ndarray
) -> list[Hit]:
    """Return hits best first, equal ones in order of face id."""
    numbers = table.numbers_at(positions)
    faces = face_rows.fetch(connection, numbers)
    hits = [
        Hit(faces[number], score) for number, score in zip(numbers, scores.tolist(), strict=True)
    ]
    return sorted(hits, key=lambda hit: (-hit.score, hit.face.id))
