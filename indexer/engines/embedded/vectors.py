"""The live vectors in memory, kept up to date with the file, and exact cosines over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from indexer.engines.checks import exact_cosines
from indexer.engines.embedded import versions
from indexer.errors import IndexFailure

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

ROUNDING = 1e-4
"""More than float32 products of unit vectors of up to 1,600 dimensions can be off."""

_LENGTH_ERROR = 1e-3  # far above float32's, far below what changed bits do
_LOADED_TOGETHER = 4096
_SCORES_TOGETHER = 1 << 24

_STATE = """SELECT
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'faces'), 0),
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'removed'), 0),
  coalesce((SELECT min(seq) FROM removed), 0)"""


class VectorTable:
    """Vectors in order of face number; positions are row indices that hold until `refresh`.

    Faces never change their vector or media: they are only added, with growing numbers, and
    removed, which a log in the file tells. So what changed is found without looking at the rest.
    """

    def __init__(self) -> None:
        self._version: int | None = None
        self._reset(0)

    def _reset(self, dimensions: int) -> None:
        self._last_face = self._last_removed = self._used = 0
        self._vectors: np.ndarray = np.empty((0, dimensions), np.float32)
        self._numbers: np.ndarray = np.empty(0, np.int64)
        self._media: np.ndarray = np.empty(0, np.int32)
        self._alive: np.ndarray = np.empty(0, bool)
        self.media_ids: list[str] = []
        self._media_index: dict[str, int] = {}

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Take over what changed in the file, as the current transaction sees it."""
        try:
            self._refresh(connection)
        except BaseException:  # half taken over: the next refresh starts anew
            self._reset(0)
            self._version = None
            raise

    def _refresh(self, connection: sqlite3.Connection) -> None:
        version = versions.live(connection)
        last_face, last_removed, oldest_removed = connection.execute(_STATE).fetchone()
        missed_removals = self._last_removed < oldest_removed - 1
        if (version.number if version else None) != self._version or missed_removals:
            self._reset(version.model.dimensions if version else 0)
            self._version = version.number if version else None
            self._last_removed = last_removed
        if last_removed > self._last_removed:
            self._remove(connection)
        if version is not None and last_face > self._last_face:
            self._add(connection)
        self._last_face, self._last_removed = last_face, last_removed

    def _add(self, connection: sqlite3.Connection) -> None:
        selected = (self._version, self._last_face)
        new = connection.execute(
            "SELECT count(*) FROM vectors WHERE version = ? AND face > ?", selected
        ).fetchone()[0]
        self._reserve(self._used + new)
        rows = connection.execute(
            """SELECT face, media_id, embedding FROM vectors
               JOIN faces ON faces.number = vectors.face
               WHERE vectors.version = ? AND face > ? ORDER BY face""",
            selected,
        )
        while part := rows.fetchmany(_LOADED_TOGETHER):
            vectors = np.frombuffer(b"".join([row[2] for row in part]), "<f4")
            if vectors.size != len(part) * self._vectors.shape[1]:
                raise IndexFailure(
                    "The index is damaged: it holds an embedding of the wrong size. Restore it "
                    "from a backup, or delete it and index the media again."
                )
            added = slice(self._used, self._used + len(part))
            self._vectors[added] = vectors.reshape(len(part), -1)
            with np.errstate(over="ignore"):
                lengths = np.linalg.norm(self._vectors[added], axis=1)
            if not (np.abs(lengths - 1.0) < _LENGTH_ERROR).all():
                raise IndexFailure(
                    "The index is damaged: it holds an embedding that is not of length 1. Restore "
                    "it from a backup, or delete it and index the media again."
                )
            self._numbers[added] = [row[0] for row in part]
            self._media[added] = [self._index_of(row[1]) for row in part]
            self._alive[added] = True
            self._used += len(part)

    def _index_of(self, media_id: str) -> int:
        index = self._media_index.setdefault(media_id, len(self.media_ids))
        if index == len(self.media_ids):
            self.media_ids.append(media_id)
        return index

    def _reserve(self, rows: int) -> None:
        """Make room, at least twice the present, so that adding one by one stays cheap."""
        if rows <= len(self._numbers):
            return
        capacity = max(rows, 2 * len(self._numbers))
        for name in ("_vectors", "_numbers", "_media", "_alive"):
            old = getattr(self, name)
            grown = np.empty((capacity, *old.shape[1:]), old.dtype)
            grown[: self._used] = old[: self._used]
            setattr(self, name, grown)

    def _remove(self, connection: sqlite3.Connection) -> None:
        rows = connection.execute("SELECT face FROM removed WHERE seq > ?", (self._last_removed,))
        gone = self.positions_of([row[0] for row in rows])
        self._alive[gone] = False
        self._vectors[gone] = 0.0
        alive = np.flatnonzero(self._alive[: self._used])
        if 2 * len(alive) < self._used:
            for name in ("_vectors", "_numbers", "_media", "_alive"):
                setattr(self, name, getattr(self, name)[alive])
            self._used = len(alive)

    def positions_of(self, numbers: Sequence[int]) -> np.ndarray:
        """Return the positions of those face numbers that are here, ascending."""
        wanted = np.sort(np.asarray(numbers, np.int64))
        known = self._numbers[: self._used]
        positions = np.searchsorted(known, wanted)
        inside = positions < self._used
        positions, wanted = positions[inside], wanted[inside]
        return cast("np.ndarray", positions[known[positions] == wanted])

    def all_positions(self) -> np.ndarray:
        """Return the positions of all faces, ascending."""
        return np.flatnonzero(self._alive[: self._used])

    def numbers_at(self, positions: np.ndarray) -> list[int]:
        """Return the face numbers at positions."""
        return cast("list[int]", self._numbers[positions].tolist())

    def media_at(self, positions: np.ndarray) -> np.ndarray:
        """Return indices into `media_ids`, int32."""
        return cast("np.ndarray", self._media[positions])

    def scores(self, queries: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return each position's highest cosine to any query, and which query has it.

        queries: (queries, dimensions) float32, at least one. The cosines are within ROUNDING.
        """
        best = np.empty(len(positions), np.float32)
        which = np.empty(len(positions), np.intp)
        step = max(1, _SCORES_TOGETHER // max(queries.shape))
        # Rows that lie together are multiplied where they are; scattered few are copied first.
        dense = 2 * len(positions) >= self._used
        for start in range(0, len(positions), step):
            part = positions[start : start + step]
            if dense:
                first = part[0]
                products = (self._vectors[first : part[-1] + 1] @ queries.T)[part - first]
            else:
                products = self._vectors[part] @ queries.T
            which[start : start + step] = top = products.argmax(axis=1)
            best[start : start + step] = np.take_along_axis(products, top[:, None], 1)[:, 0]
        return best, which

    def exact_scores(
        self, queries: np.ndarray, positions: np.ndarray, which: np.ndarray
    ) -> np.ndarray:
        """Return the cosine of each position with its query, float32 in [-1, 1]."""
        scores = np.empty(len(positions), np.float32)
        for start in range(0, len(positions), _LOADED_TOGETHER):
            part = slice(start, start + _LOADED_TOGETHER)
            scores[part] = exact_cosines(self._vectors[positions[part]], queries[which[part]])
        return scores
