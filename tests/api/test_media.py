"""Photos and videos over HTTP: lists, files in ranges, frames, deletion."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.documents import media_document
from indexer.records import MediaFile


def names(answer) -> list[str]:
    return [Path(item["path"]).name for item in answer.json["items"]]


def test_media_are_listed_as_the_command_line_does(service) -> None:
    answer = service.get("/api/v1/media")
    assert names(answer) == ["both.mp4", "eileen.png", "grace.png"]
    for item, media in zip(answer.json["items"], service.index.iter_media(), strict=True):
        document = media_document(media)
        assert {name: item[name] for name in document} == document
    assert [item["content_type"] for item in answer.json["items"]] == [
        "video/mp4", "image/png", "image/png",
    ]  # fmt: skip


def test_pages_follow_each_other_and_end(service) -> None:
    seen, cursor = [], ""
    while cursor is not None:
        answer = service.get(f"/api/v1/media?limit=1{cursor and f'&cursor={cursor}'}")
        seen += names(answer)
        cursor = answer.json["next_cursor"]
    assert seen == ["both.mp4", "eileen.png", "grace.png"]


def test_a_page_goes_on_where_the_last_ended_although_something_was_deleted(service) -> None:
    first = service.get("/api/v1/media?limit=2").json
    service.client.delete(first["items"][0]["url"])
    assert names(service.get(f"/api/v1/media?limit=2&cursor={first['next_cursor']}")) == [
        "grace.png"
    ]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("kind=video", ["both.mp4"]),
        ("file_name=eileen.png&file_name=grace.png", ["eileen.png", "grace.png"]),
        ("named=Grace", ["grace.png"]),
        ("state=failed&state=queued", []),
        ("state=done&kind=photo", ["eileen.png", "grace.png"]),
        ("recorded_from=2024-01-01", []),
    ],
)
def test_media_can_be_filtered(service, filters: str, expected: list[str]) -> None:
    assert names(service.get(f"/api/v1/media?{filters}")) == expected


def test_media_below_a_folder(service) -> None:
    below = service.get("/api/v1/media", query_string={"under": str(service.archive.folder)})
    assert len(below.json["items"]) == 3
    assert service.get("/api/v1/media?under=/elsewhere").json["items"] == []


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "cursor=%21", "cursor=WzFd", "kind=sound", "state=gone",
     "unknown=1", "recorded_from=yesterday", "recorded_to=0001-01-01T00:00:00%2B14:00",
     "under=relative"],
)  # fmt: skip
def test_a_parameter_that_is_not_right_is_refused(service, query: str) -> None:
    answer = service.get(f"/api/v1/media?{query}")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert answer.content_type == "application/problem+json"


def test_a_media_is_shown_with_its_segments(service) -> None:
    media = service.archive.media["both.mp4"]
    answer = service.get(f"/api/v1/media/{media.id}").json
    assert answer["id"] == media.id
    assert [(s["number"], s["state"]) for s in answer["segments"]] == [(0, "done")]


def test_what_is_not_there_is_said_so(service) -> None:
    for address in ("", "/faces", "/file", "/frame"):
        answer = service.get(f"/api/v1/media/{'0' * 32}{address}")
        assert (answer.status_code, answer.json["code"]) == (404, "media_not_found")


def test_the_faces_of_a_video_are_listed_in_order_of_time(service) -> None:
    media = service.archive.media["both.mp4"]
    faces = service.get(f"/api/v1/media/{media.id}/faces").json["items"]
    assert len(faces) >= 2
    assert [face["timestamp_s"] for face in faces] == sorted(f["timestamp_s"] for f in faces)


def file_address(service, name: str = "both.mp4") -> tuple[str, bytes]:
    media = service.archive.media[name]
    return f"/api/v1/media/{media.id}/file", (service.archive.folder / name).read_bytes()


def test_a_file_is_sent_whole(service) -> None:
    address, content = file_address(service)
    answer = service.get(address)
    assert (answer.status_code, answer.data) == (200, content)
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.content_type == "video/mp4"


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=100-299", 100, 300), ("bytes=500-", 500, None),
     ("bytes=-64", -64, None), ("bytes=10-99999999", 10, None), ("bytes=-99999999", 0, None)],
)  # fmt: skip
def test_a_range_of_a_file_is_sent_alone(service, wanted: str, start: int, end) -> None:
    address, content = file_address(service)
    answer = service.get(address, headers={"Range": wanted})
    part = content[start:end]
    first = start % len(content)
    assert (answer.status_code, answer.data) == (206, part)
    assert answer.headers["Content-Range"] == (
        f"bytes {first}-{first + len(part) - 1}/{len(content)}"
    )


def test_a_range_beyond_the_end_is_refused_and_says_the_size(service) -> None:
    address, content = file_address(service)
    answer = service.get(address, headers={"Range": "bytes=99999999-"})
    assert (answer.status_code, answer.json["code"]) == (416, "range_refused")
    assert answer.headers["Content-Range"] == f"bytes */{len(content)}"


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "pages=1-2", "bytes=x", "bytes=5-2"])
def test_a_range_that_cannot_be_served_by_itself_gives_the_whole_file(service, wanted) -> None:
    address, content = file_address(service)
    answer = service.get(address, headers={"Range": wanted})
    assert (answer.status_code, answer.data) == (200, content)


def test_a_range_of_another_file_gives_the_whole_one(service) -> None:
    address, content = file_address(service)
    answer = service.get(address, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (answer.status_code, len(answer.data)) == (200, len(content))
    etag = answer.headers["ETag"]
    answer = service.get(address, headers={"Range": "bytes=0-9", "If-Range": etag})
    assert (answer.status_code, len(answer.data)) == (206, 10)
    unchanged = service.get(address, headers={"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    for name in ("Cache-Control", "ETag"):
        assert unchanged.headers[name] == answer.headers[name]


def test_only_the_head_of_a_file_has_its_size(service) -> None:
    address, content = file_address(service)
    answer = service.client.head(address)
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(content))


def in_another_place(service, tmp_path: Path) -> tuple[str, Path]:
    """Put a copy of Grace's photo where it may be changed; give its address, and where it lies."""
    media, copy = service.archive.media["grace.png"], tmp_path / "copy.png"
    shutil.copy(service.archive.folder / "grace.png", copy)
    status = copy.stat()
    service.index.remove_file(media.path)
    file = MediaFile(str(copy), status.st_size, status.st_mtime_ns, media.id)
    service.index.put_file(file)
    return f"/api/v1/media/{media.id}", copy


