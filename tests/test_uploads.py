"""Deleting media deletes their uploads, and no other file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from indexer.settings_api import ApiSettings
from indexer.uploads import DeletedUploads, delete_uploads, media_root, upload_folder
from tests.engines.builders import photo

if TYPE_CHECKING:
    from indexer.records import Media


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return media_root(ApiSettings(media_root=str(tmp_path / "uploads")))


def media_at(*paths: Path) -> Media:
    """Return a media with files at these paths, which are made."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"a photo")
    return replace(photo("a"), paths=tuple(map(str, paths)))


def test_an_upload_goes_with_the_folders_that_were_made_for_it(root: Path) -> None:
    path = upload_folder(root, photo("a").id) / "a.jpg"
    media = media_at(path)
    assert delete_uploads([media], root) == DeletedUploads(1)
    assert list(root.iterdir()) == []
    assert delete_uploads([media], root) == DeletedUploads(0)


def test_every_name_of_an_upload_goes(root: Path) -> None:
    folder = upload_folder(root, photo("a").id)
    assert delete_uploads([media_at(folder / "a.jpg", folder / "b.jpg")], root).files == 2
    assert not folder.exists()


def test_other_files_stay_wherever_they_lie(root: Path, tmp_path: Path) -> None:
    media_id = photo("a").id
    others = (
        tmp_path / "a.jpg",
        root / "a.jpg",
        root / media_id[:2] / "a.jpg",
        upload_folder(root, media_id) / "deeper" / "a.jpg",
        upload_folder(root, photo("b").id) / "a.jpg",
    )
    assert delete_uploads([media_at(*others)], root) == DeletedUploads(0)
    assert all(path.exists() for path in others)


def test_what_a_link_in_the_folder_of_uploads_leads_to_stays(root: Path, tmp_path: Path) -> None:
    folder = upload_folder(root, photo("a").id)
    media = media_at(tmp_path / "elsewhere" / "a.jpg")
    folder.parent.mkdir(parents=True)
    folder.symlink_to(tmp_path / "elsewhere")
    linked = replace(media, paths=(str(folder / "a.jpg"),))
    assert delete_uploads([linked], root) == DeletedUploads(0, (folder / "a.jpg",))
    assert (tmp_path / "elsewhere" / "a.jpg").exists()


def test_uploads_to_another_folder_are_told_and_stay(root: Path, tmp_path: Path) -> None:
    path = upload_folder(tmp_path / "before", photo("a").id) / "a.jpg"
    assert delete_uploads([media_at(path)], root) == DeletedUploads(0, (path,))
    assert path.exists()


def test_an_upload_that_cannot_be_deleted_is_told(root: Path) -> None:
    path = upload_folder(root, photo("a").id) / "a.jpg"
    media = replace(photo("a"), paths=(str(path),))
    path.mkdir(parents=True)  # what unlink() refuses, whoever one is
    assert delete_uploads([media], root) == DeletedUploads(0, (path,))


def test_the_folder_of_uploads_is_the_setting_or_lies_in_the_users_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "link").symlink_to(tmp_path)
    assert media_root(ApiSettings(media_root=str(tmp_path / "link" / "up"))) == tmp_path / "up"
    assert Path("media") == media_root(ApiSettings()).relative_to(tmp_path / "sightings")
