"""A folder in LFW's layout: which photos are measured."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from indexer.errors import UsageError
from indexer.evaluation.photo_folder import list_photos, select

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "people"
    for name in ("Ben/2.jpg", "Ben/1.png", "Ann Lee/1.jpg", "Ben/3.JPG"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_photos_are_those_in_the_folders_of_people(folder: Path) -> None:
    (folder / "notes.txt").touch()
    (folder / "nobody.jpg").touch()
    (folder / "Ben" / "clip.mp4").touch()
    (folder / "Ben" / ".hidden.jpg").touch()
    (folder / "Ben" / "deeper").mkdir()
    (folder / "Ben" / "deeper" / "4.jpg").touch()
    assert list_photos(folder) == ("Ann Lee/1.jpg", "Ben/1.png", "Ben/2.jpg", "Ben/3.JPG")


def test_a_folder_without_anybody_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "loose.jpg").touch()
    with pytest.raises(UsageError, match="no photo of a person"):
        list_photos(tmp_path)
    with pytest.raises(UsageError, match="is no folder"):
        list_photos(tmp_path / "loose.jpg")


def test_of_each_person_the_first_photos_by_name_are_taken(folder: Path) -> None:
    photos = select(folder, list_photos(folder), most_photos=2)
    assert photos.names == ("Ann Lee/1.jpg", "Ben/1.png", "Ben/2.jpg")
    assert photos.paths == [folder / name for name in photos.names]


def test_the_digest_tells_photos_by_name_and_content_wherever_they_lie(
    folder: Path, tmp_path: Path
) -> None:
    names = list_photos(folder)
    whole = select(folder, names).digest
    moved = shutil.copytree(folder, tmp_path / "elsewhere")
    assert select(moved, names).digest == whole
    assert select(folder, names[1:]).digest != whole
    (moved / "Ben" / "1.png").write_text("another")
    assert select(moved, names).digest != whole


def test_a_photo_that_is_gone_is_an_error_in_words(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"Ben/9\.jpg"):
        select(folder, ["Ben/9.jpg"])
