from __future__ import annotations

import os
import shutil
import socket
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from indexer.errors import MediaError
from indexer.media import PHOTO_SUFFIXES, VIDEO_SUFFIXES, content_id, discover, probe
from indexer.settings import MediaSettings
from tests.media_maker import corners, make_audio, make_video, plain

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = MediaSettings()
EXIF_IFD, TAKEN, TAKEN_OFFSET, ORIENTATION = 0x8769, 0x9003, 0x9011, 0x0112


def files_in(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def found(folder: Path, *more: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in discover([folder, *more])]


def photo(path: Path, *, taken: str = "", offset: str = "", orientation: int = 1) -> Path:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif.get_ifd(EXIF_IFD).update({TAKEN: taken, TAKEN_OFFSET: offset})
    Image.fromarray(corners()).save(path, exif=exif)
    return path


# --- which files ------------------------------------------------------------------------------


def test_suffixes_are_lower_case_with_a_dot_and_gif_is_a_photo() -> None:
    for suffix in PHOTO_SUFFIXES | VIDEO_SUFFIXES:
        assert suffix.startswith(".")
        assert suffix == suffix.lower()
    assert ".gif" in PHOTO_SUFFIXES - VIDEO_SUFFIXES


def test_folders_are_searched_for_media_recursively_in_order_of_name(tmp_path: Path) -> None:
    files_in(tmp_path, "b.jpg", "a.MP4", "notes.txt", "c/z.png", "c/d/y.mkv", "e.webp")
    assert found(tmp_path) == ["a.MP4", "b.jpg", "c/d/y.mkv", "c/z.png", "e.webp"]


def test_a_file_given_by_name_is_taken_whatever_its_suffix(tmp_path: Path) -> None:
    files_in(tmp_path, "scan.dat", ".hidden.jpg")
    paths = [tmp_path / "scan.dat", tmp_path / ".hidden.jpg"]
    assert list(discover(paths)) == paths


def test_paths_come_back_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files_in(tmp_path, "here/a.jpg")
    monkeypatch.chdir(tmp_path)
    assert list(discover(["here/../here"])) == [tmp_path / "here" / "a.jpg"]


def test_a_file_met_twice_is_yielded_once(tmp_path: Path) -> None:
    files_in(tmp_path, "a.jpg", "sub/b.jpg")
    assert found(tmp_path, tmp_path / "a.jpg", tmp_path / "sub", tmp_path) == ["a.jpg", "sub/b.jpg"]


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    files_in(tmp_path, ".a.jpg", ".cache/b.jpg", "c.jpg")
    assert found(tmp_path) == ["c.jpg"]


def test_links_are_followed_and_loops_of_links_end(tmp_path: Path) -> None:
    files_in(tmp_path, "album/a.jpg")
    (tmp_path / "album" / "again").symlink_to(tmp_path / "album")
    (tmp_path / "album" / "up").symlink_to(tmp_path)
    (tmp_path / "b.jpg").symlink_to(tmp_path / "album" / "a.jpg")
    (tmp_path / "self.jpg").symlink_to("self.jpg")
    *paths, error = discover([tmp_path])
    assert paths == [tmp_path / "album" / "a.jpg", tmp_path / "b.jpg"]
    assert "self.jpg cannot be read: Too many levels of symbolic links" in str(error)


def test_a_link_to_nothing_is_reported_if_it_is_named_like_media(tmp_path: Path) -> None:
    (tmp_path / "gone.jpg").symlink_to("nowhere")
    (tmp_path / "gone").symlink_to("nowhere")
    (error,) = discover([tmp_path])
    assert isinstance(error, MediaError)
    assert "gone.jpg cannot be read: No such file or directory" in str(error)


def test_a_missing_path_is_reported_and_the_rest_is_found(tmp_path: Path) -> None:
    files_in(tmp_path, "a.jpg")
    error, path = discover([tmp_path / "missing", tmp_path / "a.jpg"])
    assert str(error) == f"{tmp_path}/missing cannot be read: No such file or directory."
    assert path == tmp_path / "a.jpg"


def test_pipes_and_sockets_are_reported_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "socket.jpg"))
        errors = list(discover([tmp_path]))
    assert [str(error) for error in errors] == [
        f"{tmp_path}/{name} is a device, pipe or socket, not a file."
        for name in ("pipe.mp4", "socket.jpg")
    ]
    with pytest.raises(MediaError, match="not a file"):
        content_id(tmp_path / "pipe.mp4")
    with pytest.raises(MediaError, match="not a file"):
        probe(tmp_path / "pipe.mp4", "id", SETTINGS)


