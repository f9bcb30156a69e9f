"""SQLite's errors, and values it cannot take, become Sightings' errors here."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from indexer.errors import IndexFailure, IndexLocked, StorageFull, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def translated(path: Path, *, writing: bool = False) -> Iterator[None]:
    """Raise what happens to the index at `path` as an IndexFailure that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translate(error, path, writing=writing) from error
    except (UnicodeEncodeError, OverflowError) as error:
        raise UsageError(f"A value cannot be looked up or stored in an index: {error}.") from error


def _translate(error: sqlite3.Error, path: Path, *, writing: bool) -> IndexFailure:
    # Python 3.10 gives only SQLite's fixed messages, no codes, so they decide.
    message = str(error)
    if "is locked" in message or "locking protocol" in message:
        return IndexLocked(
            f"The index {path} is being written by another process that keeps it locked. "
            "Try again when it has finished, or stop it."
        )
    if "is full" in message:
        return StorageFull(
            f"There is no space left to write the index {path}. What was stored before is intact. "
            "Free some space and try again."
        )
    if writing and "disk I/O error" in message:
        return StorageFull(
            f"The index {path} cannot grow: the disk, a quota or a limit on file sizes is used up, "
            "or the disk is failing. What was stored before is intact. Make room and try again."
        )
    if "not a database" in message:
        return IndexFailure(f"{path} is not an index of Sightings. Give the path of another file.")
    if "malformed" in message or "corrupt" in message:
        return IndexFailure(
            f"The index {path} is damaged ({message}). Restore it from a backup, or delete it and "
            "index the media again."
        )
    if "readonly" in message or "unable to open" in message:
        return IndexFailure(
            f"The index {path} cannot be written ({message}). Its file and its folder must be "
            "writable, even for searching: allow that, or copy the index to such a folder."
        )
    if "closed database" in message:
        return IndexFailure(f"The index {path} is closed; open it again.")
    return IndexFailure(f"The index {path} cannot be used: {message}.")


def damaged(what: str) -> IndexFailure:
    """Return the error of an index whose tables are readable and hold what cannot be.

    what: which part it is, such as "an embedding of the wrong size".
    """
    return IndexFailure(
        f"The index is damaged: it holds {what}. Restore it from a backup, or delete it and index "
        "the media again."
    )
