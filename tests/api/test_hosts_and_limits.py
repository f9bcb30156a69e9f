"""Foreign names and pages of other sites, headers that protect, and rates."""

from __future__ import annotations

import pytest

from indexer.errors import UsageError
from tests.api.answers import code


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "192.168.1.5", ""])
def test_a_foreign_name_for_this_machine_is_refused_on_loopback(service, host: str) -> None:
    answer = service.get("/api/v1/media", headers={"Host": host})
    assert code(answer) == (421, "host_refused")


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8470", "127.0.0.1:1", "[::1]:8470", "127.5.5.5"]
)
def test_names_of_this_machine_are_right(service, host: str) -> None:
    assert service.get("/api/v1/media", headers={"Host": host}).status_code == 200


def test_a_named_host_is_right_and_then_keys_are_needed(serve) -> None:
    service = serve(hosts="photos.example, other.example")
    answer = service.get("/api/v1/media", headers={"Host": "photos.example"})
    assert code(answer) == (401, "key_needed")
    answer = service.get("/api/v1/media", headers={"Host": "evil.example"})
    assert code(answer) == (421, "host_refused")


def test_the_address_that_is_listened_at_is_right_beside_named_hosts(serve) -> None:
    service = serve(host="192.168.1.5", hosts="photos.example")
    for host in ("192.168.1.5", "192.168.1.5:8470", "photos.example", "localhost"):
        answer = service.get("/api/v1/media", headers={"Host": host})
        assert code(answer) == (401, "key_needed"), host
    for host in ("192.168.1.6", "evil.example"):
        answer = service.get("/api/v1/media", headers={"Host": host})
        assert code(answer) == (421, "host_refused"), host


def test_at_an_address_of_the_network_any_name_may_be_meant_but_a_key_is_needed(serve) -> None:
    answer = serve(host="0.0.0.0").get("/api/v1/media", headers={"Host": "nas.example"})
    assert code(answer) == (401, "key_needed")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
    ],
    ids=str,
)
def test_a_page_of_another_site_can_change_nothing(service, headers) -> None:
    media = service.archive.media["grace.png"]
    for answer in (
        service.client.delete(f"/api/v1/media/{media.id}", headers=headers),
        service.post("/api/v1/search", json={"person": "Grace"}, headers=headers),
        service.client.patch("/api/v1/people", json={}, headers=headers),
    ):
        assert code(answer) == (403, "cross_site")
    assert service.index.get_media(media.id)


def test_the_services_own_page_may(service) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
    answer = service.post("/api/v1/search", json={"person": "Grace"}, headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("address", ["/api/v1/media", "/api/docs/", "/nothing", "/healthz"])
def test_every_answer_has_the_headers_that_protect(service, address: str) -> None:
    headers = service.get(address).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "'unsafe-inline'" not in headers["Content-Security-Policy"].split("script-src")[-1][:30]
    assert "Access-Control-Allow-Origin" not in headers


def test_the_description_of_the_api_loads_nothing_from_elsewhere(service) -> None:
    page = service.get("/api/docs/").text
    assert "http" not in page
    for address in (part.split('"')[0] for part in page.split('src="')[1:]):
        assert service.get(address).status_code == 200
    assert service.get("/api/docs/openapi.json").json["openapi"].startswith("3.1")


def test_too_many_requests_are_told_when_to_come_back(serve) -> None:
    service = serve(rate="5/minute")
    answers = [service.get("/api/v1/media") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert code(answers[-1]) == (429, "rate_limited")
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60


def test_methods_that_nobody_knows_are_one_to_prometheus(service) -> None:
    for method in ("FOO", "BAR", "PROPFIND"):
        assert service.client.open("/api/v1/media", method=method).status_code == 405
    text = service.get("/metrics").text
    assert 'sightings_http_requests_total{method="other",route="none",status="405"} 3.0' in text
    assert "FOO" not in text


def test_an_address_cannot_forge_a_line_of_the_log(service, caplog, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(type(service.index), "get_face", broken)
    assert service.get("/api/v1/faces/x%0AERROR%20forged").status_code == 500
    (record,) = [record for record in caplog.records if record.name == "sightings.api"]
    assert record.getMessage() == r"GET /api/v1/faces/x\nERROR forged failed"


def test_an_unknown_field_is_named_in_one_line_and_its_value_is_not(service) -> None:
    body = {"person": "Grace", f"a\n{'x' * 5000}": "hidden-word"}
    answer = service.post("/api/v1/search", json=body)
    assert code(answer) == (422, "invalid")
    (error,) = answer.json["errors"]
    assert error["field"] == r"a\n" + "x" * 97
    assert "hidden-word" not in answer.text


def test_searches_have_a_rate_of_their_own(serve) -> None:
    service = serve(search_rate="2/minute")
    body = {"person": "Grace"}
    answers = [service.post("/api/v1/search", json=body).status_code for _ in range(3)]
    assert answers == [200, 200, 429]
    assert service.get("/api/v1/media").status_code == 200


def test_a_rate_that_is_none_is_refused_at_the_start(serve) -> None:
    with pytest.raises(UsageError, match=r"api\.rate"):
        serve(rate="often")


def test_more_searches_than_may_run_at_once_are_told_to_come_back(serve) -> None:
    service = serve(max_searches=1, threads=1, queue_s=0.05)
    with service.app.extensions["sightings"].turns.taken():
        answer = service.post("/api/v1/search", json={"person": "Grace"})
    assert code(answer) == (503, "overloaded")
    assert int(answer.headers["Retry-After"]) >= 1
    assert service.post("/api/v1/search", json={"person": "Grace"}).status_code == 200
