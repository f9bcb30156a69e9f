"""Storing blocks of vectors: cut short, side by side, and damaged ones."""

from __future__ import annotations

import sqlite3
import time
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.engines import open_index
from indexer.engines.embedded import packing
from indexer.engines.embedded.connection import Database
from indexer.engines.embedded.index import open_embedded
from indexer.engines.embedded.schema import BLOCK_FACES
from indexer.errors import IndexFailure
from tests.engines.builders import add_photo, axis, random_vectors
from tests.engines.processes import is_intact, lines_of, next_line, start_process
from tests.engines.test_embedded_blocks import change, stored_blocks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Change = Callable[[bytes], bytes]

BLOCKS = 4
VECTORS = random_vectors(BLOCKS * BLOCK_FACES, seed=1)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    location = tmp_path_factory.mktemp("packing") / "faces.sightings"
    with open_index(str(location), create=True) as index:
        for block in range(BLOCKS):
            add_photo(index, f"p{block}", *VECTORS[block * BLOCK_FACES : (block + 1) * BLOCK_FACES])
    return location


@pytest.fixture
def location(written: Path, tmp_path: Path) -> Path:
    """An index of which four blocks can be stored, and none is."""
    copy = tmp_path / "faces.sightings"
    copy.write_bytes(written.read_bytes())
    return copy


def found(location: Path) -> list[tuple[str, float]]:
    with open_index(str(location)) as index:
        return [(hit.face.id, hit.score) for n in (0, 4000) for hit in index.search(VECTORS[n], 50)]


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_process_that_is_killed_while_it_stores_blocks_leaves_whole_ones(
    location: Path, after: int
) -> None:
    expected = found(location)
    packer = start_process("pack", location)
    assert next_line(packer) == "open"
    while len(stored_blocks(location)) < after:
        time.sleep(0.001)
    packer.kill()
    packer.communicate()
    assert is_intact(location)
    left = [block for _, block in stored_blocks(location)]
    assert left == list(range(len(left)))
    assert found(location) == expected
    with open_index(str(location)) as index, index.loading():
        pass
    assert len(stored_blocks(location)) == BLOCKS
    assert found(location) == expected


def test_processes_that_store_blocks_at_once_store_each_of_them_once(location: Path) -> None:
    expected = found(location)
    packers = [start_process("pack", location) for _ in range(2)]
    for packer in packers:
        assert lines_of(packer) == ["open"]
        assert packer.returncode == 0
    assert [block for _, block in stored_blocks(location)] == list(range(BLOCKS))
    assert is_intact(location)
    assert found(location) == expected


def test_blocks_that_cannot_be_written_are_left_to_the_next_who_writes(location: Path) -> None:
    other = sqlite3.connect(location, isolation_level=None)
    with open_embedded(str(location), busy_timeout_s=0.1) as index:
        other.execute("BEGIN IMMEDIATE")
        with index.loading():
            pass
        other.execute("ROLLBACK")
        assert stored_blocks(location) == []
        with index.loading():
            pass
    other.close()
    assert len(stored_blocks(location)) == BLOCKS


def test_blocks_of_unreadable_vectors_are_left_out_and_a_search_tells(location: Path) -> None:
    change(location, "UPDATE vectors SET embedding = zeroblob(32) WHERE face = 2000")
    with open_index(str(location)) as index:
        with index.loading():
            add_photo(index, "p", axis(0))
        assert [block for _, block in stored_blocks(location)] == [0]
        with pytest.raises(IndexFailure, match="not of length 1"):
            index.search(axis(0), 5)


def test_between_two_media_blocks_are_stored_only_when_many_are_missing(location: Path) -> None:
    database = Database(str(location), create=False, busy_timeout_s=5.0)
    assert packing.pack(database, at_least=BLOCKS + 1) == 0
    assert packing.pack(database, at_least=BLOCKS) == BLOCKS
    assert packing.pack(database) == 0
    database.close()
    with open_index(str(location)) as index:
        # As if faces had come and gone meanwhile: the next has a larger number.
        for number, stored in [(packing.MANY - 1, BLOCKS), (packing.MANY, BLOCKS + packing.MANY)]:
            last = (BLOCKS + number) * BLOCK_FACES
            change(location, f"UPDATE sqlite_sequence SET seq = {last} WHERE name = 'faces'")
            add_photo(index, f"photo {number}", axis(0))
            assert len(stored_blocks(location)) == stored
        assert len(index.search(axis(0), 10_000)) == index.count() == BLOCKS * BLOCK_FACES + 2
    with open_index(str(location)) as index:
        assert len(index.search(axis(0), 10_000)) == index.count()


