"""Quantised vectors in large blocks, as rows: so that opening an index reads few of them.

They are derived from faces and vectors, which lie between thumbnails in rows of a few kB each:
a cache within the file. Triggers of the schema drop a block in the transaction that changes
anything of its faces, so a block that is there is right, and nothing that was deleted stays in one.
"""

from __future__ import annotations

import json
import logging
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from indexer.engines.embedded.coding import quantised, quantised_layout
from indexer.engines.embedded.schema import BLOCK_FACES
from indexer.engines.embedded.values import from_vector_blobs, marks

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from indexer.engines.embedded.versions import Version

LOG = logging.getLogger(__name__)

_NUMBER, _MEDIA, _FLOAT = np.dtype("<i8"), np.dtype("<u2"), np.dtype("<f4")
_COLUMNS = "faces, media_ids, media, scales, errors, codes"


@dataclass(frozen=True)
class Block:
    """The faces with first <= number < stop, n of them.

    numbers: (n,) int64, ascending. media_ids: of all media here; media: (n,), indices of them.
    columns: those of `quantised_layout`, zeros for a face without vector: its scale tells.
    """

    first: int
    stop: int
    numbers: np.ndarray
    media_ids: list[str]
    media: np.ndarray
    columns: dict[str, np.ndarray]


def count_faces(connection: sqlite3.Connection, version: int) -> int:
    """Return how many faces the blocks of a version hold."""
    (size,) = connection.execute(
        "SELECT coalesce(sum(length(faces)), 0) FROM blocks WHERE version = ?", (version,)
    ).fetchone()
    return int(size) // _NUMBER.itemsize


def read(
    connection: sqlite3.Connection, version: int, dimensions: int, *, first: int = 1
) -> Iterator[Block]:
    """Yield a version's blocks in order: those whose faces all have numbers from `first` on.

    A damaged one is left out, which is logged: what it was made of is there, and is read instead.
    """
    for block, found in _all(connection, version, dimensions, first):
        if isinstance(found, Block):
            yield found
        else:
            LOG.warning(
                "Block %d of the index is damaged (%s): its faces' embeddings are read instead. "
                "`sightings optimize` makes it anew.",
                block,
                found,
            )


def drop_damaged(connection: sqlite3.Connection, version: int, dimensions: int) -> None:
    """Delete the blocks of a version that cannot be read."""
    damaged = [
        (version, block)
        for block, found in _all(connection, version, dimensions, 1)
        if not isinstance(found, Block)
    ]
    connection.executemany("DELETE FROM blocks WHERE version = ? AND block = ?", damaged)


def _all(
    connection: sqlite3.Connection, version: int, dimensions: int, first: int
) -> Iterator[tuple[int, Block | str]]:
    """Yield a version's blocks in order, each with its number, or what is wrong with it."""
    cursor = connection.cursor()
    cursor.row_factory = None
    cursor.execute(
        f"""SELECT block, crc32, {_COLUMNS} FROM blocks
            WHERE version = ? AND block >= ? ORDER BY block""",
        (version, -(-(first - 1) // BLOCK_FACES)),
    )
    for block, crc32, *stored in cursor:
        if _crc32(stored) != crc32:
            yield block, "its checksum is wrong"
            continue
        try:
            yield block, _from_blobs(block, stored, dimensions)
        except ValueError as error:
            yield block, str(error)


def missing(connection: sqlite3.Connection, version: Version, at_least: int = 1) -> Sequence[int]:
    """Return the blocks that could be stored and are not, in order; none if not `at_least` so many.

    Those are complete that no new face can come into.
    """
    (last_face,) = connection.execute(
        "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'faces'), 0)"
    ).fetchone()
    complete = last_face // BLOCK_FACES
    of_version = "FROM blocks WHERE version = ?"
    (stored,) = connection.execute(f"SELECT count(*) {of_version}", (version.number,)).fetchone()
    if complete - stored < at_least:
        return ()
    rows = connection.execute(f"SELECT block {of_version}", (version.number,))
    return sorted(set(range(complete)).difference(row[0] for row in rows))


def store(connection: sqlite3.Connection, version: Version, block: int) -> bool:
    """Store a block, unless it is there; return whether that was done.

    Raises IndexFailure if a vector of its faces is damaged.
    """
    key = (version.number, block)
    if connection.execute("SELECT 1 FROM blocks WHERE version = ? AND block = ?", key).fetchone():
        return False
    first = block * BLOCK_FACES + 1
    rows = connection.execute(
        """SELECT number, media_id, embedding FROM faces
           LEFT JOIN vectors ON vectors.face = number AND vectors.version = ?
           WHERE number >= ? AND number < ? ORDER BY number""",
        (version.number, first, first + BLOCK_FACES),
    ).fetchall()
    blobs = _to_blobs(_made_of(rows, first, version.model.dimensions))
    connection.execute(
        f"INSERT INTO blocks (version, block, crc32, {_COLUMNS}) VALUES ({marks(9)})",
        (*key, _crc32(blobs), *blobs),
    )
    return True


def _made_of(rows: Sequence[sqlite3.Row], first: int, dimensions: int) -> Block:
    embedded = [row for row in rows if row["embedding"] is not None]
    vectors = from_vector_blobs([row["embedding"] for row in embedded], dimensions)
    columns = {
        name: np.zeros((len(rows), *shape), dtype)
        for name, (dtype, shape) in quantised_layout(dimensions).items()
    }
    where = [row["embedding"] is not None for row in rows]
    for name, values in quantised(vectors).items():
        columns[name][where] = values
    index: dict[str, int] = {}
    media = [index.setdefault(row["media_id"], len(index)) for row in rows]
    numbers = np.array([row["number"] for row in rows], np.int64)
    return Block(first, first + BLOCK_FACES, numbers, list(index), np.array(media), columns)


def _to_blobs(block: Block) -> list[bytes]:
    """Return what is stored in _COLUMNS."""
    return [
        block.numbers.astype(_NUMBER).tobytes(),
        json.dumps(block.media_ids).encode(),
        block.media.astype(_MEDIA).tobytes(),
        block.columns["scales"].astype(_FLOAT).tobytes(),
        block.columns["errors"].astype(_FLOAT).tobytes(),
        block.columns["codes"].tobytes(),
    ]


def _from_blobs(block: int, stored: Sequence[bytes], dimensions: int) -> Block:
    """Return what `_to_blobs` was given. Raises ValueError if it does not fit together."""
    first, stop = block * BLOCK_FACES + 1, (block + 1) * BLOCK_FACES + 1
    numbers = np.frombuffer(stored[0], _NUMBER)
    media_ids: list[str] = json.loads(stored[1])
    media = np.frombuffer(stored[2], _MEDIA)
    columns: dict[str, np.ndarray] = {
        "scales": np.frombuffer(stored[3], _FLOAT),
        "errors": np.frombuffer(stored[4], _FLOAT),
        "codes": np.frombuffer(stored[5], np.int8).reshape(len(numbers), dimensions),
    }
    fits = (
        all(len(column) == len(numbers) for column in (media, *columns.values()))
        and (np.diff(numbers, prepend=first - 1, append=stop) > 0).all()
        and (media < len(media_ids)).all()
    )
    if not fits:
        raise ValueError("its parts do not fit together")
    return Block(first, stop, numbers, media_ids, media, columns)


def _crc32(blobs: Sequence[bytes]) -> int:
    crc32 = 0
    for blob in blobs:
        crc32 = zlib.crc32(blob, crc32)
    return crc32
