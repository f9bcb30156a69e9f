"""`Filters` as SQL conditions; every value is bound, none becomes part of the SQL."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from indexer.engines.embedded.values import marks, to_blob, to_id, to_micros
from indexer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.records import Filters

MAX_VALUES = 30_000
"""Values that all lists of a filter may hold together; SQLite binds at most 32,766."""


@dataclass
class Conditions:
    """Conditions that must all hold, with the values to bind."""

    clauses: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, clause: str, *values: Any) -> None:
        """Add a condition with one value for each of its placeholders."""
        self.clauses.append(clause)
        self.values.extend(values)
        if len(self.values) > MAX_VALUES:
            raise UsageError(
                f"A filter names more than {MAX_VALUES} media, files or persons. Name fewer, or "
                "filter by folder."
            )

    def add_list(self, column: str, values: Sequence[Any], *, condition: str = "{}") -> None:
        """Add the condition that a column's value is one of those listed, if any are."""
        if values:
            self.add(condition.format(f"{column} IN ({marks(len(values))})"), *values)

    @property
    def where(self) -> str:
        """A WHERE clause, or nothing."""
        return f"WHERE {' AND '.join(self.clauses)}" if self.clauses else ""


def media_conditions(filters: Filters | None) -> Conditions:
    """Return the conditions of `iter_media` on the table media."""
    conditions = Conditions()
    if filters is not None:
        _add_media(conditions, filters, "media.id")
        conditions.add_list(
            "person",
            [to_blob(person) for person in filters.persons],
            condition="media.id IN (SELECT media_id FROM faces WHERE {})",
        )
    return conditions


def face_conditions(filters: Filters | None) -> Conditions:
    """Return all conditions, on the table faces."""
    conditions = Conditions()
    if filters is None:
        return conditions
    _add_media(conditions, filters, "media_id")
    conditions.add_list("person", [to_blob(person) for person in filters.persons])
    if filters.unnamed:
        conditions.add("person IS NULL")
    if filters.from_s is not None or filters.to_s is not None:
        conditions.add("media_id IN (SELECT id FROM media WHERE kind = 'video')")
    if filters.from_s is not None:
        conditions.add("coalesce(appearance_end_s, timestamp_s) >= ?", filters.from_s)
    if filters.to_s is not None:
        conditions.add("coalesce(appearance_start_s, timestamp_s) <= ?", filters.to_s)
    if filters.min_face_px is not None:
        conditions.add("face_px >= ?", filters.min_face_px)
    if filters.min_probability is not None:
        conditions.add("probability >= ?", filters.min_probability)
    return conditions


def folder_bounds(path_prefix: str) -> tuple[bytes, bytes, bytes]:
    """Return a folder's (or file's) own path, and from where to where lies what is in it."""
    folder, separator = to_blob(path_prefix.rstrip(os.sep)), to_blob(os.sep)
    # Everything inside the folder sorts between `folder/` and `folder0`, 0 following /.
    return folder, folder + separator, folder + bytes([separator[0] + 1])


def _add_media(conditions: Conditions, filters: Filters, media_id: str) -> None:
    """Add what is asked of a media; `media_id` is the column with its id."""
    of_file = f"{media_id} IN (SELECT media_id FROM files WHERE {{}})"
    of_media = f"{media_id} IN (SELECT id FROM media WHERE {{}})"
    conditions.add_list(media_id, list(map(to_id, filters.media_ids)))
    conditions.add_list(media_id, list(map(to_id, filters.exclude_media_ids)), condition="NOT {}")
    conditions.add_list("name", [to_blob(name) for name in filters.file_names], condition=of_file)
    if filters.path_prefix is not None:
        bounds = folder_bounds(filters.path_prefix)
        conditions.add(of_file.format("path = ? OR (path >= ? AND path < ?)"), *bounds)
    if filters.kind is not None:
        conditions.add(of_media.format("kind = ?"), filters.kind)
    if filters.recorded_from is not None:
        conditions.add(of_media.format("recorded_at >= ?"), to_micros(filters.recorded_from))
    if filters.recorded_to is not None:
        conditions.add(of_media.format("recorded_at <= ?"), to_micros(filters.recorded_to))
