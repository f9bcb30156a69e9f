"""Index files of older versions of the program are brought up to date when they are opened."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from indexer.engines import open_index
from indexer.engines.embedded.schema import MIGRATIONS, SCHEMA_VERSION
from indexer.records import SegmentSpan
from tests.engines.builders import add_photo, axis, photo

if TYPE_CHECKING:
    from pathlib import Path

ADDED_TO_1 = {
    "media": ("batch", "queued_at", "before"),
    "segments": ("finished_at", "left_out", "warnings"),
}
"""Columns that version 2 added."""

WITHOUT_3 = "DROP TRIGGER log_changed_face; DROP TRIGGER log_changed_media; DROP TABLE changed"
"""What takes away what version 3 added."""

WITHOUT_4 = """
DROP TRIGGER drop_block_of_new_vector; DROP TRIGGER drop_block_of_old_vector;
DROP TRIGGER drop_blocks_of_changed_vector; DROP TRIGGER drop_blocks_of_removed_face;
DROP TRIGGER drop_blocks_of_changed_face; DROP TABLE blocks"""
"""What takes away what version 4 added."""


@pytest.fixture
def location(tmp_path: Path) -> Path:
    """An index file as version 1 made it, with a photo."""
    path = tmp_path / "faces.sightings"
    with open_index(str(path), create=True) as index:
        add_photo(index, "old", axis(0), path="/old.jpg")
    connection = sqlite3.connect(path)
    connection.executescript("DROP INDEX media_of_batch; DROP INDEX media_unfinished")
    connection.executescript(WITHOUT_4)
    connection.executescript(WITHOUT_3)
    for table, columns in ADDED_TO_1.items():
        for column in columns:
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    return path


def schema(path: Path) -> dict[str, Any]:
    """Return the columns of each table, and the indexes."""
    connection = sqlite3.connect(path)
    names = connection.execute("SELECT type, name FROM sqlite_schema").fetchall()
    found = {
        name: connection.execute(f"PRAGMA table_info({name})").fetchall()
        for kind, name in names
        if kind == "table"
    }
    found["version"] = connection.execute("PRAGMA user_version").fetchone()
    found["names"] = sorted(names)
    connection.close()
    return found


def columns(found: dict[str, Any]) -> dict[str, Any]:
    """The same without the columns' places, which differ."""
    return {
        name: sorted(row[1:] for row in value) if name not in ("version", "names") else value
        for name, value in found.items()
    }


def test_there_is_a_migration_from_each_older_version() -> None:
    assert sorted(MIGRATIONS) == list(range(1, SCHEMA_VERSION))


def test_an_old_index_gets_the_tables_of_a_new_one(location: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.sightings"
    open_index(str(new), create=True).close()
    assert columns(schema(location)) != columns(schema(new))
    open_index(str(location)).close()
    assert columns(schema(location)) == columns(schema(new))


def test_an_old_index_keeps_everything_and_takes_new_work(location: Path) -> None:
    with open_index(str(location)) as index:
        (media,) = index.iter_media()
        assert (media.state, media.batch, media.queued_at) == ("done", None, None)
        assert len(index.search(axis(0), 10)) == 1
        (segment,) = index.list_segments(media.id)
        assert (segment.state, segment.finished_at, segment.counts.warnings) == ("done", None, ())
        assert index.queue_media(photo("new"), [SegmentSpan(0)], batch="b")
    with open_index(str(location)) as index:
        assert {media.state for media in index.iter_media()} == {"done", "queued"}


def test_several_may_open_an_old_index_at_once(location: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        for index in threads.map(lambda _: open_index(str(location)), range(8)):
            assert index.count() == 1
            index.close()
