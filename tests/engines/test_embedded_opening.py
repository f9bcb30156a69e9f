"""Opening the embedded engine's file, and every way in which that can go wrong."""

from __future__ import annotations

import os
import sqlite3
import stat
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.engines import open_index
from indexer.engines.embedded.schema import APPLICATION_ID, SCHEMA_VERSION
from indexer.errors import IndexFailure, UsageError
from tests.engines.builders import MODEL, add_photo, axis, make_label

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def location(tmp_path: Path) -> Path:
    return tmp_path / "faces.sightings"


def make_index(location: Path) -> None:
    with open_index(str(location), create=True) as index:
        for n in range(200):
            add_photo(index, f"p{n}", axis(n % 8))


def test_a_new_index_is_one_private_file_that_can_be_recognised(location: Path) -> None:
    with open_index(str(location), create=True) as index:
        index.adopt_model(MODEL)
        files = sorted(location.parent.iterdir())
        assert files[0] == location
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert list(location.parent.iterdir()) == [location]
    connection = sqlite3.connect(location)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_closed_index_opens_again_with_everything(location: Path) -> None:
    make_index(location)
    for create in (False, True):
        with open_index(str(location), create=create) as index:
            assert (index.count(), index.model) == (200, MODEL)
            assert len(index.search(axis(0), 1000)) == 200


def test_a_path_may_look_like_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (":memory:", "file:x?mode=memory", "it's 100% 写真.db", "undecodable \udcff"):
        with open_index(name, create=True) as index:
            add_photo(index, "p", axis(0))
        with open_index(name) as index:
            assert index.count() == 1
        assert (tmp_path / name).stat().st_size > 0


def test_a_missing_index_says_to_index_first(location: Path) -> None:
    with pytest.raises(IndexFailure, match=r"no index at .*sightings index"):
        open_index(str(location))
    assert not location.exists()


def test_an_empty_file_is_an_index_only_to_be(location: Path) -> None:
    location.touch()
    with pytest.raises(IndexFailure, match=r"empty.*sightings index"):
        open_index(str(location))
    with open_index(str(location), create=True) as index:
        assert index.count() == 0


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(IndexFailure, match=r"folder .*nowhere does not exist"):
        open_index(str(tmp_path / "nowhere" / "faces.sightings"), create=True)


def test_a_folder_is_no_index(tmp_path: Path) -> None:
    for create in (False, True):
        with pytest.raises(IndexFailure, match="is a folder"):
            open_index(str(tmp_path), create=create)


@pytest.mark.parametrize("content", [b"x", b"\xff\xd8\xff\xe0 JPEG" * 1000, b"SQLite format 3\0"])
def test_a_file_of_another_kind_is_refused_and_left_alone(location: Path, content: bytes) -> None:
    location.write_bytes(content)
    for create in (False, True):
        with pytest.raises(IndexFailure, match="not an index of Sightings"):
            open_index(str(location), create=create)
    assert location.read_bytes() == content
    assert list(location.parent.iterdir()) == [location]


def test_a_database_of_another_program_is_refused_and_left_alone(location: Path) -> None:
    connection = sqlite3.connect(location)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    content = location.read_bytes()
    with pytest.raises(IndexFailure, match="not an index of Sightings"):
        open_index(str(location), create=True)
    assert location.read_bytes() == content


def test_an_index_of_a_newer_program_is_refused(location: Path) -> None:
    make_index(location)
    connection = sqlite3.connect(location)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(IndexFailure, match="newer Sightings"):
        open_index(str(location))


def test_a_damaged_index_is_reported_as_such(location: Path) -> None:
    make_index(location)
    content = bytearray(location.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    location.write_bytes(content)
    with pytest.raises(IndexFailure, match="damaged"), open_index(str(location)) as index:
        list(index.iter_faces())


@pytest.mark.parametrize("value", [float("nan"), 1e30, 0.0])
def test_damaged_embeddings_are_reported_and_not_passed_over(location: Path, value: float) -> None:
    make_index(location)
    connection = sqlite3.connect(location)
    with connection:
        broken = np.full(8, value, "<f4").tobytes()
        connection.execute("UPDATE vectors SET embedding = ? WHERE face = 7", (broken,))
    connection.close()
    with open_index(str(location)) as index, pytest.raises(IndexFailure, match="damaged"):
        index.search(axis(0), 5)


@pytest.mark.parametrize("place", ["/dev/null", "pipe"])
def test_a_device_or_pipe_is_refused_at_once(tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    if place == "pipe":
        os.mkfifo(path)
    with pytest.raises(IndexFailure, match="not an index"):
        open_index(str(path), create=True)


def test_a_truncated_index_is_reported_as_damaged(location: Path) -> None:
    make_index(location)
    location.write_bytes(location.read_bytes()[: 5 * 8192])
    with pytest.raises(IndexFailure, match="damaged"), open_index(str(location)) as index:
        list(index.iter_faces())


def test_a_closed_index_says_so(location: Path) -> None:
    index = open_index(str(location), create=True)
    index.close()
    with pytest.raises(IndexFailure, match="closed"):
        index.count()


@pytest.mark.parametrize("scheme", ["http", "https", "Milvus"])
def test_a_location_that_no_engine_serves_is_a_usage_error(scheme: str) -> None:
    with pytest.raises(UsageError, match="no index engine"):
        open_index(f"{scheme}://localhost:9200/faces", create=True)


def test_a_value_that_cannot_be_looked_up_is_a_usage_error(location: Path) -> None:
    with open_index(str(location), create=True) as index, pytest.raises(UsageError):
        index.get_face("\udcff")


def test_an_error_within_a_change_undoes_all_of_it(location: Path) -> None:
    with open_index(str(location), create=True) as index:
        (face,) = add_photo(index, "p", axis(0))
        unusable = make_label(face, "Eve", media_id="\udcff")
        with pytest.raises(UsageError):
            index.label([make_label(face, "Ann"), unusable])
        assert index.list_labels() == []


def test_a_place_that_may_not_be_written_is_named(without_root: Path) -> None:
    location = without_root / "faces.sightings"
    make_index(location)
    without_root.chmod(0o500)
    with pytest.raises(IndexFailure, match="cannot be written"):
        open_index(str(location))
    with pytest.raises(IndexFailure, match="may write"):
        open_index(str(without_root / "new.sightings"), create=True)
    without_root.chmod(0o700)
    location.chmod(0o400)
    with pytest.raises(IndexFailure, match="cannot be written"):
        open_index(str(location), create=True)
    location.chmod(0o000)
    with pytest.raises(IndexFailure, match="cannot be read"):
        open_index(str(location))
    location.chmod(0o600)
    with open_index(str(location)) as index:
        assert index.count() == 200