def test_a_face_without_vector_is_never_found(location: Path) -> None:
    change(location, "DELETE FROM vectors WHERE face = 1")
    with open_index(str(location)) as index, index.loading():
        pass
    assert len(stored_blocks(location)) == BLOCKS
    with open_index(str(location)) as index:
        hits = index.search(VECTORS[0], 10_000)
        assert len(hits) == BLOCKS * BLOCK_FACES - 1
        assert hits[0].score < 1.0


COLUMNS = ("faces", "media_ids", "media", "scales", "errors", "codes")


@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_bit_of_a_block_is_said_and_does_no_harm(
    location: Path, column: str, caplog: pytest.LogCaptureFixture
) -> None:
    with open_index(str(location)) as index, index.loading():
        pass
    rewrite(location, {column: lambda content: bytes([content[0] ^ 1]) + content[1:]}, crc32=None)
    assert_done_without_it(location, caplog, "Block 3 of the index is damaged (its checksum")


def assert_done_without_it(location: Path, caplog: pytest.LogCaptureFixture, text: str) -> None:
    """Assert that a damaged block is told of, is not needed, and is made anew when asked for."""
    with open_index(str(location)) as index:
        assert [hit.score for hit in index.search(VECTORS[4000], 1)] == [1.0]
        assert text in caplog.text
        assert "`sightings optimize` makes it anew" in caplog.text
        index.optimize()
    assert len(stored_blocks(location)) == BLOCKS
    caplog.clear()
    with open_index(str(location)) as index:
        assert [hit.score for hit in index.search(VECTORS[4000], 1)] == [1.0]
        assert not caplog.records


@pytest.mark.parametrize(
    "changes",
    [
        {"codes": lambda content: content[:-1]},
        {"faces": lambda content: content[:-1]},
        {"faces": lambda content: content[:8] + content[:-8]},
        {"faces": lambda content: (np.frombuffer(content, "<i8") + 1).tobytes()},
        {"media": lambda content: content[:-2]},
        {"media": lambda content: content[:-2] + b"\1\0"},
        {"media_ids": lambda _: b"[]"},
        {"media_ids": lambda _: b"\xff"},
        {"scales": lambda content: content[:-4]},
        {"errors": lambda content: content + b"\0\0\0\0"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_parts_of_a_block_that_do_not_fit_are_said_and_do_no_harm(
    location: Path, changes: dict[str, Change], caplog: pytest.LogCaptureFixture
) -> None:
    with open_index(str(location)) as index, index.loading():
        pass
    rewrite(location, changes, crc32=zlib.crc32)
    assert_done_without_it(location, caplog, "Block 3 of the index is damaged (")


def rewrite(
    location: Path, changes: dict[str, Change], crc32: Callable[[bytes], int] | None
) -> None:
    """Change columns of a block; its checksum fits, if crc32 is given."""
    connection = sqlite3.connect(location)
    listed = ", ".join(COLUMNS)
    row = connection.execute(f"SELECT {listed} FROM blocks WHERE block = 3").fetchone()
    contents = dict(zip(COLUMNS, row, strict=True))
    contents |= {column: changed(contents[column]) for column, changed in changes.items()}
    marks = ", ".join(f"{column} = ?" for column in COLUMNS)
    with connection:
        connection.execute(f"UPDATE blocks SET {marks} WHERE block = 3", tuple(contents.values()))
        if crc32:
            fitting = (crc32(b"".join(contents.values())),)
            connection.execute("UPDATE blocks SET crc32 = ? WHERE block = 3", fitting)
    connection.close()
