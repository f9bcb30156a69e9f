"""Names over HTTP: list, rename, merge, forget."""

from __future__ import annotations

import pytest

from indexer.naming import name_faces
from tests.cli.running import sightings

ADDRESS = "/api/v1/people"
ODD = '../%2F "Ü漢" ?x=1 & <b>\n'


@pytest.fixture
def named(service):
    """The service with Eileen named, too."""
    name_faces(service.index, "Eileen", [service.archive.faces["eileen.png"].id])
    return service


def people(service, query: str = "") -> dict[str, tuple[int, int]]:
    items = service.get(f"{ADDRESS}{query}").json["items"]
    return {item["name"]: (item["faces"], item["media"]) for item in items}


def test_people_are_listed_as_the_command_line_does(named) -> None:
    printed = sightings("people", "list", "--index", named.archive.location, "--json").document
    items = named.get(ADDRESS).json["items"]
    assert [{n: item[n] for n in ("name", "faces", "media")} for item in items] == printed
    assert all(named.get(item["thumbnail_url"]).status_code == 200 for item in items)


def test_people_come_in_pages_and_can_be_looked_for(named) -> None:
    first = named.get(f"{ADDRESS}?limit=1").json
    second = named.get(f"{ADDRESS}?limit=1&cursor={first['next_cursor']}").json
    assert [page["items"][0]["name"] for page in (first, second)] == ["Eileen", "Grace"]
    assert second["next_cursor"] is None
    assert people(named, "?contains=GRA") == {"Grace": (1, 1)}


def test_any_name_can_be_given_renamed_and_forgotten(named) -> None:
    answer = named.client.patch(ADDRESS, json={"name": "Grace", "new_name": ODD})
    assert answer.json == {"renamed": 1}
    assert people(named) == {ODD: (1, 1), "Eileen": (1, 1)}
    answer = named.client.delete(ADDRESS, query_string={"name": ODD})
    assert (answer.json["faces"], answer.json["labels"]) == (1, 1)
    assert people(named) == {"Eileen": (1, 1)}


def test_two_become_one_only_when_that_is_meant(named) -> None:
    body = {"name": "Eileen", "new_name": "Grace"}
    answer = named.client.patch(ADDRESS, json=body)
    assert (answer.status_code, answer.json["code"]) == (409, "name_taken")
    assert named.client.patch(ADDRESS, json=body | {"merge": True}).json == {"renamed": 1}
    assert people(named) == {"Grace": (2, 2)}


def test_a_person_may_be_given_the_same_name_again(named) -> None:
    answer = named.client.patch(ADDRESS, json={"name": "Grace", "new_name": "Grace"})
    assert answer.status_code == 200
    assert people(named) == {"Grace": (1, 1), "Eileen": (1, 1)}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "Nobody", "new_name": "X"}, 404, "person_not_found"),
        ({"name": "Grace", "new_name": " "}, 422, "invalid"),
        ({"name": "Grace"}, 422, "invalid"),
        ({"name": "Grace", "new_name": "X", "extra": 1}, 422, "invalid"),
    ],
)
def test_what_cannot_be_renamed_is_refused(named, body, status: int, code: str) -> None:
    answer = named.client.patch(ADDRESS, json=body)
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_forgetting_says_which_unnamed_faces_look_alike_and_can_take_them_along(named) -> None:
    before = named.index.count()
    answer = named.client.delete(f"{ADDRESS}?name=Grace").json
    assert (answer["faces"], answer["media"]) == (1, 0)
    assert named.index.count() == before - 1
    assert answer["alike_left"] >= 0
    assert named.client.delete(f"{ADDRESS}?name=Grace").json["code"] == "person_not_found"


def test_those_alike_are_forgotten_too_when_asked(named) -> None:
    """In the clip Grace is unnamed; the same cells of colour make her `same person`."""
    from indexer.known import alike_faces

    alike = alike_faces(named.index, "Grace")
    assert alike
    answer = named.client.delete(f"{ADDRESS}?name=Grace&alike=true").json
    assert (answer["faces"], answer["alike_left"]) == (1 + len(alike), 0)
    assert all(named.index.get_face(face) is None for face in alike)
