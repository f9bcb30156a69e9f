"""Storing the blocks of vectors that are missing, where writing comes to an end."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from indexer.engines.embedded import blocks, versions
from indexer.errors import IndexFailure

if TYPE_CHECKING:
    from indexer.engines.embedded.connection import Database

MANY = 16
"""Missing blocks that are worth a pause between two media: less than 0.1 s of each opening."""


def pack(database: Database, *, at_least: int = 1, at_most: int | None = None) -> int:
    """Store missing blocks of the live version, if they are so many; return how many were stored.

    Each is a transaction of its own, after which others have as long a time to write. Whoever
    dies meanwhile leaves the rest to the next who comes here. So does whoever cannot write them, or
    read the vectors: no work fails for want of blocks, and reading or writing what matters tells.
    """
    stored = 0
    with suppress(IndexFailure):
        with database.reading() as connection:
            version = versions.live(connection)
            wanted = () if version is None else blocks.missing(connection, version, at_least)
        for block in wanted[:at_most]:
            with database.writing() as connection:
                began_s = time.monotonic()
                version = versions.live(connection)  # another may have become so
                if version is not None:
                    stored += blocks.store(connection, version, block)
            time.sleep(time.monotonic() - began_s)
    return stored
