"""What of uploads stays in media_root: one file of each media, and nothing of what failed."""

from __future__ import annotations

import io
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from api.app import create_app
from indexer import open_index
from indexer.errors import BrokerFailure
from indexer.jobs import enqueue, no_send
from indexer.settings import KeyframeSettings, Settings
from indexer.settings_api import ApiSettings
from indexer.work import claim_next, work_on_queued
from tests.api.answers import code
from tests.clips import photo, still
from tests.engines.builders import finish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

ADDRESS = "/api/v1/media"


@pytest.fixture
def content(tmp_path: Path, portraits) -> bytes:
    """A photo that is not indexed yet."""
    return photo(tmp_path / "new" / "anna.png", still(portraits, "grace", shift=20)).read_bytes()


def send(client: Any, *files: tuple[bytes, str], **fields: Any) -> Any:
    listed = [(io.BytesIO(each), name) for each, name in files]
    return client.post(ADDRESS, data={"file": listed, **fields}, content_type="multipart/form-data")


def left_in(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*") if path.is_file())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the service of `serve` keeps uploads."""
    return tmp_path / "uploads"


@pytest.fixture
def empty(tmp_path: Path, root: Path) -> Iterator[Flask]:
    """A service on a new index, for which no model was chosen."""
    location = tmp_path / "new.sightings"
    api = ApiSettings(keys_file=str(tmp_path / "private" / "keys.json"), media_root=str(root))
    app = create_app(
        Settings(index=str(location), api=api),
        lambda: open_index(location, create=True),
        send=lambda _: None,
    )
    yield app
    app.extensions["sightings"].close()


def test_without_a_model_nothing_is_taken_in_and_whose_matter_that_is(empty, root, content) -> None:
    answer = send(empty.test_client(), (content, "anna.png"))
    assert code(answer) == (503, "model_unavailable")
    assert "--" not in answer.json["detail"], "clients have no command line"
    assert left_in(root) == []


def test_the_same_bytes_under_another_name_are_kept_once(service, root, content) -> None:
    send(service, (content, "anna.png"))
    answer = send(service, (content, "holiday.png"), (content, "again.png"))
    (media,) = answer.json["under_way"]
    assert left_in(root) == ["anna.png"]
    assert [Path(path).name for path in media["paths"]] == ["anna.png"]


def test_what_failed_before_leaves_no_file_when_it_is_sent_under_another_name(
    service, networks, root, content
) -> None:
    send(service, (content, "anna.png"))
    (kept,) = root.rglob("anna.png")
    kept.unlink()
    for media_id in service.sent:
        work_on_queued(service.index, media_id, networks)
    answer = send(service, (content, "other.png"))
    assert "failed before" in answer.json["failed"][0]
    assert left_in(root) == []
    answer = send(service, (content, "other.png"), force="true")
    assert len(answer.json["queued"]) == 1
    assert left_in(root) == ["other.png"]


def test_an_index_that_fails_in_between_leaves_no_file(service, root, content) -> None:
    """Another process holds the index for writing for longer than the service waits."""
    other = sqlite3.connect(service.archive.location, isolation_level=None)
    assert service.index.model
    other.execute("BEGIN IMMEDIATE")
    answer = send(service, (content, "anna.png"))
    assert code(answer) == (503, "index_unavailable")
    assert left_in(root) == []
    other.execute("ROLLBACK")
    other.close()
    assert len(send(service, (content, "anna.png")).json["queued"]) == 1
    assert left_in(root) == ["anna.png"]


def test_a_broker_that_is_away_is_told_and_the_upload_stays_queued(serve, root, content) -> None:
    service = serve()

    def away(_: Any) -> None:
        raise BrokerFailure("Redis cannot be reached.")

    service.app.extensions["sightings"].send = away
    answer = send(service, (content, "anna.png"))
    assert code(answer) == (503, "queue_unavailable")
    assert left_in(root) == ["anna.png"]
    queued = service.get(f"{ADDRESS}?state=queued").json["items"]
    assert [Path(media["path"]).name for media in queued] == ["anna.png"]


@pytest.mark.parametrize("of", ["job", "media"])
def test_a_cancellation_that_others_hold_up_deletes_the_upload_all_the_same(
    service, root, content, of: str
) -> None:
    queued = send(service, (content, "anna.png")).json
    reading = sqlite3.connect(service.archive.location, isolation_level=None)
    reading.execute("BEGIN")
    reading.execute("SELECT count(*) FROM media").fetchone()
    address = queued["url"] if of == "job" else queued["queued"][0]["url"]
    answer = service.post(f"{address}/cancel")
    assert code(answer) == (503, "purge_unfinished")
    assert left_in(root) == []
    assert service.get(queued["queued"][0]["url"]).status_code == 404
    reading.close()


def test_what_somebody_else_removes_meanwhile_holds_up_no_cancellation(
    service, monkeypatch
) -> None:
    """A video that is half new is ended as such, unless it is gone by then."""
    video, index = service.archive.media["both.mp4"], service.index
    settings = replace(service.settings, keyframes=KeyframeSettings(segment_s=1.0))
    batch = enqueue(index, [video.path], settings, send=no_send, force=True).batch
    finish(index, claim_next(index, video.id, "a/1/1.0/x"))
    cancel_media = index.cancel_media

    def cancelled_and_removed(media_ids: list[str]) -> Any:
        done = cancel_media(media_ids)
        assert done.cut_short == (video.id,)
        index.delete_media([video.id])
        return done

    monkeypatch.setattr(index, "cancel_media", cancelled_and_removed)
    answer = service.post(f"/api/v1/jobs/{batch}/cancel")
    assert (answer.status_code, answer.json["cut_short"]) == (200, [])


def test_a_folder_that_cannot_be_is_told_without_its_path(serve, tmp_path, content) -> None:
    (tmp_path / "file").write_text("none")
    service = serve(media_root=str(tmp_path / "file" / "uploads"))
    answer = send(service, (content, "anna.png"))
    assert code(answer) == (503, "unavailable")
    assert str(tmp_path) not in answer.text


def test_an_answer_names_the_job_that_there_is_or_none(service, networks, content) -> None:
    first = send(service, (content, "anna.png")).json
    again = send(service, (content, "anna.png")).json
    assert (again["batch"], again["url"]) == (first["batch"], first["url"])
    assert service.get(again["url"]).status_code == 200
    for media_id in service.sent:
        work_on_queued(service.index, media_id, networks)
    done = send(service, (content, "anna.png")).json
    assert (done["batch"], done["url"], len(done["skipped"])) == (None, None, 1)
    media_url = first["queued"][0]["url"]
    assert service.post(f"{media_url}/retry").json["url"] is None
    assert service.post(f"{first['url']}/retry").json["url"] == first["url"]


def test_the_service_itself_opens_no_photo_or_video(serve, content, tmp_path, monkeypatch) -> None:
    """Neither what is uploaded nor what lies below the roots: other processes do."""
    service = serve(roots=str(tmp_path / "roots"))
    film = (service.archive.folder / "both.mp4").read_bytes()
    (tmp_path / "roots").mkdir()
    (tmp_path / "roots" / "other.mp4").write_bytes(film + b"2")
    for library in ("av.open", "PIL.Image.open"):
        monkeypatch.setattr(library, _refuse)
    sent = send(service, (content, "anna.png"), (film + b"1", "film.mp4")).json
    assert len(sent["queued"]) == 2, sent
    named = service.post(ADDRESS, json={"paths": [str(tmp_path / "roots")]}).json
    assert len(named["queued"]) == 1, named
    segments = service.get(named["queued"][0]["url"]).json["segments"]
    assert [segment["number"] for segment in segments] == [0]


def _refuse(*_: Any, **__: Any) -> None:
    raise AssertionError("the service opened a photo or video by itself")


def test_a_video_under_a_photos_name_is_indexed_as_the_video_that_it_is(
    service, networks, root
) -> None:
    film = (service.archive.folder / "both.mp4").read_bytes() + b"\0"
    (queued,) = send(service, (film, "film.jpg")).json["queued"]
    assert (queued["kind"], left_in(root)) == ("video", ["film.jpg"])
    for media_id in service.sent:
        work_on_queued(service.index, media_id, networks)
    media = service.get(queued["url"]).json
    assert (media["state"], media["error"]) == ("done", None)