def test_an_unreadable_folder_is_reported_and_the_rest_is_found(without_root: Path) -> None:
    files_in(without_root, "a.jpg", "locked/b.jpg", "z.jpg")
    (without_root / "locked").chmod(0)
    first, error, last = discover([without_root])
    (without_root / "locked").chmod(0o700)
    assert [first, last] == [without_root / "a.jpg", without_root / "z.jpg"]
    assert str(error) == f"{without_root}/locked cannot be read: Permission denied."


def test_names_with_quotes_newlines_and_other_alphabets_are_ordinary(tmp_path: Path) -> None:
    names = ["'one' \"two\".png", "a\nb.png", "Größe 人.png", "100%d.png", "-x.png"]
    for name in names:
        photo(tmp_path / name)
    assert sorted(found(tmp_path)) == sorted(names)
    for name in names:
        assert probe(tmp_path / name, content_id(tmp_path / name), SETTINGS).kind == "photo"


def test_a_clip_may_have_a_name_that_looks_like_an_address(tmp_path: Path) -> None:
    clip = make_video(tmp_path / "clip.mp4", plain(3, (9, 9, 9)))
    for name in ("http:x.mp4", "concat:a|b.mp4", "%d \n'人'.mp4"):
        shutil.copy(clip, tmp_path / name)
        assert probe(tmp_path / name, "id", SETTINGS).kind == "video"


def test_a_name_that_is_no_text_is_reported_with_the_advice_to_rename(tmp_path: Path) -> None:
    files_in(tmp_path, "a.jpg", "z.jpg")
    (tmp_path / os.fsdecode(b"m\xff.jpg")).write_bytes(b"x")
    first, error, last = discover([tmp_path])
    assert [first, last] == [tmp_path / "a.jpg", tmp_path / "z.jpg"]
    assert str(error) == f"The name of {tmp_path}/m\\udcff.jpg is not valid UTF-8: rename it."


def test_messages_stay_on_one_line_whatever_the_name(tmp_path: Path) -> None:
    (error,) = discover([tmp_path / "a\nb\x1b[31m.jpg"])
    assert f"{tmp_path}/a\\nb\\x1b[31m.jpg cannot be read" in str(error)


def test_a_path_that_no_file_can_have_is_reported() -> None:
    (error,) = discover(["a\0b.jpg"])
    assert "is no file name" in str(error)


# --- what a file is ---------------------------------------------------------------------------


