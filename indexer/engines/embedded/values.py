"""How Python values are stored in SQLite's columns."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import numpy as np

from indexer.engines.checks import unit_vector
from indexer.engines.embedded.failures import damaged
from indexer.errors import UsageError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from typing import Any, TypeVar

    Item = TypeVar("Item")

_LENGTH_ERROR = 1e-3  # far above float32's, far below what changed bits do

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)

BATCH = 500
"""Rows that are read or looked up together; older SQLite builds bind at most 999 values."""

_READ_TOGETHER = 256
"""So few that a part stays in the processor's cache: a million vectors load a third faster."""


def to_blob(text: str) -> bytes:
    """Return free text (paths, names, errors) as bytes that sort like the text.

    SQLite's own text cannot hold the surrogates that stand for undecodable bytes of file names.
    """
    return text.encode("utf-8", "surrogatepass")


def from_blob(stored: bytes) -> str:
    """Return what `to_blob` was given."""
    return stored.decode("utf-8", "surrogatepass")


def to_id(text: str) -> str | bytes:
    """Return what to look for in a column of ids: bytes, which equal no id, if no id is so."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return to_blob(text)
    return text


def to_micros(moment: datetime | None) -> int | None:
    """Return microseconds since 1970 UTC. Raises UsageError for a date without time zone."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise UsageError(
            f"The date {moment.isoformat()} has no time zone; add one, such as +00:00."
        )
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(stored: int | None) -> datetime | None:
    """Return what `to_micros` was given, in UTC."""
    return None if stored is None else _EPOCH + stored * _MICROSECOND


def now_micros() -> int:
    """Return this process's clock as `to_micros` would."""
    return (datetime.now(timezone.utc) - _EPOCH) // _MICROSECOND


def to_vector_blob(vector: np.ndarray, dimensions: int) -> bytes:
    """Return a (dimensions,) vector of length 1 as little-endian float32.

    Raises UsageError if it has another shape or length.
    """
    return unit_vector(vector, dimensions).astype("<f4").tobytes()


def from_vector_blob(stored: bytes) -> np.ndarray:
    """Return a vector as (dimensions,) float32."""
    return np.frombuffer(stored, "<f4").astype(np.float32)


def from_vector_blobs(stored: Sequence[bytes], dimensions: int) -> np.ndarray:
    """Return vectors as (n, dimensions) float32. Raises IndexFailure for damaged ones."""
    vectors = np.frombuffer(b"".join(stored), "<f4")
    if vectors.size != len(stored) * dimensions:
        raise damaged("an embedding of the wrong size")
    vectors = vectors.reshape(len(stored), dimensions).astype(np.float32, copy=False)
    with np.errstate(over="ignore"):
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    if not (np.abs(lengths - 1.0) < _LENGTH_ERROR).all():
        raise damaged("an embedding that is not of length 1")
    return vectors


def marks(count: int) -> str:
    """Return so many placeholders for bound values: `?, ?, ?`."""
    return ", ".join("?" * count)


def parts(
    connection: sqlite3.Connection, query: str, values: Sequence[object] = ()
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield what a query finds as plain tuples, some at once: for millions of rows."""
    cursor = connection.cursor()
    cursor.row_factory = None
    cursor.execute(query, values)
    while part := cursor.fetchmany(_READ_TOGETHER):
        yield part


def batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield a sequence in parts of at most BATCH."""
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
