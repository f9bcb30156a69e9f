"""Opening an index file: what it must be, and how a new one is made."""

from __future__ import annotations

import os
import sqlite3
import time
from typing import TYPE_CHECKING

from indexer.engines.embedded.failures import translated
from indexer.engines.embedded.schema import (
    APPLICATION_ID,
    MIGRATIONS,
    PAGE_BYTES,
    SCHEMA_VERSION,
    TABLES,
)
from indexer.errors import IndexFailure

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
_APPLICATION_ID_AT = slice(68, 72)


def open_database(path: Path, *, create: bool, busy_timeout_s: float) -> sqlite3.Connection:
    """Open the index file at `path`, which is absolute, or make it.

    Raises IndexFailure, saying what to do, for whatever is not a usable index.
    """
    if create:
        _make_file(path)
    _check_header(path)
    if not (_may_write(path) and _may_write(path.parent)):
        raise IndexFailure(
            f"The index {path} cannot be written. Its file and its folder must be writable, even "
            "for searching: allow that, or copy the index to such a folder."
        )
    with translated(path, writing=True):
        connection = sqlite3.connect(
            path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False
        )
        try:
            _set_up(connection, path, create=create, busy_timeout_s=busy_timeout_s)
        except BaseException:
            connection.close()
            raise
    return connection


def _make_file(path: Path) -> None:
    """Make an empty file for a new index, if there is none."""
    try:
        # Faces are biometric data: nobody but the user may read the file, nor SQLite's
        # companion files, which take over its mode.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    except FileNotFoundError as error:
        raise IndexFailure(f"The folder {path.parent} does not exist. Create it first.") from error
    except OSError as error:
        raise IndexFailure(
            f"No index can be made at {path} ({error.strerror}). Choose a folder that you may "
            "write to."
        ) from error


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _check_header(path: Path) -> None:
    """Raise IndexFailure if the file is absent or not an index; it may be empty.

    The file is looked at before SQLite opens it, so that files of others are left untouched.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise IndexFailure(f"{path} is a device, pipe or socket, not an index. Name another path.")
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except FileNotFoundError as error:
        raise IndexFailure(f"There is no index at {path}. Run `sightings index` first.") from error
    except IsADirectoryError as error:
        raise IndexFailure(
            f"{path} is a folder; an index is a file. Give a file's path."
        ) from error
    except OSError as error:
        raise IndexFailure(f"The index {path} cannot be read ({error.strerror}).") from error
    application_id = int.from_bytes(header[_APPLICATION_ID_AT], "big")
    if header and not (header.startswith(_MAGIC) and application_id == APPLICATION_ID):
        raise IndexFailure(f"{path} is not an index of Sightings. Give the path of another file.")


def _set_up(
    connection: sqlite3.Connection, path: Path, *, create: bool, busy_timeout_s: float
) -> None:
    connection.row_factory = sqlite3.Row
    # Asked of SQLite, which undoes what a process that was killed while creating has left.
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        if not create:
            raise IndexFailure(f"{path} is empty, not an index yet. Run `sightings index` first.")
        _create_tables(connection)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise IndexFailure(
            f"The index {path} was written by a newer Sightings (its tables have version {version},"
            f" this program knows {SCHEMA_VERSION}). Upgrade Sightings."
        )
    if version < SCHEMA_VERSION:
        _migrate(connection)
    _use_wal(connection, path, busy_timeout_s)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = OFF")


def _create_tables(connection: sqlite3.Connection) -> None:
    """Make the tables, unless another process was faster."""
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    connection.execute("BEGIN EXCLUSIVE")
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        for statement in _statements(TABLES):
            connection.execute(statement)
    connection.execute("COMMIT")


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring older tables up to date, as a whole or not at all, unless another process has."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        for older in range(version, SCHEMA_VERSION):
            for statement in _statements(MIGRATIONS[older]):
                connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> list[str]:
    """Split a script; `executescript` would commit the transaction first."""
    statements, rest = [], ""
    for line in script.splitlines(keepends=True):
        rest += line
        if sqlite3.complete_statement(rest):
            statements.append(rest)
            rest = ""
    return statements


def _use_wal(connection: sqlite3.Connection, path: Path, busy_timeout_s: float) -> None:
    # SQLite does not wait for others when it changes the journal mode, so this does.
    deadline = time.monotonic() + busy_timeout_s
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            break
        except sqlite3.OperationalError as error:
            if "is locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    if mode != "wal":
        raise IndexFailure(
            f"The file system of {path} does not offer the shared memory that an index needs; "
            "network drives often do not. Put the index on a local disk."
        )
