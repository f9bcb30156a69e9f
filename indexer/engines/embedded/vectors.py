"""The live vectors in memory, kept up to date with the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from indexer.engines.embedded import kernel, versions
from indexer.engines.embedded.approximation import RESCORED_TOGETHER, best_cosines
from indexer.engines.embedded.coding import Float32, Int8
from indexer.engines.embedded.columns import FilterColumns
from indexer.engines.embedded.rows import Rows
from indexer.engines.embedded.values import BATCH, marks, parts
from indexer.errors import IndexFailure

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from indexer.engines.embedded.approximation import Approximation
    from indexer.engines.embedded.coding import Coding
    from indexer.engines.embedded.rows import Layout

_LENGTH_ERROR = 1e-3  # far above float32's, far below what changed bits do

_FACES: Layout = {"number": (np.int64, ()), "media": (np.int32, ()), "alive": (np.bool_, ())}

_STATE = """SELECT
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'faces'), 0),
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'removed'), 0),
  coalesce((SELECT min(seq) FROM removed), 0)"""


def fastest_coding() -> Coding:
    """Return int8 where there is a kernel for it, and else float32, which says why."""
    found = kernel.installed()
    return Float32(found.name) if found.dots is None else Int8(found, found.dots)


class VectorTable:
    """Vectors in order of face number; positions are row indices that hold until `refresh`.

    Faces never change their vector or media: they are only added, with growing numbers, and
    removed, which a log in the file tells. So what changed is found without looking at the rest.
    Where vectors lie in memory as int8, the few whose exact cosine counts are read from the file.
    """

    def __init__(self, coding: Coding | None = None) -> None:
        self._coding = coding
        self.filter_columns = FilterColumns()
        self._version: int | None = None
        self._reset(0)

    def _reset(self, dimensions: int) -> None:
        self._last_face = self._last_removed = 0
        self._dimensions = dimensions
        self.rows = Rows({**_FACES, **self.coding.layout(dimensions)} if dimensions else _FACES)
        self._all_positions: np.ndarray | None = None
        self._media_index: dict[str, int] = {}

    @property
    def coding(self) -> Coding:
        """How the vectors lie in memory. The kernel is looked for when it is needed first."""
        if self._coding is None:
            self._coding = fastest_coding()
        return self._coding

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Take over what changed in the file, as the current transaction sees it."""
        try:
            self._refresh(connection)
        except BaseException:  # half taken over: the next refresh starts anew
            self._version = None
            self._reset(0)
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
        everything = self._last_face == 0
        start, index = self.rows.extend(self._count_new(connection)).start, self._media_index
        self.rows["alive"][start:] = False
        for part in parts(
            connection,
            "SELECT number, media_id FROM faces WHERE number > ? ORDER BY number",
            (self._last_face,),
        ):
            added = slice(start, start := start + len(part))
            self.rows["number"][added] = [row[0] for row in part]
            # The index of a media that is new is how many there were.
            self.rows["media"][added] = [index.setdefault(row[1], len(index)) for row in part]
        # All are read fastest in the order in which they lie in the file; a few, by the index.
        selected = "version = ?" if everything else "version = ? AND face > ?"
        for part in parts(
            connection,
            f"SELECT face, embedding FROM vectors WHERE {selected}",
            (self._version, self._last_face)[: selected.count("?")],
        ):
            positions = self.positions_of([row[0] for row in part], ascending=False)
            if len(positions) != len(part):
                raise _damaged("of a face that does not exist")
            where = _as_slice(positions)
            self.rows.put(where, self.coding.encode(self._vectors([row[1] for row in part])))
            self.rows["alive"][where] = True
        self._all_positions = None

    def _count_new(self, connection: sqlite3.Connection) -> int:
        # Of all, SQLite counts the entries of its smallest index.
        if self._last_face == 0:
            (count,) = connection.execute("SELECT count(*) FROM faces").fetchone()
        else:
            (count,) = connection.execute(
                "SELECT count(*) FROM faces WHERE number > ?", (self._last_face,)
            ).fetchone()
        return int(count)

    def _vectors(self, blobs: Sequence[bytes]) -> np.ndarray:
        """Return stored vectors, (n, dimensions) float32. Raises IndexFailure for damaged ones."""
        vectors = np.frombuffer(b"".join(blobs), "<f4")
        if vectors.size != len(blobs) * self._dimensions:
            raise _damaged("of the wrong size")
        vectors = vectors.reshape(len(blobs), -1).astype(np.float32, copy=False)
        with np.errstate(over="ignore"):
            lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        if not (np.abs(lengths - 1.0) < _LENGTH_ERROR).all():
            raise _damaged("that is not of length 1")
        return vectors

    def _remove(self, connection: sqlite3.Connection) -> None:
        rows = connection.execute("SELECT face FROM removed WHERE seq > ?", (self._last_removed,))
        gone = self.positions_of([row[0] for row in rows])
        self.rows["alive"][gone] = False
        for column in self.coding.layout(self._dimensions):
            self.rows[column][gone] = 0
        alive = np.flatnonzero(self.rows["alive"])
        if 2 * len(alive) < self.rows.used:
            self.rows.keep(alive)
        self._all_positions = None

    def positions_of(self, numbers: Sequence[int], *, ascending: bool = True) -> np.ndarray:
        """Return the positions of those face numbers that are here: ascending, or as given."""
        wanted = np.asarray(numbers, np.int64)
        if ascending:
            wanted = np.sort(wanted)
        known = self.rows["number"]
        positions = np.searchsorted(known, wanted)
        inside = positions < len(known)
        positions, wanted = positions[inside], wanted[inside]
        return cast("np.ndarray", positions[known[positions] == wanted])

    def all_positions(self) -> np.ndarray:
        """Return the positions of all faces, ascending."""
        if self._all_positions is None:
            self._all_positions = np.flatnonzero(self.rows["alive"])
        return self._all_positions

    @property
    def media_count(self) -> int:
        """How many media have, or had, faces here."""
        return len(self._media_index)

    def media_among(self, media_ids: Iterable[str]) -> np.ndarray:
        """Return which of the media that `media_at` can give are listed, (media,) bool."""
        index = self._media_index
        listed = np.zeros(len(index), np.bool_)
        listed[[index[media_id] for media_id in media_ids if media_id in index]] = True
        return listed

    def numbers_at(self, positions: np.ndarray) -> list[int]:
        """Return the face numbers at positions."""
        return cast("list[int]", self.rows["number"][positions].tolist())

    def media_at(self, positions: np.ndarray) -> np.ndarray:
        """Return a number for the media at each position, int32, from 0 on."""
        return cast("np.ndarray", self.rows["media"][positions])

    def approximate(self, queries: np.ndarray, positions: np.ndarray) -> Approximation:
        """Return what each position's highest cosine to any query can be.

        queries: (queries, dimensions) float32, at least one. positions: ascending.
        """
        return self.coding.compare(self.rows, queries, positions)

    def exact_scores(
        self, connection: sqlite3.Connection, queries: np.ndarray, positions: np.ndarray
    ) -> np.ndarray:
        """Return each position's highest cosine to any query, float32 in [-1, 1].

        connection: in the transaction in which the table was refreshed.
        """
        scores = np.empty(len(positions), np.float32)
        for start in range(0, len(positions), RESCORED_TOGETHER):
            part = slice(start, start + RESCORED_TOGETHER)
            vectors = self._vectors_at(connection, positions[part])
            scores[part] = best_cosines(vectors, queries)
        return scores

    def _vectors_at(self, connection: sqlite3.Connection, positions: np.ndarray) -> np.ndarray:
        if "vectors" in self.rows:
            return cast("np.ndarray", self.rows["vectors"][positions])
        blobs: dict[int, bytes] = {}
        numbers = self.numbers_at(positions)
        for start in range(0, len(numbers), BATCH):
            part = numbers[start : start + BATCH]
            rows = connection.execute(
                f"""SELECT face, embedding FROM vectors
                    WHERE version = ? AND face IN ({marks(len(part))})""",
                (self._version, *part),
            )
            blobs.update((row[0], row[1]) for row in rows)
        return self._vectors([blobs[number] for number in numbers])


def _as_slice(positions: np.ndarray) -> np.ndarray | slice:
    """Return positions that follow each other as a slice, which numpy fills faster."""
    first = int(positions[0])
    if (positions == np.arange(first, first + len(positions))).all():
        return slice(first, first + len(positions))
    return positions


def _damaged(what: str) -> IndexFailure:
    return IndexFailure(
        f"The index is damaged: it holds an embedding {what}. Restore it from a backup, or delete "
        "it and index the media again."
    )
