"""`sightings media`, `faces`, `stats`, `models` and `settings`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from indexer.engines import open_index
from indexer.records import MediaFile
from tests.cli.conftest import ODD_NAME
from tests.cli.running import sightings

if TYPE_CHECKING:
    from tests.cli.conftest import Library


def names(documents: list[dict]) -> list[str]:
    return sorted(Path(document["path"]).name for document in documents)


ALL = sorted(["anna.jpg", "ben.jpg", "clip.mp4", "maybe.jpg", "running.mp4", ODD_NAME])


def test_media_are_listed_with_kind_state_and_length(library: Library) -> None:
    lines = [line.split() for line in sightings("media", "list").out.splitlines()]
    assert lines[0] == ["id", "kind", "state", "length", "path"]
    rows = {line[-1].rsplit("/", 1)[-1]: line[1:-1] for line in lines[1:]}
    assert rows["anna.jpg"] == ["photo", "done"]
    assert rows["clip.mp4"] == ["video", "done", "01:00.0"]
    assert rows["running.mp4"] == ["video", "working", "02:00.0"]
    assert f'{library.folder}/it\'s "odd" [bold]\\nÜ漢.jpg' in sightings("media", "list").out


@pytest.mark.usefixtures("library")
def test_media_are_listed_as_json() -> None:
    listed = sightings("media", "list", "--json").document
    assert names(listed) == ALL
    (anna,) = (media for media in listed if media["path"].endswith("anna.jpg"))
    assert anna["recorded_at"] == "2024-05-01T12:00:00+00:00"
    assert (anna["kind"], anna["state"]) == ("photo", "done")
    assert (anna["width"], anna["height"]) == (640, 480)


def test_a_media_is_named_by_its_path_or_the_first_digits_of_its_id(library: Library) -> None:
    clip = library.in_clip[0].split("-")[0]
    for name in (library.folder / "clip.mp4", clip, clip[:6]):
        (shown,) = sightings("media", "show", name, "--json").document
        assert shown["id"] == clip
        assert [segment["state"] for segment in shown["segments"]] == ["done"]


def test_all_that_is_known_of_a_media_is_shown(library: Library) -> None:
    lines = sightings("media", "show", library.folder / "running.mp4").out.splitlines()
    assert f"paths: {library.folder}/running.mp4" in lines
    assert "state: working" in lines
    assert [line.split()[:2] for line in lines[-3:]] == [
        ["segment", "state"],
        ["0", "done"],
        ["1", "pending"],
    ]


def test_removed_media_are_gone_with_their_faces_and_labels(library: Library) -> None:
    run = sightings("media", "remove", library.folder / "anna.jpg", "--yes")
    assert run.code == 0
    assert run.out.endswith("\nDeleted 1 media, 1 face, 1 label.\n")
    left = [name for name in ALL if name != "anna.jpg"]
    assert names(sightings("media", "list", "--json").document) == left
    assert sightings("search", "--stored-face", library.anna).code == 1


def test_uploads_are_removed_with_their_media_and_other_files_stay(
    library: Library, tmp_path: Path
) -> None:
    anna = library.anna.split("-")[0]
    upload = tmp_path / "uploads" / anna[:2] / anna / "anna.jpg"
    other = tmp_path / "anna.jpg"
    for path in (upload, other):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"a photo")
        with open_index(str(library.index)) as index:
            index.put_file(MediaFile(str(path), 7, 0, anna))
    root = f"api.media_root={tmp_path / 'uploads'}"
    run = sightings("media", "remove", anna, "--yes", "--set", root)
    assert run.code == 0
    assert run.out.endswith("\nDeleted 1 media, 1 face, 1 label.\nDeleted 1 uploaded file.\n")
    assert not upload.exists()
    assert list((tmp_path / "uploads").iterdir()) == []
    assert other.exists()


def test_an_upload_that_lies_elsewhere_is_told(library: Library, tmp_path: Path) -> None:
    anna = library.anna.split("-")[0]
    upload = tmp_path / "uploads" / anna[:2] / anna / "anna.jpg"
    upload.parent.mkdir(parents=True)
    upload.write_bytes(b"a photo")
    with open_index(str(library.index)) as index:
        index.put_file(MediaFile(str(upload), 7, 0, anna))
    run = sightings("media", "remove", anna, "--yes")
    assert run.code == 0
    assert f"The upload {upload} is still there" in run.err
    assert upload.exists()


def test_nothing_is_removed_where_nobody_can_be_asked(library: Library) -> None:
    run = sightings("media", "remove", library.folder / "anna.jpg")
    assert run.code == 2
    assert "Nobody can answer here: give --yes." in run.err
    assert names(sightings("media", "list", "--json").document) == ALL


def test_nothing_is_removed_if_one_of_the_media_is_unknown(library: Library) -> None:
    run = sightings("media", "remove", library.folder / "anna.jpg", "quatsch", "--yes")
    assert run.code == 1
    assert "No media 'quatsch' in the index; `sightings media list` shows them." in run.err
    assert names(sightings("media", "list", "--json").document) == ALL


def test_pruning_deletes_the_media_whose_files_are_gone(library: Library) -> None:
    run = sightings("media", "prune", "--yes")
    assert run.code == 0
    assert f"{library.folder}/anna.jpg" in run.out.splitlines()
    assert "Forgot 6 paths." in run.out
    assert "Deleted 6 media, 9 faces, 2 labels." in run.out
    assert sightings("media", "list").code == 1
    assert sightings("media", "prune").out == "Nothing to prune: every file is where it was.\n"


def test_an_index_without_media_says_so(tmp_path: Path) -> None:
    with open_index(str(tmp_path / "empty.sightings"), create=True):
        pass
    run = sightings("media", "list", "--index", tmp_path / "empty.sightings")
    assert (run.code, run.out) == (1, "")
    assert "no photos or videos yet: sightings index PATH..." in run.err


def test_faces_are_listed_with_ids_that_other_commands_take(library: Library) -> None:
    run = sightings("faces", library.folder / "clip.mp4")
    rows = [line.split() for line in run.out.splitlines()]
    assert rows[0] == ["face", "person", "time", "appearance", "size", "prob."]
    assert [row[2:4] for row in rows[1:]] == [
        ["00:02.0", "00:02.0–00:06.0"],
        ["00:04.0", "00:02.0–00:06.0"],
        ["00:15.0", "00:15.0–00:19.0"],
        ["00:30.0", "00:30.0–00:40.0"],
    ]
    assert rows[1][1] == "-"
    assert rows[1][4:] == ["50", "px", "0.950"]
    found = sightings("search", "--stored-face", rows[1][0], "--json")
    assert found.document["results"][0]["best"]["face_id"] == library.in_clip[0]


def test_faces_as_json_tell_their_appearance(library: Library) -> None:
    faces = sightings("faces", library.folder / "clip.mp4", "--json").document
    assert [face["face_id"] for face in faces] == list(library.in_clip)
    assert faces[0]["appearance"]["start_s"] == 2.0
    assert faces[0]["appearance"]["end_s"] == 6.0
    assert faces[0]["person"] is None
    (anna,) = sightings("faces", library.folder / "anna.jpg", "--json").document
    assert (anna["person"], anna["appearance"]) == ("Anna", None)


def test_pictures_of_faces_are_written(library: Library, tmp_path: Path) -> None:
    run = sightings("faces", library.folder / "anna.jpg", "--thumbnails", tmp_path / "a" / "b")
    assert run.code == 0
    picture = tmp_path / "a" / "b" / f"{library.anna}.jpg"
    assert picture.read_bytes().startswith(b"\xff\xd8")


def test_pictures_that_cannot_be_written_are_reported(library: Library, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    run = sightings("faces", library.folder / "anna.jpg", "--thumbnails", tmp_path / "taken")
    assert run.code == 3
    assert f"The faces cannot be written to {tmp_path / 'taken'}" in run.err


def test_statistics_count_what_there_is(library: Library) -> None:
    stats = sightings("stats", "--json").document
    assert (stats["photos"], stats["videos"], stats["faces"]) == (4, 2, 9)
    assert (stats["people"], stats["labels"], stats["appearances"]) == (2, 2, 3)
    assert stats["location"] == str(library.index)
    assert "media working: 1\n" in sightings("stats").out


def test_models_are_listed_with_licences_and_what_they_need(home: Path) -> None:
    listed = {model["spec"]: model for model in sightings("models", "--json").document}
    assert {"facenet", "facenet:PATH", "dlib"} <= set(listed)
    assert listed["facenet"]["dimensions"] == 512
    assert "111,898,327 bytes" in listed["facenet"]["missing"]
    assert listed["dlib"]["thresholds"]["same_person"] > listed["dlib"]["thresholds"]["possible"]
    text = sightings("models").out
    assert "dlib\n    dimensions: 128\n" in text
    assert "    licence: CC0 1.0\n" in text
    assert home.is_dir()


def test_settings_are_listed_with_their_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTINGS_FACES_MIN_FACE_PX", "77")
    assert sightings("settings", "--json").document["faces.min_face_px"] == 77
    text = sightings("settings").out
    assert "faces.min_face_px = 77\n    smallest face" in text
    assert "(SIGHTINGS_FACES_MIN_FACE_PX)\n" in text
