"""Adding photos and videos over HTTP, and the jobs that come of it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from indexer.media import content_id
from indexer.work import work_on_queued
from tests.clips import clip, photo, shot, still

ADDRESS = "/api/v1/media"


@pytest.fixture
def new_photo(tmp_path: Path, portraits) -> Path:
    return photo(tmp_path / "new" / "anna.png", still(portraits, "grace", shift=20))


def sent(*files: tuple[bytes, str], **fields: Any) -> dict[str, Any]:
    listed = [(io.BytesIO(content), name) for content, name in files]
    return {"data": {"file": listed, **fields}, "content_type": "multipart/form-data"}


def work(service, networks) -> None:
    """Do what workers were told of."""
    for media_id in service.sent:
        work_on_queued(service.index, media_id, networks)


def uploads(service) -> list[str]:
    root = Path(service.settings.api.media_root)
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())


def test_an_upload_is_kept_by_what_it_holds_queued_and_found_once_it_is_done(
    service, networks, new_photo
) -> None:
    media_id, content = content_id(new_photo), new_photo.read_bytes()
    answer = service.post(ADDRESS, **sent((content, "../../anna é.png")))
    assert (answer.status_code, answer.json["failed"]) == (202, [])
    (queued,) = answer.json["queued"]
    assert (queued["id"], queued["state"], service.sent) == (media_id, "queued", [media_id])
    assert uploads(service) == [f"{media_id[:2]}/{media_id}/anna é.png"]
    assert service.get(queued["file_url"]).data == content

    job = service.get(answer.json["url"]).json
    assert (job["id"], job["state"], job["media"]["queued"]) == (
        answer.json["batch"], "queued", 1,
    )  # fmt: skip
    work(service, networks)
    job = service.get(answer.json["url"]).json
    assert (job["state"], job["media"]["done"]) == ("done", 1)
    assert (job["segments"]["total"], job["segments"]["done"]) == (1, 1)
    found = service.post("/api/v1/search", json={"person": "Grace"}).json["lists"][0]["results"]
    assert media_id in {result["media"]["id"] for result in found}


def test_the_same_upload_again_changes_nothing(service, networks, new_photo) -> None:
    form = (new_photo.read_bytes(), "anna.png")
    first = service.post(ADDRESS, **sent(form)).json
    again = service.post(ADDRESS, **sent(form)).json
    assert [media["id"] for media in again["under_way"]] == [first["queued"][0]["id"]]
    work(service, networks)
    done = service.post(ADDRESS, **sent(form)).json
    assert [media["state"] for media in done["skipped"]] == ["done"]
    assert len(uploads(service)) == 1


def test_deleting_an_upload_deletes_its_file_and_no_other(service, networks, new_photo) -> None:
    content = new_photo.read_bytes()
    media = service.post(ADDRESS, **sent((content, "anna.png"))).json["queued"][0]
    work(service, networks)
    answer = service.client.delete(media["url"]).json
    assert (answer["media"], answer["files"]) == (1, 1)
    assert uploads(service) == []
    assert new_photo.read_bytes() == content


def test_a_file_in_media_root_that_was_no_upload_is_not_deleted(serve, tmp_path, networks) -> None:
    service = serve(roots=str(tmp_path / "uploads"))
    own = photo(tmp_path / "uploads" / "own.png", still({}, colour=(1, 2, 3)))
    media = service.post(ADDRESS, json={"paths": [str(own)]}).json["queued"][0]
    work(service, networks)
    assert service.client.delete(media["url"]).json["files"] == 0
    assert own.exists()


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"<html></html>", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_photo_or_video_is_not_kept(service, content: bytes) -> None:
    answer = service.post(ADDRESS, **sent((content, "photo.jpg")))
    assert (answer.status_code, answer.json["code"]) == (422, "media_refused")
    assert "photo.jpg" in answer.json["detail"]
    assert str(service.settings.api.media_root) not in answer.json["detail"]
    assert (uploads(service), service.sent) == ([], [])


def test_of_several_files_the_good_ones_are_taken(service, new_photo) -> None:
    answer = service.post(ADDRESS, **sent((b"none", "x.jpg"), (new_photo.read_bytes(), "y.png")))
    assert answer.status_code == 202
    assert len(answer.json["queued"]) == 1
    (failed,) = answer.json["failed"]
    assert "x.jpg" in failed


def test_uploads_that_are_too_large_or_too_long_are_refused(serve, tmp_path, portraits) -> None:
    service = serve(max_upload_bytes=20_000, max_duration_s=1.0)
    film = clip(tmp_path / "film.mp4", shot(portraits, "eileen", 10))
    answer = service.post(ADDRESS, **sent((film.read_bytes(), "film.mp4")))
    assert answer.json["code"] in ("media_refused", "too_large")
    answer = service.post(ADDRESS, **sent((b"x" * 30_000, "x.jpg")))
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")
    answer = service.post(ADDRESS, **sent((b"x" * (2 << 20), "x.jpg")))
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")
    assert uploads(service) == []


def test_a_video_that_is_too_long_is_refused(serve) -> None:
    service = serve(max_duration_s=1.0)
    film = service.archive.folder / "both.mp4"
    answer = service.post(ADDRESS, **sent((film.read_bytes(), "film.mp4")))
    assert (answer.status_code, answer.json["code"]) == (422, "media_refused")
    assert "film.mp4 is 2 s long" in answer.json["detail"]


def test_paths_below_the_roots_are_queued_where_they_lie(serve, tmp_path, new_photo) -> None:
    service = serve(roots=f"/nowhere, {tmp_path / 'new'}")
    answer = service.post(ADDRESS, json={"paths": [str(tmp_path / "new")]})
    assert [media["path"] for media in answer.json["queued"]] == [str(new_photo)]
    assert uploads(service) == []


def test_paths_elsewhere_are_refused_links_included(serve, tmp_path, new_photo) -> None:
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    service = serve(roots=str(allowed))
    (allowed / "link.png").symlink_to(new_photo)
    (allowed / "folder").symlink_to(new_photo.parent)
    loop = allowed / "loop"
    loop.symlink_to(loop)
    for path in (
        str(new_photo), "/etc/passwd", f"{allowed}/../new/anna.png", str(allowed / "link.png"),
        str(allowed / "folder"), str(allowed / "folder" / "anna.png"), "relative.png",
        f"{allowed}\0", str(tmp_path / "not there"), "",
    ):  # fmt: skip
        answer = service.post(ADDRESS, json={"paths": [path]})
        assert (answer.status_code, answer.json["code"]) == (403, "path_refused"), path
    answer = service.post(ADDRESS, json={"paths": [str(allowed)]})
    assert answer.json["queued"] == []
    assert len(answer.json["failed"]) == 3
    assert new_photo.name not in str(answer.json["failed"]), "it lies outside"
    assert service.sent == []


def test_without_roots_no_path_may_be_given(service, new_photo) -> None:
    answer = service.post(ADDRESS, json={"paths": [str(new_photo)]})
    assert (answer.status_code, answer.json["code"]) == (403, "path_refused")


@pytest.mark.parametrize(
    "request_",
    [
        {"json": {}},
        {"json": {"paths": []}},
        {"json": {"paths": "x"}},
        {"json": {"paths": ["x"], "extra": 1}},
        {"data": {"force": "perhaps"}, "content_type": "multipart/form-data"},
        {"data": {"files": (io.BytesIO(b""), "x")}, "content_type": "multipart/form-data"},
        {"data": {}, "content_type": "multipart/form-data"},
    ],
    ids=[
        "nothing",
        "no paths",
        "paths as text",
        "an unknown field",
        "a word for a truth value",
        "an empty file of an unknown field",
        "an empty form",
    ],
)
def test_what_adds_nothing_is_refused(service, request_) -> None:
    answer = service.post(ADDRESS, **request_)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")


def test_what_is_queued_can_be_taken_back_with_its_upload(service, networks, new_photo) -> None:
    queued = service.post(ADDRESS, **sent((new_photo.read_bytes(), "anna.png"))).json
    answer = service.post(f"{queued['url']}/cancel")
    assert answer.json["removed"] == [queued["queued"][0]["id"]]
    assert answer.json["deleted"]["files"] == 1
    assert uploads(service) == []
    assert service.get(queued["queued"][0]["url"]).status_code == 404
    work(service, networks)
    assert service.get(queued["url"]).json["code"] == "job_not_found"


def test_a_single_media_can_be_taken_back(service, new_photo) -> None:
    media = service.post(ADDRESS, **sent((new_photo.read_bytes(), "anna.png"))).json["queued"][0]
    assert service.post(f"{media['url']}/cancel").json["removed"] == [media["id"]]
    done = service.archive.media["grace.png"]
    assert service.post(f"{ADDRESS}/{done.id}/cancel").json["untouched"] == [done.id]


def test_what_failed_can_be_tried_again(service, networks, new_photo) -> None:
    queued = service.post(ADDRESS, **sent((new_photo.read_bytes(), "anna.png"))).json
    (name,) = uploads(service)
    kept = Path(service.settings.api.media_root, name)
    content = kept.read_bytes()
    kept.unlink()
    work(service, networks)
    job = service.get(queued["url"]).json
    assert (job["state"], job["media"]["failed"]) == ("failed", 1)
    (media,) = service.get(job["media_url"]).json["items"]
    assert media["error"]

    kept.write_bytes(content)
    service.sent.clear()
    again = service.post(f"{queued['url']}/retry")
    assert (again.status_code, len(again.json["queued"])) == (202, 1)
    work(service, networks)
    assert service.get(queued["url"]).json["state"] == "done"
    assert len(service.post(f"{media['url']}/retry").json["skipped"]) == 1


def test_jobs_are_listed_in_pages_the_latest_first(service, tmp_path, portraits) -> None:
    made = []
    for i in range(3):
        path = photo(tmp_path / f"{i}.png", still(portraits, "grace", shift=i + 1))
        answer = service.post(ADDRESS, **sent((path.read_bytes(), path.name)))
        made.append(answer.json["batch"])
    seen, cursor = [], ""
    while cursor is not None:
        page = service.get(f"/api/v1/jobs?limit=2{cursor and f'&cursor={cursor}'}").json
        seen += [job["id"] for job in page["items"]]
        cursor = page["next_cursor"]
    assert seen == made[::-1]


def test_jobs_that_are_not_there_are_said_so(service) -> None:
    for call in (
        service.get("/api/v1/jobs/unknown"),
        service.get("/api/v1/jobs/unknown/media"),
        service.post("/api/v1/jobs/unknown/cancel"),
        service.post("/api/v1/jobs/unknown/retry"),
    ):
        assert (call.status_code, call.json["code"]) == (404, "job_not_found")
    assert service.get("/api/v1/jobs?cursor=WzFd").json["code"] == "invalid"
    assert service.post(f"{ADDRESS}/{'0' * 32}/retry").json["code"] == "media_not_found"


def test_metrics_tell_of_requests_searches_and_the_index(service, new_photo) -> None:
    service.post("/api/v1/search", json={"person": "Grace"})
    service.post(ADDRESS, **sent((new_photo.read_bytes(), "anna.png")))
    text = service.get("/metrics").text
    for line in (
        'sightings_search_seconds_count{query="person"} 1.0',
        'sightings_search_stage_seconds_count{stage="find"} 1.0',
        'sightings_media{state="done"} 3.0',
        'sightings_media{state="queued"} 1.0',
        'sightings_segments{state="done"} 3.0',
        "sightings_index_up 1.0",
        "sightings_queue_messages NaN",
        'sightings_http_requests_total{method="POST",route="/api/v1/media",status="202"} 1.0',
    ):
        assert line in text
