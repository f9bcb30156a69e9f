"""Deleting media deletes their uploads, and no other file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from indexer.settings import Settings
from indexer.settings_api import ApiSettings
from indexer.uploads import DeletedUploads, delete_uploads, media_root, upload_folder
from tests.engines.builders import photo

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.records import Media


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return media_root(Settings(api=ApiSettings(media_root=str(tmp_path / "uploads"))))


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


def test_the_folder_of_uploads_is_the_setting_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    api = ApiSettings(media_root=str(tmp_path / "link" / "up"))
    for index in ("", "one.sightings", "elasticsearch://localhost/one"):
        assert media_root(Settings(index=index, api=api)) == tmp_path / "up"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "sightings"


def test_without_the_setting_each_index_has_a_folder_of_its_own(data: Path) -> None:
    indexes = (
        "",
        "/archive/one.sightings",
        "/archive/two.sightings",
        "/other/one.sightings",
        "elasticsearch://localhost/one",
        "elasticsearch://other/one",
        "elasticsearch+https://localhost/one",
    )
    roots = [media_root(Settings(index=index)) for index in indexes]
    assert len(set(roots)) == len(indexes)
    assert {root.parent for root in roots} == {data / "media"}
    names = [root.name.rpartition("-")[0] for root in roots]
    assert names == ["faces", "one", "two", "one", "one", "one", "one"]


def test_that_folder_is_the_same_however_the_index_is_written(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    written = ("one.sightings", tmp_path / "one.sightings", tmp_path / "link" / "one.sightings")
    assert len({media_root(Settings(index=str(index))) for index in written}) == 1
    nodes = ("elasticsearch://a,b/one", "elasticsearch://B:9200,a/one")
    assert len({media_root(Settings(index=index)) for index in nodes}) == 1
    default = str(data / "faces.sightings")
    assert media_root(Settings()) == media_root(Settings(index=default))


def test_names_that_no_folder_may_have_are_shortened(data: Path) -> None:
    for name in ("ü" * 120, ".hidden", "\udcff", " "):
        root = media_root(Settings(index=f"/archive/{name}.sightings"))
        root.mkdir(parents=True)
        assert root.parent == data / "media"
