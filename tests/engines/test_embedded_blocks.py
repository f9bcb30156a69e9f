"""Blocks of quantised vectors in the file change no answer and keep nothing that is gone."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.engines.embedded.coding import quantised
from indexer.engines.embedded.connection import Database
from indexer.engines.embedded.index import EmbeddedIndex
from indexer.engines.embedded.schema import BLOCK_FACES
from indexer.engines.embedded.vectors import VectorTable
from indexer.errors import IndexFailure
from tests.engines.builders import OTHER_MODEL, photo
from tests.engines.test_embedded_coding import CODINGS, coding_of, unit
from tests.engines.test_embedded_deletion import traces
from tests.engines.test_embedded_exact import add, found, found_groups, noise
from tests.engines.test_embedded_migration import WITHOUT_4

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.records import Face

DIMENSIONS = 64
SIZES = [1, 2, 700, 700, 700, 3]
"""Faces of the photos p0, p1, ...: two blocks, and 58 faces that no block is complete of."""


def open_with(location: Path, coding: str = "int8") -> EmbeddedIndex:
    database = Database(str(location), create=True, busy_timeout_s=5.0)
    return EmbeddedIndex(database, VectorTable(coding_of(coding)))


def write(location: Path) -> list[Face]:
    """Index photos as one load; return their faces."""
    people = np.repeat(noise(50, DIMENSIONS), sum(SIZES) // 50 + 1, axis=0)[: sum(SIZES)]
    vectors = unit(people + 0.1 * noise(sum(SIZES), DIMENSIONS, 1))
    with open_with(location) as index, index.loading():
        parts = np.split(vectors, np.cumsum(SIZES)[:-1])
        return [face for n, part in enumerate(parts) for face in add(index, f"p{n}", part)]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Face]]:
    location = tmp_path_factory.mktemp("blocks") / "faces.sightings"
    return location, write(location)


@pytest.fixture
def location(written: tuple[Path, list[Face]], tmp_path: Path) -> Path:
    """An index of six photos that was made in one load."""
    copy = tmp_path / "faces.sightings"
    copy.write_bytes(written[0].read_bytes())
    return copy


@pytest.fixture
def faces(written: tuple[Path, list[Face]]) -> list[Face]:
    """Its faces, in the order of their numbers, which begin with 1."""
    return written[1]


def change(location: Path, *statements: str) -> None:
    """Change rows past the program."""
    connection = sqlite3.connect(location)
    connection.execute("PRAGMA foreign_keys = ON")
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def stored_blocks(location: Path) -> list[tuple[int, int]]:
    """The version and number of each block in the file."""
    connection = sqlite3.connect(location)
    rows = connection.execute("SELECT version, block FROM blocks ORDER BY 1, 2").fetchall()
    connection.close()
    return rows


def codes_of(faces: list[Face]) -> list[bytes]:
    return [row.tobytes() for row in quantised(np.array([face.vector for face in faces]))["codes"]]


def answers(location: Path, faces: list[Face], coding: str = "int8") -> list[object]:
    """What a new process is told of some faces, one by one and together."""
    queries = np.array([face.vector for face in faces[:: len(faces) // 5]])
    with open_with(location, coding) as index:
        of_each = [found(index, query, 30) for query in queries]
        return [*of_each, found_groups(index, queries, 4, -1.0, 0.9)]


@pytest.mark.parametrize("missing", ["none", "block = 0", "block = 1", "all"])
def test_answers_are_those_without_blocks(location: Path, faces: list[Face], missing: str) -> None:
    expected = answers(location, faces, "float32")
    if missing != "none":
        change(location, f"DELETE FROM blocks WHERE {missing.replace('all', '1')}")
    assert len(stored_blocks(location)) == {"none": 2, "all": 0}.get(missing, 1)
    assert answers(location, faces) == expected


def test_a_block_is_stored_when_no_new_face_can_come_into_it(tmp_path: Path) -> None:
    location = tmp_path / "faces.sightings"
    with open_with(location) as index:
        for name, count, blocks in [("a", BLOCK_FACES - 1, 0), ("b", 1, 1), ("c", 1, 1)]:
            with index.loading():
                add(index, name, noise(count, DIMENSIONS))
            assert len(stored_blocks(location)) == blocks


def test_opening_reads_no_vector_of_a_face_in_a_block(location: Path, faces: list[Face]) -> None:
    unreadable = f"UPDATE vectors SET embedding = x'' WHERE face <= {2 * BLOCK_FACES}"
    change(location, "DROP TRIGGER drop_blocks_of_changed_vector", unreadable)
    with open_with(location) as index:
        index.refresh()
        with pytest.raises(IndexFailure, match="damaged"):  # exact scores take the vectors
            index.search(faces[0].vector, 1)
    with open_with(location, "float32") as index, pytest.raises(IndexFailure, match="damaged"):
        index.refresh()


def test_a_face_of_a_block_whose_vector_is_lost_is_reported(
    location: Path, faces: list[Face]
) -> None:
    lost = "DELETE FROM vectors WHERE face = 1"
    change(location, "DROP TRIGGER drop_block_of_old_vector", lost)
    with open_with(location) as index, pytest.raises(IndexFailure, match="a face that has none"):
        index.search(faces[0].vector, 1)


def test_an_open_index_takes_over_blocks_that_were_added(tmp_path: Path) -> None:
    location, vectors = tmp_path / "faces.sightings", noise(3 * BLOCK_FACES, DIMENSIONS)
    with open_with(location) as index, open_with(location) as reader:
        faces = add(index, "first", vectors[:10])
        assert len(reader.search(vectors[0], 100)) == 10
        with index.loading():
            faces += add(index, "more", vectors[10:])
        assert len(stored_blocks(location)) == 3
        for n in (0, 10, BLOCK_FACES, len(vectors) - 1):
            assert reader.search(vectors[n], 1)[0].face.id == faces[n].id
        assert found(reader, vectors[0], 100) == found(index, vectors[0], 100)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE vectors SET embedding = zeroblob(256) WHERE face = 1030",
        "DELETE FROM vectors WHERE face = 1030",
        "UPDATE vectors SET version = 77 WHERE face = 1030",
        "REPLACE INTO vectors SELECT face, version, x'00' FROM vectors WHERE face = 1030",
        "DELETE FROM faces WHERE number = 1030",
        f"UPDATE faces SET media_id = '{photo('p0').id}' WHERE number = 1030",
    ],
)
def test_whatever_changes_a_face_takes_its_block_away_and_no_other(
    location: Path, statement: str
) -> None:
    change(location, statement)
    assert [block for _, block in stored_blocks(location)] == [0]


def test_names_and_appearances_leave_blocks_alone(location: Path) -> None:
    change(location, "UPDATE faces SET person = x'41', appearance_start_s = 1.0")
    assert len(stored_blocks(location)) == 2


@pytest.mark.parametrize("coding", CODINGS)
def test_a_deleted_face_is_found_no_more_and_its_codes_are_gone(
    location: Path, faces: list[Face], coding: str
) -> None:
    gone, kept = faces[5:1500:50], faces[6:1500:50]
    with open_with(location, coding) as index, open_with(location, coding) as reader:
        assert reader.search(gone[0].vector, 1)[0].face.id == gone[0].id
        assert traces(location, codes_of(gone)) > 0.9 * len(gone)  # a few may lie across pages
        index.delete_faces([face.id for face in gone])
        # What is left of the two blocks is stored again.
        assert len(stored_blocks(location)) == 2
        assert traces(location, codes_of(gone)) == 0
        assert traces(location, codes_of(kept)) > 0.9 * len(kept)
        assert reader.search(gone[0].vector, 1)[0].face.id != gone[0].id
    left = {face.id for face in faces} - {face.id for face in gone}
    with open_with(location, coding) as index:
        assert {hit.face.id for hit in index.search(gone[0].vector, 5000)} == left
    assert answers(location, kept) == answers(location, kept, "float32")


def test_a_deleted_media_leaves_no_trace_in_blocks(location: Path, faces: list[Face]) -> None:
    gone = [face for face in faces if face.media_id == photo("p3").id]
    assert traces(location, codes_of(gone), photo("p3").id) > 690  # a few lie across two pages
    with open_with(location) as index:
        index.delete_media([photo("p3").id])
        assert traces(location, codes_of(gone), photo("p3").id) == 0
        assert len(stored_blocks(location)) == 2


def test_a_media_that_is_indexed_again_is_found_by_its_new_faces(
    location: Path, faces: list[Face]
) -> None:
    new = noise(700, DIMENSIONS, 7)
    with open_with(location) as reader:
        reader.refresh()
        with open_with(location) as index, index.loading():
            again = add(index, "p3", new)  # in the same places, so under the same ids
            assert [block for _, block in stored_blocks(location)] == []
        assert len(stored_blocks(location)) == 2
        assert reader.search(new[9], 1)[0].face.id == again[9].id
        old = next(face for face in faces if face.id == again[9].id)
        assert reader.search(old.vector, 1)[0].face.id != old.id
    assert answers(location, again) == answers(location, again, "float32")


def test_another_model_has_blocks_once_it_is_live(location: Path, faces: list[Face]) -> None:
    model = replace(OTHER_MODEL, dimensions=32)
    vectors = noise(len(faces), 32, 3)
    before = stored_blocks(location)
    expected = answers(location, faces)
    with open_with(location) as index:
        index.begin_version(model)
        by_id = {face.id: vector for face, vector in zip(faces, vectors, strict=True)}
        index.put_vectors(model.key, by_id)
        assert stored_blocks(location) == before
        assert answers(location, faces) == expected
        index.activate_version(model.key)
        assert not set(stored_blocks(location)) & set(before)
        assert len(stored_blocks(location)) == 2
        assert traces(location, codes_of(faces[::100])) == 0
    embedded = [
        replace(face, embedding=vector) for face, vector in zip(faces, vectors, strict=True)
    ]
    assert answers(location, embedded) == answers(location, embedded, "float32")


def test_an_index_of_an_older_version_gets_blocks_when_something_is_written(
    location: Path, faces: list[Face]
) -> None:
    expected = answers(location, faces)
    change(location, *WITHOUT_4.split(";"), "PRAGMA user_version = 3")
    assert answers(location, faces) == expected
    assert stored_blocks(location) == []  # who only asks writes nothing
    with open_with(location) as index, index.loading():
        pass
    assert len(stored_blocks(location)) == 2
    assert answers(location, faces) == expected
