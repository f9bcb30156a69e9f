"""The connection to an index file: transactions, one at a time, and purging."""

from __future__ import annotations

import sqlite3
import threading
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.engines.embedded.failures import translated
from indexer.engines.embedded.opening import open_database
from indexer.errors import PurgeUnfinished

if TYPE_CHECKING:
    from collections.abc import Iterator


class Database:
    """An open index file. Threads may share it: a lock lets one transaction run at a time.

    What was committed outlives the process, however it ends. A power cut, or a crash of the system,
    may undo the last commits as if they had never been (SQLite's synchronous=NORMAL; waiting for
    the disk took 5 ms a commit here): a few segments are then worked on again. What cannot be
    worked out again, names and deletions, is on the disk once acknowledged (FULL).
    """

    def __init__(self, path: str, *, create: bool, busy_timeout_s: float) -> None:
        self.path = Path(path).absolute()
        self._lock = threading.RLock()
        self._connection = open_database(self.path, create=create, busy_timeout_s=busy_timeout_s)
        self._finish_interrupted_purge(busy_timeout_s)

    def close(self) -> None:
        """Close the connection; the last one to an index moves the WAL into the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Run a block on one unchanging state of the index."""
        with self._lock, translated(self.path), self._transaction("BEGIN"):
            yield self._connection

    @contextmanager
    def writing(self, *, to_disk: bool = False) -> Iterator[sqlite3.Connection]:
        """Run a block that changes the index as a whole, or not at all if it raises.

        to_disk: wait until the change, and all before it, would outlive a power cut.
        Raises IndexLocked if another process keeps the write lock past the busy timeout.
        """
        with self._lock, translated(self.path, writing=True):
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if to_disk else 'NORMAL'}")
            with self._transaction("BEGIN IMMEDIATE"):
                yield self._connection

    @contextmanager
    def deleting(self) -> Iterator[sqlite3.Connection]:
        """Run a block as `writing` does, and afterwards make what it deleted unrecoverable.

        Raises PurgeUnfinished, saying what is left to do, if others keep old pages in use; the
        deletion holds all the same. A mark in the file makes the next opening finish the purge if
        it was cut short.
        """
        with self._lock:
            with self.writing(to_disk=True) as connection:
                connection.execute("INSERT INTO unpurged (mark) VALUES (?)", (uuid.uuid4().hex,))
                yield connection
            self._purge()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        self._connection.execute(begin)
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # SQLite itself may have rolled back, as it does when the disk is full.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _purge(self) -> None:
        """Rewrite the file without what was deleted, and empty the WAL.

        secure_delete zeroes deleted rows, but not the copies that SQLite leaves in the gaps of
        pages when it balances them (a test shows them); VACUUM leaves none. It takes about a
        second for 40,000 faces and needs, for a while, twice the space of the index.
        """
        try:
            marks = self._connection.execute("SELECT mark FROM unpurged").fetchall()
            self._connection.execute("VACUUM")
            busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if not busy:
                self._connection.executemany("DELETE FROM unpurged WHERE mark = ?", marks)
        except sqlite3.Error as error:
            raise self._unpurged(f"rewriting it failed ({error})") from error
        if busy:
            raise self._unpurged("another process is reading an older state of it")

    def _unpurged(self, reason: str) -> PurgeUnfinished:
        return PurgeUnfinished(
            f"What was to be deleted is no longer in the index {self.path}, but its bytes are "
            f"still in the files, because {reason}. Make room on the disk, if that is the reason, "
            "and stop the other programs that use the index; the next one that opens it removes "
            "the bytes."
        )

    def _finish_interrupted_purge(self, busy_timeout_s: float) -> None:
        """Purge what an earlier deletion left, unless others use the index: then it is left."""
        with self.reading() as connection:
            unpurged = connection.execute("SELECT count(*) FROM unpurged").fetchone()[0]
        if unpurged:
            self._connection.execute("PRAGMA busy_timeout = 0")
            with suppress(PurgeUnfinished):
                self._purge()
            self._connection.execute(f"PRAGMA busy_timeout = {round(busy_timeout_s * 1000)}")
