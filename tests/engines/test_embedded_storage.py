"""The embedded engine when space runs out."""

from __future__ import annotations

import resource
import sqlite3
from typing import TYPE_CHECKING

import pytest

from indexer.engines import open_index
from indexer.engines.embedded.failures import translated
from indexer.errors import StorageFull
from indexer.records import Filters
from tests.engines.builders import add_photo, axis
from tests.engines.processes import is_intact, lines_of, start_process

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def limit_files(size: int) -> Callable[[], None]:
    """Return what limits the files that a process may write, as a full disk would."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


# SQLite moves the WAL into the file after 8 MB: first the WAL reaches the limit, then the file.
@pytest.mark.parametrize("size", [2_000_000, 12_000_000])
def test_a_full_disk_is_reported_and_nothing_acknowledged_is_lost(
    tmp_path: Path, size: int
) -> None:
    location = tmp_path / "faces.sightings"
    with open_index(str(location), create=True):
        pass
    lines = lines_of(start_process("write", location, "seed", 100_000, before=limit_files(size)))
    assert lines[-1].startswith(f"full The index {location} cannot grow")
    stored = [line.split()[1] for line in lines if line.startswith("stored")]
    assert len(stored) > 5
    assert is_intact(location)
    with open_index(str(location)) as index:
        for media_id in stored:
            assert index.count(Filters(media_ids=(media_id,))) == 3
        add_photo(index, "afterwards", axis(0))
        assert len(index.search(axis(0), 100_000)) == index.count()


def test_a_new_index_on_a_full_disk_is_reported_and_can_be_made_later(tmp_path: Path) -> None:
    location = tmp_path / "faces.sightings"
    lines = lines_of(start_process("write", location, "seed", 1, before=limit_files(10_000)))
    assert len(lines) == 1
    assert lines[0].startswith("full")
    with open_index(str(location), create=True) as index:
        add_photo(index, "p", axis(0))
        assert index.count() == 1


def test_a_database_that_may_not_grow_counts_as_full(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "small")
    connection.execute("CREATE TABLE t (data BLOB)")
    connection.execute("PRAGMA max_page_count = 3")
    with pytest.raises(StorageFull, match="no space left"), translated(tmp_path, writing=True):
        connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    connection.close()