def test_the_id_is_the_first_half_of_the_sha256_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert content_id(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223"


def test_an_unreadable_file_has_no_id(without_root: Path) -> None:
    files_in(without_root, "a.jpg")
    (without_root / "a.jpg").chmod(0)
    with pytest.raises(MediaError, match=r"a\.jpg cannot be read: Permission denied"):
        content_id(without_root / "a.jpg")


def test_a_photo_is_probed_as_displayed(tmp_path: Path) -> None:
    path = photo(tmp_path / "a.jpg", orientation=6)
    media = probe(path, "id", SETTINGS)
    assert (media.id, media.kind, media.state, media.paths) == ("id", "photo", "queued", ())
    assert (media.width, media.height, media.duration_s) == (96, 160, None)
    assert media.size_bytes == path.stat().st_size


def test_a_video_is_probed_as_displayed(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", plain(50, (200, 0, 0)), rotation=90)
    media = probe(path, "id", SETTINGS)
    assert (media.id, media.kind, media.state, media.paths) == ("id", "video", "queued", ())
    assert (media.width, media.height, media.duration_s) == (96, 160, 2.0)


def test_content_decides_what_a_file_is_and_not_its_name(tmp_path: Path) -> None:
    make_video(tmp_path / "a.mp4", plain(5, (200, 0, 0))).rename(tmp_path / "a.jpg")
    photo(tmp_path / "b.jpg").rename(tmp_path / "b.mp4")
    assert probe(tmp_path / "a.jpg", "id", SETTINGS).kind == "video"
    assert probe(tmp_path / "b.mp4", "id", SETTINGS).kind == "photo"


def test_mpeg_films_are_videos_though_pillow_takes_them_for_pictures(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "a.m1v", plain(5, (9, 9, 9)), codec="mpeg1video", container_format="mpeg1video"
    )
    assert path.read_bytes().startswith(b"\0\0\1\xb3")
    assert probe(path, "id", SETTINGS).kind == "video"


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    with pytest.raises(MediaError, match=r"a\.jpg is empty"):
        probe(tmp_path / "a.jpg", "id", SETTINGS)


@pytest.mark.parametrize("name", ["a.jpg", "a.mp4", "a.txt", "a.m3u8"])
def test_text_is_neither_a_photo_nor_a_video(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("Dear diary,\ntoday nothing happened.\n" * 40)
    with pytest.raises(MediaError, match="neither a photo nor a video"):
        probe(tmp_path / name, "id", SETTINGS)


def test_a_playlist_that_names_other_files_is_no_video(tmp_path: Path) -> None:
    clip = make_video(tmp_path / "a.ts", plain(50, (9, 9, 9)))
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n"
    (tmp_path / "a.m3u8").write_text(f"{head}{clip.name}\n#EXT-X-ENDLIST\n")
    with pytest.raises(MediaError):
        probe(tmp_path / "a.m3u8", "id", SETTINGS)


@pytest.mark.parametrize("name", ["a.mp3", "a.mp4"])
def test_sound_without_pictures_is_no_video(tmp_path: Path, name: str) -> None:
    with pytest.raises(MediaError, match="has no video stream"):
        probe(make_audio(tmp_path / name), "id", SETTINGS)


@pytest.mark.parametrize("name", ["a.mp3", "a.mp4"])
def test_a_cover_picture_makes_sound_no_video(tmp_path: Path, name: str) -> None:
    with pytest.raises(MediaError, match="has no video stream"):
        probe(make_audio(tmp_path / name, cover=corners()), "id", SETTINGS)


def test_a_film_larger_than_allowed_is_refused(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", plain(3, (9, 9, 9)))
    with pytest.raises(MediaError, match=r"160 x 96 pixels.* 15,000 .*media\.max_pixels"):
        probe(path, "id", MediaSettings(max_pixels=15_000))


# --- when it was recorded ---------------------------------------------------------------------


def test_a_photo_date_with_an_offset_is_turned_into_utc(tmp_path: Path) -> None:
    path = photo(tmp_path / "a.jpg", taken="2020:05:06 07:08:09", offset="+02:00")
    recorded = datetime(2020, 5, 6, 5, 8, 9, tzinfo=timezone.utc)
    assert probe(path, "id", SETTINGS).recorded_at == recorded


def test_a_photo_date_without_an_offset_is_taken_as_utc(tmp_path: Path) -> None:
    path = photo(tmp_path / "a.jpg", taken="2020:05:06 07:08:09")
    recorded = datetime(2020, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
    assert probe(path, "id", SETTINGS).recorded_at == recorded


def test_a_video_date_comes_from_its_container(tmp_path: Path) -> None:
    dated = {"creation_time": "2021-06-24T01:44:09Z"}
    path = make_video(tmp_path / "a.mp4", plain(3, (9, 9, 9)), metadata=dated)
    recorded = datetime(2021, 6, 24, 1, 44, 9, tzinfo=timezone.utc)
    assert probe(path, "id", SETTINGS).recorded_at == recorded


@pytest.mark.parametrize(
    "taken",
    [
        "",
        "yesterday",
        "0000:00:00 00:00:00",
        "1700:01:01 00:00:00",
        "1904:01:01 00:00:00",
        "1970:01:01 00:00:00",
        "2020:13:45 99:99:99",
        "2999:01:01 00:00:00",
    ],
)
def test_dates_of_unset_clocks_and_nonsense_are_no_dates(tmp_path: Path, taken: str) -> None:
    assert probe(photo(tmp_path / "a.jpg", taken=taken), "id", SETTINGS).recorded_at is None
