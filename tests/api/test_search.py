"""Searches over HTTP: the same answers as the command line, and a choice of faces."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from indexer import open_index
from indexer.documents import search_document
from indexer.query import PictureQueries
from indexer.records import Filters
from indexer.searching import find
from tests.cli.running import sightings
from tests.clips import WIDTH, clip, photo, shot, still

ADDRESS = "/api/v1/search"


@pytest.fixture
def both(tmp_path: Path, portraits) -> Path:
    """Eileen on the left, Grace on the right, one and a half times as large."""
    left = still(portraits, "eileen")
    large = np.repeat(np.repeat(still(portraits, "grace"), 3, axis=0), 3, axis=1)[::2, ::2]
    picture = np.full((large.shape[0], WIDTH + large.shape[1], 3), 128, np.uint8)
    picture[: left.shape[0], :WIDTH] = left
    picture[:, WIDTH:] = large
    return photo(tmp_path / "both.png", picture)


def sent(*paths: Path, **fields: Any) -> dict[str, Any]:
    """Return the form that sends photos."""
    files = [(io.BytesIO(path.read_bytes()), path.name) for path in paths]
    return {"data": {"photo": files, **fields}, "content_type": "multipart/form-data"}


def as_the_command_line(answered: dict[str, Any]) -> dict[str, Any]:
    """Return a list as `--json` prints it: without what only browsers need."""
    more = {"duration_s", "content_type", "media_url", "file_url", "thumbnail_url", "frame_url"}

    def printed(document: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in document.items() if name not in more}

    results = [
        printed(result) | {"appearances": [printed(span) for span in result["appearances"]]}
        for result in answered["results"]
    ]
    return {"query": answered["query"], "results": results}


def found(answer) -> list[str]:
    assert answer.status_code == 200, answer.data
    (listed,) = answer.json["lists"]
    return [Path(result["media"]["path"]).name for result in listed["results"]]


def test_a_stored_face_gives_what_the_command_line_prints(service) -> None:
    face = service.archive.faces["grace.png"]
    answer = service.post(ADDRESS, json={"face_id": face.id})
    assert found(answer)[0] == "grace.png"
    printed = sightings(
        "search", "--stored-face", face.id, "--index", service.archive.location, "--json"
    )
    assert as_the_command_line(answer.json["lists"][0]) == printed.document


def test_a_person_gives_what_the_command_line_prints_under_the_same_filters(service) -> None:
    body = {"person": "Grace", "kind": "video", "top": 5, "include_different": True}
    answer = service.post(ADDRESS, json=body)
    printed = sightings(
        "search", "--person", "Grace", "--kind", "video", "--top", 5, "--all",
        "--index", service.archive.location, "--json",
    )  # fmt: skip
    assert found(answer) == ["both.mp4"]
    assert as_the_command_line(answer.json["lists"][0]) == printed.document
    assert answer.json["lists"][0]["results"][0]["appearances"]


def test_a_photo_gives_what_the_core_finds(service, networks, both) -> None:
    answer = service.post(ADDRESS, **sent(both))
    queries = PictureQueries(
        service.index, service.settings, networks=networks, called=lambda path: path.name
    )
    (query,) = queries.photo(both)
    document = search_document(query, find(service.index, query))
    assert as_the_command_line(answer.json["lists"][0]) == document
    assert set(found(answer)) == {"both.mp4", "grace.png"}


def test_the_faces_of_a_photo_are_offered_with_the_answer(service, both) -> None:
    answer = service.post(ADDRESS, **sent(both))
    (shown,) = answer.json["photos"]
    assert (shown["name"], [face["number"] for face in shown["faces"]]) == ("both.png", [1, 2])
    assert [face["largest"] for face in shown["faces"]] == [False, True]
    assert (shown["width"], shown["height"]) == Image.open(both).size
    chosen = service.post(ADDRESS, **sent(both, face="1"))
    assert set(found(chosen)) == {"both.mp4", "eileen.png"}
    assert chosen.json["lists"][0]["query"]["box"] == shown["faces"][0]["box"]


def test_all_faces_of_a_photo_give_a_list_each(service, both) -> None:
    answer = service.post(ADDRESS, **sent(both, face="all"))
    names = [
        {Path(result["media"]["path"]).name for result in each["results"]}
        for each in answer.json["lists"]
    ]
    assert [each["query"]["face"] for each in answer.json["lists"]] == [1, 2]
    assert names == [{"both.mp4", "eileen.png"}, {"both.mp4", "grace.png"}]


def test_several_photos_are_one_person(service, both) -> None:
    eileen = service.archive.folder / "eileen.png"
    answer = service.post(ADDRESS, **sent(eileen, both, face=["largest", "1"]))
    assert set(found(answer)) == {"both.mp4", "eileen.png"}
    assert answer.json["lists"][0]["query"]["description"] == "2 photos"
    refused = service.post(ADDRESS, **sent(eileen, both, face=["1"]))
    assert (refused.status_code, refused.json["code"]) == (422, "invalid")


def test_pictures_and_files_of_results_can_be_fetched(service) -> None:
    body = {"face_id": service.archive.faces["grace.png"].id}
    for result in service.post(ADDRESS, json=body).json["lists"][0]["results"]:
        for name in ("media_url", "file_url", "thumbnail_url", "frame_url"):
            assert service.get(result[name]).status_code == 200


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"named": ["Grace"]}, ["grace.png"]),
        ({"unnamed": True}, ["both.mp4"]),
        ({"file_name": ["grace.png"]}, ["grace.png"]),
        ({"min_face_px": 4000}, []),
        ({"min_probability": 1.0, "top": 1}, []),
        ({"from_s": 0, "to_s": 0.5}, []),
        ({"min_score": 0.9999}, ["grace.png"]),
        ({"recorded_to": "2000-01-01"}, []),
    ],
    ids=str,
)
def test_a_search_can_be_filtered(service, filters: dict[str, Any], expected) -> None:
    body = {"face_id": service.archive.faces["grace.png"].id, **filters}
    assert found(service.post(ADDRESS, json=body)) == expected


def test_a_search_in_one_media(service) -> None:
    media = service.archive.media["both.mp4"]
    body = {"face_id": service.archive.faces["grace.png"].id, "media": [media.id]}
    assert found(service.post(ADDRESS, json=body)) == ["both.mp4"]
    body["media"] = ["0" * 32]
    assert service.post(ADDRESS, json=body).json["code"] == "media_not_found"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid"),
        ({"face_id": "a", "person": "b"}, 422, "invalid"),
        ({"face_id": "nobody's"}, 404, "face_not_found"),
        ({"person": "Nobody"}, 404, "person_not_found"),
        ({"person": "Grace", "topp": 3}, 422, "invalid"),
        ({"person": "Grace", "top": 0}, 422, "invalid"),
        ({"person": "Grace", "from_s": 2, "to_s": 1}, 422, "invalid"),
        ({"person": "Grace", "named": ["a"], "unnamed": True}, 422, "invalid"),
        ({"person": "\ud800"}, 422, "invalid"),
        (["person"], 422, "invalid"),
    ],
)
def test_a_search_that_cannot_be_made_is_refused(service, body, status: int, code: str) -> None:
    answer = service.post(ADDRESS, json=body)
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_a_body_of_another_kind_is_refused(service) -> None:
    answer = service.post(ADDRESS, data="person=Grace", content_type="text/plain")
    assert (answer.status_code, answer.json["code"]) == (415, "content_type")
    answer = service.post(ADDRESS, data="{", content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (400, "bad_request")


def test_json_that_is_nested_too_deeply_is_no_json(service) -> None:
    answer = service.client.post(ADDRESS, data="[" * 100_000, content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (400, "bad_request")


def test_a_form_takes_every_filter_as_text_and_passes_over_empty_fields(service) -> None:
    grace = service.archive.folder / "grace.png"
    fields = {"named": ["Grace", "123"], "min_face_px": "30", "kind": "photo", "under": ""}
    assert found(service.post(ADDRESS, **sent(grace, **fields))) == ["grace.png"]


def upload(content: bytes, name: str = "x.jpg", **fields: Any) -> dict[str, Any]:
    return {
        "data": {"photo": [(io.BytesIO(content), name)], **fields},
        "content_type": "multipart/form-data",
    }


def test_a_photo_without_a_face_says_what_was_looked_for(service, tmp_path, portraits) -> None:
    coffee = photo(tmp_path / "coffee.png", still(portraits, "coffee"))
    answer = service.post(ADDRESS, **sent(coffee))
    assert (answer.status_code, answer.json["code"]) == (422, "no_face")
    assert "coffee.png" in answer.json["detail"]
    shown = service.post("/api/v1/faces/detect", **sent(coffee)).json["photos"]
    assert [(each["name"], each["faces"]) for each in shown] == [("coffee.png", [])]


@pytest.mark.parametrize("content", [b"", b"no photo", b"\xff\xd8\xff\xe0 cut short"])
def test_what_is_no_photo_is_refused_by_its_name(service, content: bytes) -> None:
    answer = service.post(ADDRESS, **upload(content, "../../etc/passwd"))
    assert (answer.status_code, answer.json["code"]) == (422, "media_refused")
    assert "passwd" in answer.json["detail"]
    assert "/tmp" not in answer.json["detail"]
    assert "etc" not in answer.json["detail"]


def test_more_pixels_than_allowed_are_refused_without_decoding(serve) -> None:
    service = serve(max_query_pixels=100)
    grace = service.archive.folder / "grace.png"
    answer = service.post(ADDRESS, **sent(grace))
    assert (answer.status_code, answer.json["code"]) == (422, "media_refused")
    assert "more than the 100" in answer.json["detail"]


def test_more_bytes_than_allowed_are_refused(serve) -> None:
    service = serve(max_query_bytes=1000, max_query_video_bytes=2000)
    grace = service.archive.folder / "grace.png"
    answer = service.post(ADDRESS, **sent(grace))
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")
    answer = service.post(ADDRESS, **upload(b"x" * (2 << 20)))
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_at_most_so_many_photos_are_taken(serve) -> None:
    service = serve(max_query_photos=2)
    grace = service.archive.folder / "grace.png"
    assert service.post(ADDRESS, **sent(grace, grace)).status_code == 200
    assert service.post(ADDRESS, **sent(grace, grace, grace)).json["code"] == "invalid"


def test_nothing_of_a_query_stays(service) -> None:
    service.post(ADDRESS, **sent(service.archive.folder / "grace.png"))
    service.post(ADDRESS, **upload(b"no photo"))
    assert list(service.app.extensions["sightings"].queries.folder.iterdir()) == []


def test_an_empty_index_says_so(serve, archive) -> None:
    archive.location.unlink()
    open_index(archive.location, create=True).close()
    service = serve()
    answer = service.post(ADDRESS, **sent(archive.folder / "grace.png"))
    assert (answer.status_code, answer.json["code"]) == (409, "index_empty")


def ended(service, address: str) -> dict[str, Any]:
    """Wait until a search for a video has ended and return it."""
    deadline = time.monotonic() + 60
    while (job := service.get(address).json)["state"] in ("queued", "working"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return job


def test_a_video_is_searched_for_in_the_background(service, networks, tmp_path, portraits) -> None:
    path = clip(tmp_path / "query.mp4", shot(portraits, "grace", 6))
    answer = service.post(ADDRESS, **sent(path, kind="photo"))
    assert (answer.status_code, answer.json["lists"]) == (202, None)
    job = ended(service, answer.json["url"])
    assert (job["state"], job["error"]) == ("done", None)
    queries = PictureQueries(
        service.index, service.settings, networks=networks, called=lambda path: path.name
    )
    query = queries.video(path)
    document = search_document(query, find(service.index, query, filters=Filters(kind="photo")))
    assert [as_the_command_line(each) for each in job["lists"]] == [document]
    assert document["results"]
    assert list(service.app.extensions["sightings"].queries.folder.iterdir()) == []


def test_a_search_for_a_video_can_fail_and_be_forgotten(service, tmp_path, portraits) -> None:
    path = clip(tmp_path / "nobody.mp4", shot(portraits, "", 6))
    url = service.post(ADDRESS, **sent(path)).json["url"]
    job = ended(service, url)
    assert (job["state"], job["error"]["code"], job["lists"]) == ("failed", "no_face", None)
    assert service.client.delete(url).status_code == 204
    assert service.get(url).json["code"] == "search_not_found"


def test_what_is_too_large_is_refused_before_it_is_decoded(serve) -> None:
    service = serve(max_query_bytes=1000, max_query_video_bytes=2000, decode_s=0.001)
    for name in ("grace.png", "both.mp4"):
        answer = service.post(ADDRESS, **sent(service.archive.folder / name))
        assert (answer.status_code, answer.json["code"]) == (413, "too_large"), name


def test_a_video_that_is_too_long_or_not_alone_is_refused(serve) -> None:
    service = serve(max_query_video_s=1.0)
    folder = service.archive.folder
    answer = service.post(ADDRESS, **sent(folder / "both.mp4"))
    assert (answer.status_code, answer.json["code"]) == (422, "media_refused")
    answer = service.post(ADDRESS, **sent(folder / "grace.png", folder / "both.mp4"))
    assert (answer.status_code, answer.json["code"]) == (422, "media_refused")
