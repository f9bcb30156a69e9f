"""`Filters` as queries; every value is a JSON value, none becomes part of a query's syntax."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from indexer.engines.elastic.values import exact_key, folder_key, to_micros, to_text
from indexer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.records import Filters

Query = dict[str, Any]

MAX_VALUES = 65_536
"""Values that a list of a filter may hold: Elasticsearch's index.max_terms_count."""

MAX_TERM_BYTES = 32_766
"""Lucene's bound on what a keyword field takes, so nothing longer is equal to any."""

NOTHING: Query = {"match_none": {}}
EVERYTHING: Query = {"match_all": {}}
_STARTED: Query = {"exists": {"field": "state"}}


def of_media(filters: Filters | None) -> Query:
    """Return the query of `iter_media` on media, but for persons."""
    return all_of(_STARTED, *([] if filters is None else _media_clauses(filters)))


def of_faces(filters: Filters | None) -> Query:
    """Return the query with all conditions on faces."""
    return EVERYTHING if filters is None else all_of(*_face_clauses(filters))


def all_of(*clauses: Query) -> Query:
    """Return the query that all clauses must hold, without scoring."""
    return {"bool": {"filter": list(clauses)}} if clauses else EVERYTHING


def none_of(*clauses: Query) -> Query:
    """Return the query that no clause may hold."""
    return {"bool": {"must_not": list(clauses)}}


def any_of(field: str, values: Sequence[str]) -> Query:
    """Return the query that a keyword field has one of the values, literally.

    Raises UsageError for more values than a query may have.
    """
    if len(values) > MAX_VALUES:
        raise UsageError(
            f"A filter names more than {MAX_VALUES} media, files or persons. Name fewer, or "
            "filter by folder."
        )
    possible = [v for v in values if len(v.encode("utf-8", "surrogatepass")) <= MAX_TERM_BYTES]
    return {"terms": {field: possible}}


def _media_clauses(filters: Filters) -> list[Query]:
    clauses: list[Query] = []
    if filters.media_ids:
        clauses.append(any_of("media_id", [to_text(i) for i in filters.media_ids]))
    if filters.exclude_media_ids:
        clauses.append(none_of(any_of("media_id", [to_text(i) for i in filters.exclude_media_ids])))
    if filters.file_names:
        clauses.append(any_of("file_name_keys", [exact_key(name) for name in filters.file_names]))
    if filters.path_prefix is not None:
        clauses.append(any_of("folder_keys", [folder_key(filters.path_prefix)]))
    if filters.kind is not None:
        clauses.append(any_of("media_kind", [filters.kind]))
    if filters.recorded_from is not None:
        clauses.append({"range": {"recorded_us": {"gte": to_micros(filters.recorded_from)}}})
    if filters.recorded_to is not None:
        clauses.append({"range": {"recorded_us": {"lte": to_micros(filters.recorded_to)}}})
    return clauses


def _face_clauses(filters: Filters) -> list[Query]:
    clauses = _media_clauses(filters)
    if filters.persons:
        clauses.append(any_of("person_key", [exact_key(person) for person in filters.persons]))
    if filters.unnamed:
        clauses.append(none_of({"exists": {"field": "person_key"}}))
    if filters.from_s is not None or filters.to_s is not None:
        clauses.append(any_of("media_kind", ["video"]))
    if filters.from_s is not None:
        clauses.append(_of_appearance("appearance_end_s", "gte", filters.from_s))
    if filters.to_s is not None:
        clauses.append(_of_appearance("appearance_start_s", "lte", filters.to_s))
    if filters.min_face_px is not None:
        clauses.append(_bound("face_px", "gte", filters.min_face_px))
    if filters.min_probability is not None:
        clauses.append(_bound("probability", "gte", filters.min_probability))
    return clauses


def _of_appearance(field: str, operator: str, value: float) -> Query:
    """Return a bound on an appearance, or on the face's own time where there is none yet."""
    own_time = all_of(none_of({"exists": {"field": field}}), _bound("timestamp_s", operator, value))
    return {"bool": {"should": [_bound(field, operator, value), own_time]}}


def _bound(field: str, operator: str, value: float) -> Query:
    """Return a bound on a number; JSON has neither infinity nor NaN, which nothing passes."""
    number = float(value)
    if math.isfinite(number):
        return {"range": {field: {operator: number}}}
    passes_all = number == (-math.inf if operator == "gte" else math.inf)
    return {"exists": {"field": field}} if passes_all else NOTHING
