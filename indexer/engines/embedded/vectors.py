"""The live vectors in memory, kept up to date with the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from indexer.engines.embedded import blocks, kernel, versions
from indexer.engines.embedded.approximation import RESCORED_TOGETHER, best_cosines
from indexer.engines.embedded.coding import Float32, Int8, quantised_layout
from indexer.engines.embedded.columns import FilterColumns
from indexer.engines.embedded.failures import damaged
from indexer.engines.embedded.rows import Rows
from indexer.engines.embedded.values import BATCH, from_vector_blobs, marks, parts

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from indexer.engines.embedded.approximation import Approximation
    from indexer.engines.embedded.blocks import Block
    from indexer.engines.embedded.coding import Coding
    from indexer.engines.embedded.rows import Layout

_FACES: Layout = {"number": (np.int64, ()), "media": (np.int32, ()), "alive": (np.bool_, ())}

_NO_END = 2**63 - 1  # above all face numbers

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
            self._add(connection, version.number, last_face)
        self._last_face, self._last_removed = last_face, last_removed

    def _add(self, connection: sqlite3.Connection, version: int, last_face: int) -> None:
        first = self._last_face + 1
        in_codes = self.rows.keys() >= quantised_layout(self._dimensions).keys()
        if first == 1:
            # There is room for half as many again: from half of the faces on it grows once at most.
            in_blocks = blocks.count_faces(connection, version) if in_codes else 0
            self.rows.reserve(in_blocks if 2 * in_blocks > last_face else _count_faces(connection))
        if in_codes:
            for block in blocks.read(connection, version, self._dimensions, first=first):
                self._add_faces(connection, version, first, block.first)
                self._add_block(block)
                first = block.stop
        self._add_faces(connection, version, first)
        self._all_positions = None

    def _add_block(self, block: Block) -> None:
        where = self.rows.extend(len(block.numbers))
        self.rows["number"][where] = block.numbers
        self.rows["media"][where] = self._media_numbers(block.media_ids)[block.media]
        self.rows["alive"][where] = block.columns["scales"] > 0
        self.rows.put(where, block.columns)

    def _add_faces(
        self, connection: sqlite3.Connection, version: int, first: int, stop: int = _NO_END
    ) -> None:
        """Add the faces with first <= number < stop by their vectors."""
        if first >= stop:
            return
        for part in parts(
            connection,
            "SELECT number, media_id FROM faces WHERE number >= ? AND number < ? ORDER BY number",
            (first, stop),
        ):
            added = self.rows.extend(len(part))
            self.rows["number"][added] = [row[0] for row in part]
            self.rows["media"][added] = self._media_numbers([row[1] for row in part])
            self.rows["alive"][added] = False
        # All are read fastest in the order in which they lie in the file; some, by the index.
        everything = (first, stop) == (1, _NO_END)
        selected = "version = ?" if everything else "version = ? AND face >= ? AND face < ?"
        for part in parts(
            connection,
            f"SELECT face, embedding FROM vectors WHERE {selected}",
            (version, first, stop)[: selected.count("?")],
        ):
            positions = self.positions_of([row[0] for row in part], ascending=False)
            if len(positions) != len(part):
                raise damaged("an embedding of a face that does not exist")
            where = _as_slice(positions)
            vectors = from_vector_blobs([row[1] for row in part], self._dimensions)
            self.rows.put(where, self.coding.encode(vectors))
            self.rows["alive"][where] = True

    def _media_numbers(self, media_ids: Sequence[str]) -> np.ndarray:
        """Return a number for each media, (n,) int32: that of a new one is how many there were."""
        index = self._media_index
        return np.array([index.setdefault(each, len(index)) for each in media_ids], np.int32)

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
        if len(blobs) < len(numbers):
            raise damaged("a block of embeddings with a face that has none")
        return from_vector_blobs([blobs[number] for number in numbers], self._dimensions)


def _as_slice(positions: np.ndarray) -> np.ndarray | slice:
    """Return positions that follow each other as a slice, which numpy fills faster."""
    first = int(positions[0])
    if (positions == np.arange(first, first + len(positions))).all():
        return slice(first, first + len(positions))
    return positions


def _count_faces(connection: sqlite3.Connection) -> int:
    # SQLite counts the entries of its smallest index.
    (count,) = connection.execute("SELECT count(*) FROM faces").fetchone()
    return int(count)
