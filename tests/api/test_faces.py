"""Stored faces over HTTP: pictures, names, and the faces of photos that are not stored."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from indexer.documents import face_document


def address(service, name: str = "grace.png") -> str:
    return f"/api/v1/faces/{service.archive.faces[name].id}"


def test_a_face_is_shown_as_the_command_line_does(service) -> None:
    face = service.index.get_face(service.archive.faces["grace.png"].id)
    answer = service.get(address(service)).json
    document = face_document(face)
    assert {name: answer[name] for name in document} == document
    assert answer["person"] == "Grace"


def test_a_thumbnail_is_the_one_that_is_stored(service) -> None:
    answer = service.get(f"{address(service)}/thumbnail")
    assert answer.content_type == "image/jpeg"
    assert answer.data == service.index.thumbnail(service.archive.faces["grace.png"].id)


@pytest.mark.parametrize("part", ["", "/thumbnail", "/frame"])
def test_a_face_that_is_not_there_is_said_so(service, part: str) -> None:
    for unknown in ("unknown", f"{'0' * 32}-0-1.2.3.4", "%00", "%F0%9F%98%80"):
        answer = service.get(f"/api/v1/faces/{unknown}{part}")
        assert (answer.status_code, answer.json["code"]) == (404, "face_not_found")


def pixels(answer) -> np.ndarray:
    assert (answer.status_code, answer.content_type) == (200, "image/jpeg")
    return np.asarray(Image.open(io.BytesIO(answer.data)).convert("RGB"), int)


def test_a_frame_shows_the_box_only_when_asked(service) -> None:
    face = service.archive.faces["both.mp4"]
    plain = pixels(service.get(f"{address(service, 'both.mp4')}/frame"))
    marked = pixels(service.get(f"{address(service, 'both.mp4')}/frame?box=true"))
    assert plain.shape[:2] == (face.frame_height, face.frame_width)
    changed = np.abs(marked - plain).max(axis=2) > 60
    x1, y1, x2, y2 = (round(edge) for edge in face.box_xyxy)
    for edge in (y1, y2):
        assert changed[edge - 2 : edge + 3, x1:x2].any(axis=0).mean() > 0.95
    assert not changed[y1 + 20 : y2 - 20, x1 + 20 : x2 - 20].any()
    assert not changed[:, : x1 - 20].any()


def test_naming_a_face_names_its_appearance_and_can_be_taken_back(service) -> None:
    face = service.archive.faces["both.mp4"]
    answer = service.client.patch(address(service, "both.mp4"), json={"person": "Eileen"})
    assert (answer.json["person"], answer.json["changed"]) == ("Eileen", 1)
    alike = [f for f in service.index.iter_faces() if f.appearance_id == face.appearance_id]
    named = {f.person for f in alike if f.appearance_id}
    assert named == {"Eileen"}
    answer = service.client.patch(address(service, "both.mp4"), json={"person": None})
    assert (answer.json["person"], answer.json["changed"]) == (None, 1)


@pytest.mark.parametrize(
    "body",
    [{}, {"person": ""}, {"person": "  "}, {"person": 5}, {"name": "x"}, {"person": "\ud800"}],
)
def test_a_name_that_is_none_is_refused(service, body) -> None:
    answer = service.client.patch(address(service), json=body)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert service.get(address(service)).json["person"] == "Grace"


def test_the_faces_of_a_photo_are_found_and_not_stored(service) -> None:
    before = service.index.count()
    photo = (service.archive.folder / "grace.png").read_bytes()
    form = {"photo": [(io.BytesIO(photo), "a.png"), (io.BytesIO(photo), "b.png")]}
    answer = service.post("/api/v1/faces/detect", data=form)
    assert [(p["name"], len(p["faces"])) for p in answer.json["photos"]] == [
        ("a.png", 1), ("b.png", 1),
    ]  # fmt: skip
    stored = service.archive.faces["grace.png"]
    assert answer.json["photos"][0]["faces"][0]["box"] == pytest.approx(stored.box_xyxy, abs=0.01)
    assert service.index.count() == before


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, "invalid"),
        ({"photo": (io.BytesIO(b"x"), "x.png"), "extra": "1"}, "invalid"),
        ({"picture": (io.BytesIO(b"x"), "x.png")}, "invalid"),
    ],
    ids=["nothing", "unknown field", "unknown file"],
)
def test_other_fields_than_photos_are_refused(service, form, code: str) -> None:
    answer = service.post("/api/v1/faces/detect", data=form, content_type="multipart/form-data")
    assert (answer.status_code, answer.json["code"]) == (422, code)
