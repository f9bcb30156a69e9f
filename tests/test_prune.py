"""Prune forgets paths that no longer hold what was indexed there, and nothing else."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from indexer import open_index
from indexer.ingest import ingest
from indexer.prune import gone_files, prune
from indexer.records import Deleted
from tests.clips import faces_of, photo, still

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.engines.base import Index


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with open_index(tmp_path / "faces.sightings", create=True) as index:
        yield index


@pytest.fixture
def folder(tmp_path, portraits, index, networks) -> Path:
    """A folder of two photos that are indexed."""
    folder = tmp_path / "media"
    photo(folder / "eileen.png", still(portraits, "eileen"))
    photo(folder / "grace.png", still(portraits, "grace"))
    ingest(index, [folder], networks)
    return folder


def gone(index: Index) -> list[str]:
    return [file.path for file in gone_files(index)]


def test_nothing_is_gone_while_every_file_is_where_it_was(index, folder) -> None:
    os.utime(folder / "grace.png", (1_000_000, 1_000_000))
    assert gone(index) == []


def test_a_media_whose_only_file_is_gone_is_deleted(index, folder) -> None:
    (folder / "grace.png").unlink()
    assert gone(index) == [str(folder / "grace.png")]
    assert prune(index, gone_files(index)) == Deleted(media=1, faces=1)
    assert [media.paths for media in index.iter_media()] == [(str(folder / "eileen.png"),)]
    assert (index.count(), gone(index)) == (1, [])


def test_a_media_with_another_path_only_loses_the_one_that_is_gone(index, folder, networks) -> None:
    shutil.copyfile(folder / "grace.png", folder / "copy.png")
    ingest(index, [folder], networks)
    (folder / "grace.png").unlink()
    assert prune(index, gone_files(index)) == Deleted()
    paths = [media.paths for media in index.iter_media()]
    assert paths == [(str(folder / "copy.png"),), (str(folder / "eileen.png"),)]
    assert index.count() == 2


def test_a_path_with_other_bytes_now_is_gone(index, folder, portraits) -> None:
    photo(folder / "grace.png", still(portraits, "coffee"))
    assert gone(index) == [str(folder / "grace.png")]


def test_the_media_that_a_changed_file_was_is_deleted(index, folder, portraits, networks) -> None:
    photo(folder / "grace.png", still(portraits, "eileen", shift=8))
    ingest(index, [folder], networks)
    assert gone(index) == []
    assert prune(index, []) == Deleted(media=1, faces=1)
    assert {media.path for media in index.iter_media()} == {
        str(folder / "eileen.png"),
        str(folder / "grace.png"),
    }


def test_a_folder_in_the_place_of_a_file_or_no_folder_at_all_means_gone(index, folder) -> None:
    (folder / "grace.png").unlink()
    (folder / "grace.png").mkdir()
    assert gone(index) == [str(folder / "grace.png")]
    shutil.rmtree(folder)
    folder.write_text("a file where the folder was")
    assert gone(index) == [str(folder / "eileen.png"), str(folder / "grace.png")]


def test_what_is_out_of_reach_is_not_gone(without_root, portraits, networks) -> None:
    folder = without_root / "media"
    path = photo(folder / "grace.png", still(portraits, "grace"))
    with open_index(without_root / "faces.sightings", create=True) as index:
        ingest(index, [folder], networks)
        folder.chmod(0)
        try:
            assert gone(index) == []
            assert len(faces_of(index)) == 1
        finally:
            folder.chmod(0o700)
        os.utime(path, (1_000_000, 1_000_000))
        path.chmod(0)
        assert gone(index) == []
