"""Quantised vectors kept in the file in large blocks, so that opening it needs few rows.

They are derived from faces and vectors, which lie between thumbnails in rows of a few KB each:
a cache within the file. Triggers of the schema drop a block in the transaction that changes
anything of its faces, so a block that is there is right, and nothing that was deleted stays in one.
"""

from __future__ import annotations

import json
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from indexer.engines.embedded import versions
from indexer.engines.embedded.coding import quantised, quantised_layout
from indexer.engines.embedded.failures import damaged
from indexer.engines.embedded.schema import BLOCK_FACES
from indexer.engines.embedded.values import from_vector_blobs, marks
from indexer.errors import IndexFailure

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from indexer.engines.embedded.connection import Database
    from indexer.engines.embedded.versions import Version

MANY = 16
"""Missing blocks that are worth a pause between two media: reading their vectors instead takes
less than 0.1 s at opening."""

_NUMBER, _MEDIA, _FLOAT = np.dtype("<i8"), np.dtype("<u2"), np.dtype("<f4")
_COLUMNS = "faces, media_ids, media, scales, errors, codes"


@dataclass(frozen=True)
class Block:
    """The faces with first <= number < stop, n of them.

    numbers: (n,) int64, ascending. media_ids: of all media here; media: (n,), indices of them.
    columns: those of `quantised_layout`, zeros for a face without vector; its scale tells.
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

    Raises IndexFailure for a damaged one.
    """
    cursor = connection.cursor()
    cursor.row_factory = None
    cursor.execute(
        f"""SELECT block, crc32, {_COLUMNS} FROM blocks
            WHERE version = ? AND block >= ? ORDER BY block""",
        (version, -(-(first - 1) // BLOCK_FACES)),
    )
    for block, crc32, *stored in cursor:
        if _crc32(stored) != crc32:
            raise damaged("a block of embeddings whose checksum is wrong")
        yield _block(block, stored, dimensions)


def pack(database: Database, *, at_least: int = 1) -> int:
    """Store the live version's missing blocks, if they are so many; return how many were stored.

    Only complete ones, which no new face comes into. Each is a transaction of its own, after which
    others have as long a time to write. Nobody waits for blocks: if they cannot be written, or the
    vectors not read, that is left to be told when somebody writes or reads those.
    """
    stored = 0
    with suppress(IndexFailure):
        with database.reading() as connection:
            version = versions.live(connection)
            missing = [] if version is None else _missing(connection, version, at_least)
        for block in missing:
            began_s = time.monotonic()
            with database.writing() as connection:
                stored += _store(connection, block)
            time.sleep(time.monotonic() - began_s)
    return stored


def _missing(connection: sqlite3.Connection, version: Version, at_least: int) -> Sequence[int]:
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


def _store(connection: sqlite3.Connection, block: int) -> bool:
    """Store a block of the version that is live now, unless another process was faster."""
    version = versions.live(connection)
    if version is None or _is_stored(connection, version, block):
        return False
    first = block * BLOCK_FACES + 1
    rows = connection.execute(
        """SELECT number, media_id, embedding FROM faces
           LEFT JOIN vectors ON vectors.face = number AND vectors.version = ?
           WHERE number >= ? AND number < ? ORDER BY number""",
        (version.number, first, first + BLOCK_FACES),
    ).fetchall()
    embedded = [row["embedding"] is not None for row in rows]
    vectors = from_vector_blobs(
        [row["embedding"] for row in rows if row["embedding"] is not None],
        version.model.dimensions,
    )
    columns = {
        name: np.zeros((len(rows), *shape), dtype)
        for name, (dtype, shape) in quantised_layout(version.model.dimensions).items()
    }
    for name, values in quantised(vectors).items():
        columns[name][embedded] = values
    indices: dict[str, int] = {}
    media = [indices.setdefault(row["media_id"], len(indices)) for row in rows]
    values = (
        np.array([row["number"] for row in rows], _NUMBER).tobytes(),
        json.dumps(list(indices)).encode(),
        np.array(media, _MEDIA).tobytes(),
        columns["scales"].astype(_FLOAT).tobytes(),
        columns["errors"].astype(_FLOAT).tobytes(),
        columns["codes"].tobytes(),
    )
    connection.execute(
        f"INSERT INTO blocks (version, block, crc32, {_COLUMNS}) VALUES ({marks(9)})",
        (version.number, block, _crc32(values), *values),
    )
    return True


def _is_stored(connection: sqlite3.Connection, version: Version, block: int) -> bool:
    rows = connection.execute(
        "SELECT 1 FROM blocks WHERE version = ? AND block = ?", (version.number, block)
    )
    return rows.fetchone() is not None


def _block(block: int, stored: Sequence[bytes], dimensions: int) -> Block:
    """Return what was stored. Raises IndexFailure if it does not fit together."""
    first = block * BLOCK_FACES + 1
    try:
        numbers = np.frombuffer(stored[0], _NUMBER)
        media_ids = json.loads(stored[1])
        media = np.frombuffer(stored[2], _MEDIA)
        scales, errors = (np.frombuffer(part, _FLOAT) for part in stored[3:5])
        codes = np.frombuffer(stored[5], np.int8).reshape(len(numbers), dimensions)
    except ValueError as error:
        raise damaged("a block of embeddings of the wrong size") from error
    fits = (
        len(numbers) == len(media) == len(scales) == len(errors)
        and bool((np.diff(numbers, prepend=first - 1, append=first + BLOCK_FACES) > 0).all())
        and bool((media < len(media_ids)).all())
    )
    if not fits:
        raise damaged("a block of embeddings whose parts do not fit together")
    columns = {"codes": codes, "scales": scales, "errors": errors}
    return Block(first, first + BLOCK_FACES, numbers, cast("list[str]", media_ids), media, columns)


def _crc32(stored: Sequence[bytes]) -> int:
    crc32 = 0
    for part in stored:
        crc32 = zlib.crc32(part, crc32)
    return crc32
