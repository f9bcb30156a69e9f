"""What is given twice where one is wanted is refused, as nobody can tell which was meant."""

from __future__ import annotations

import pytest

from tests.api.answers import code

SEARCH = "/api/v1/search"


@pytest.mark.parametrize(
    "query",
    [
        "limit=1&limit=2",
        "limit=2&limit=2",
        "kind=photo&kind=video",
        "cursor=&cursor=",
        "state=done&limit=1&limit=1",
    ],
)
def test_a_parameter_given_twice_is_refused(service, query: str) -> None:
    answer = service.get(f"/api/v1/media?{query}")
    assert code(answer) == (422, "invalid")
    assert "given more than once" in answer.json["detail"]
    assert answer.mimetype == "application/problem+json"


def test_parameters_that_are_lists_may_be_repeated(service) -> None:
    answer = service.get("/api/v1/media?state=done&state=failed&file_name=a&file_name=grace.png")
    assert [item["path"].split("/")[-1] for item in answer.json["items"]] == ["grace.png"]


def test_a_signature_given_twice_is_refused(service) -> None:
    face = service.archive.faces["grace.png"].id
    answer = service.get(f"/api/v1/faces/{face}/thumbnail?signature=a&signature=a")
    assert code(answer) == (422, "invalid")


def test_a_field_of_a_form_given_twice_is_refused(service) -> None:
    answer = service.post(SEARCH, data={"top": ["1", "2"]}, content_type="multipart/form-data")
    assert code(answer) == (422, "invalid")
    assert answer.json["detail"] == "top: it is given more than once."


@pytest.mark.parametrize(
    "body",
    [
        '{"person": "Grace", "person": "Eileen"}',
        '{"person": "Grace", "top": 1, "top": 1}',
        '{"person": "Grace", "named": [{"a": 1, "a": 2}]}',
        '{"person": "Grace", "\\u0070erson": "Grace"}',
    ],
)
def test_a_member_of_json_given_twice_is_refused(service, body: str) -> None:
    answer = service.post(SEARCH, data=body, content_type="application/json")
    assert code(answer) == (422, "invalid")
    assert "given more than once" in answer.json["detail"]


def test_json_is_still_read_in_the_encodings_that_it_may_have(service) -> None:
    for encoding in ("utf-8", "utf-16", "utf-32"):
        body = '{"person": "Grace"}'.encode(encoding)
        answer = service.post(SEARCH, data=body, content_type="application/json")
        assert answer.status_code == 200
    for body in (b"", b"{", b"\xff", b'{"person": '):
        answer = service.post(SEARCH, data=body, content_type="application/json")
        assert code(answer) == (400, "bad_request")