def test_a_file_that_has_changed_is_not_sent(service, tmp_path: Path) -> None:
    address, copy = in_another_place(service, tmp_path)
    assert service.get(f"{address}/file").status_code == 200
    copy.write_bytes(b"something else entirely")
    for part in ("file", "frame"):
        answer = service.get(f"{address}/{part}")
        assert (answer.status_code, answer.json["code"]) == (404, "file_unavailable")
    copy.unlink()
    assert service.get(f"{address}/file").json["code"] == "file_unavailable"


def test_with_roots_only_files_below_them_are_sent(serve, tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    service = serve(roots=str(allowed))
    address, copy = in_another_place(service, tmp_path)
    for part in ("file", "frame"):
        answer = service.get(f"{address}/{part}")
        assert (answer.status_code, answer.json["code"]) == (403, "path_refused")
    media = service.archive.media["grace.png"]
    link = allowed / "link.png"
    link.symlink_to(copy)
    status = copy.stat()
    service.index.put_file(MediaFile(str(link), status.st_size, status.st_mtime_ns, media.id))
    assert service.get(f"{address}/file").json["code"] == "path_refused"
    inside = allowed / "inside.png"
    os.link(copy, inside)
    service.index.put_file(MediaFile(str(inside), status.st_size, status.st_mtime_ns, media.id))
    assert service.get(f"{address}/file").status_code == 200


def picture(answer) -> Image.Image:
    assert (answer.status_code, answer.content_type) == (200, "image/jpeg")
    return Image.open(io.BytesIO(answer.data)).convert("RGB")


def test_a_frame_of_a_video_is_the_one_shown_at_that_time(service) -> None:
    media = service.archive.media["both.mp4"]
    early = service.get(f"/api/v1/media/{media.id}/frame?timestamp_s=0.3")
    late = service.get(f"/api/v1/media/{media.id}/frame?timestamp_s=1.7")
    assert (float(early.headers["X-Timestamp-S"]), float(late.headers["X-Timestamp-S"])) == (
        pytest.approx(0.2), pytest.approx(1.6),
    )  # fmt: skip
    assert picture(early).size == (media.width, media.height)
    assert np.abs(np.asarray(picture(early), int)[5, 5] - (70, 110, 80)).max() < 12
    assert np.abs(np.asarray(picture(late), int)[5, 5] - (128, 128, 128)).max() < 12


def test_a_time_after_the_end_shows_the_last_frame(service) -> None:
    media = service.archive.media["both.mp4"]
    answer = service.get(f"/api/v1/media/{media.id}/frame?timestamp_s=9999")
    assert float(answer.headers["X-Timestamp-S"]) == pytest.approx(2.2)


def test_a_photo_is_its_own_frame_and_may_be_reduced(service) -> None:
    media = service.archive.media["grace.png"]
    shown = picture(service.get(f"/api/v1/media/{media.id}/frame?max_side_px=160"))
    assert max(shown.size) == 160


def test_deleting_media_leaves_nothing_in_the_index_and_the_file_where_it_is(service) -> None:
    media = service.archive.media["eileen.png"]
    answer = service.client.delete(f"/api/v1/media/{media.id}")
    assert answer.json == {"media": 1, "faces": 1, "labels": 0, "files": 0, "still_in": []}
    assert service.index.get_media(media.id) is None
    assert Path(media.path).exists()
    assert service.client.delete(f"/api/v1/media/{media.id}").status_code == 404


def test_a_media_that_lies_nowhere_has_no_content_type(service) -> None:
    media = replace(service.archive.media["eileen.png"])
    service.index.remove_file(media.path)
    answer = service.get(f"/api/v1/media/{media.id}")
    assert (answer.status_code, answer.json["content_type"]) == (200, None)


def test_a_deletion_that_others_hold_up_says_that_it_holds(service) -> None:
    """Another process in the middle of reading keeps old pages of the file in use."""
    reading = sqlite3.connect(service.archive.location, isolation_level=None)
    reading.execute("BEGIN")
    reading.execute("SELECT count(*) FROM faces").fetchone()
    media = service.archive.media["eileen.png"]
    answer = service.client.delete(f"/api/v1/media/{media.id}")
    assert (answer.status_code, answer.json["code"]) == (503, "purge_unfinished")
    assert service.get(f"/api/v1/media/{media.id}").status_code == 404
    answer = service.client.delete("/api/v1/people?name=Grace")
    assert (answer.status_code, answer.json["code"]) == (503, "purge_unfinished")
    assert service.get("/api/v1/people").json["items"] == []
    reading.close()
