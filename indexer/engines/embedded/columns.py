"""What filters ask of faces, in memory beside the vectors: so that wide filters cost little.

SQLite finds the faces of a few media, files or persons by an index, in no time. All faces of a
size or a time it must look at one by one: 0.2 s for a million. Here that takes some milliseconds.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from indexer.engines.embedded.filters import face_conditions, folder_bounds
from indexer.engines.embedded.values import parts, to_micros

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from indexer.engines.embedded.rows import Layout
    from indexer.engines.embedded.vectors import VectorTable
    from indexer.records import Filters

_COLUMNS: Layout = {
    "start_s": (np.float64, ()),
    "end_s": (np.float64, ()),
    "face_px": (np.float64, ()),
    "probability": (np.float64, ()),
    "named": (np.bool_, ()),
    "video": (np.bool_, ()),
    "recorded_at": (np.float64, ()),
}
"""As wide as SQLite's own values, so that both decide alike; NaN, as NULL, is never at least x."""

_MANY_FILES = 0.1
"""Files of a folder for each media in the table, from which all files are read rather.

With 300,000 files, one each, both ways took as long at 0.05 where rows lay in the file at random,
and at 0.3 where they lay in order of path, as a first run adds them: this lies between.
"""

_VALUES = """SELECT number, coalesce(appearance_start_s, timestamp_s),
  coalesce(appearance_end_s, timestamp_s), face_px, probability, person IS NOT NULL,
  kind = 'video', recorded_at FROM faces JOIN media ON media.id = faces.media_id WHERE """

_STATE = """SELECT
  coalesce((SELECT max(number) FROM faces), 0),
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'changed'), 0),
  coalesce((SELECT min(seq) FROM changed), 0)"""


class FilterColumns:
    """Columns in a table's rows that a log of changed faces in the file keeps up to date."""

    def __init__(self) -> None:
        self._last_face = self._last_changed = 0
        self._wide_asked = False

    def are_of_use(self, filters: Filters) -> bool:
        """Whether asking the columns costs less than asking SQLite.

        They are loaded at the second filter that may let many faces pass: a process that asks but
        once does better without.
        """
        return self._wide_asked and _is_wide(filters)

    def note_asked(self, filters: Filters) -> None:
        """Take note of a filter that SQLite was asked for."""
        self._wide_asked = self._wide_asked or _is_wide(filters)

    def passing(
        self, connection: sqlite3.Connection, table: VectorTable, filters: Filters
    ) -> np.ndarray:
        """Return the positions of the faces that pass, ascending.

        filters: without media, files and persons to choose. The table is fresh, and connection
        in the transaction in which that was done.
        """
        face_conditions(filters)  # refuses what cannot be asked, as SQLite's way does
        self._refresh(connection, table)
        rows = table.rows
        kept = rows["alive"].copy()
        if filters.unnamed:
            kept &= ~rows["named"]
        if filters.from_s is not None or filters.to_s is not None:
            kept &= rows["video"]
        if filters.kind is not None:
            of_kind = {"video": rows["video"], "photo": ~rows["video"]}
            kept &= of_kind.get(filters.kind, np.False_)
        at_least = {
            "end_s": filters.from_s,
            "face_px": filters.min_face_px,
            "probability": filters.min_probability,
            "recorded_at": to_micros(filters.recorded_from),
        }
        at_most = {"start_s": filters.to_s, "recorded_at": to_micros(filters.recorded_to)}
        for column, bound in at_least.items():
            if bound is not None:
                kept &= rows[column] >= bound
        for column, bound in at_most.items():
            if bound is not None:
                kept &= rows[column] <= bound
        if filters.exclude_media_ids:
            kept &= ~table.media_among(filters.exclude_media_ids)[rows["media"]]
        if filters.path_prefix is not None:
            kept &= _in_folder(connection, table, filters.path_prefix)[rows["media"]]
        return np.flatnonzero(kept)

    def _refresh(self, connection: sqlite3.Connection, table: VectorTable) -> None:
        last_face, last_changed, oldest_changed = connection.execute(_STATE).fetchone()
        if not _COLUMNS.keys() <= table.rows.keys():
            table.rows.add_columns(_COLUMNS)
            self._last_face = 0
        elif self._last_changed < oldest_changed - 1:
            self._last_face = 0
        elif last_changed > self._last_changed:
            seen = "number IN (SELECT face FROM changed WHERE seq > ?)"
            _fill(connection, table, seen, [self._last_changed])
        if last_face > self._last_face:
            _fill(connection, table, "number > ?", [self._last_face])
        self._last_face, self._last_changed = last_face, last_changed


def _is_wide(filters: Filters) -> bool:
    """Whether a filter may let many faces pass: it names no media, files or persons."""
    return not (filters.media_ids or filters.file_names or filters.persons)


def _fill(
    connection: sqlite3.Connection, table: VectorTable, condition: str, values: Sequence[int]
) -> None:
    """Read the columns of some faces."""
    for part in parts(connection, _VALUES + condition, values):
        numbers, *columns = zip(*part, strict=True)
        positions = table.positions_of(numbers, ascending=False)
        for (name, (dtype, _)), column in zip(_COLUMNS.items(), columns, strict=True):
            table.rows[name][positions] = np.array(column, dtype)


def _in_folder(connection: sqlite3.Connection, table: VectorTable, path_prefix: str) -> np.ndarray:
    """Return which media of the table have a file in a folder, (media,) bool."""
    itself, *bounds = folder_bounds(path_prefix)
    inside = "FROM files{} WHERE path >= ? AND path < ?"
    count = connection.execute(f"SELECT count(*) {inside.format('')}", bounds).fetchone()[0]
    # In order of path each file's media is looked up; that of all files is read in a row.
    many = count > _MANY_FILES * table.media_count
    by_media = " INDEXED BY files_of_media" if many else ""
    found = chain(
        parts(connection, f"SELECT media_id {inside.format(by_media)}", bounds),
        parts(connection, "SELECT media_id FROM files WHERE path = ?", (itself,)),
    )
    return table.media_among(row[0] for part in found for row in part)
