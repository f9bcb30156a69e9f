"""Who may use the service: keys and scopes, cookies, signed paths, and what is never told."""

from __future__ import annotations

import json
import logging
import stat
from pathlib import Path

import pytest

from api.security.access import OPEN, route_scope
from api.security.keys import KeyStore
from api.security.signing import Signer
from indexer.errors import EnvironmentFailure, NotFound, UsageError
from indexer.links import PictureLinks
from tests.api.answers import code

EVERY_READ = ["/api/v1/media", "/api/v1/people", "/api/v1/faces/x", "/api/v1/search/x", "/metrics"]
OPEN_ROUTES = {"health.healthz", "health.readyz", "session.get_session", "session.sign_in",
               "session.sign_out", "docs_start", "docs_problems",
               "page.get_page", "page.get_page_file"}  # fmt: skip


@pytest.fixture
def locked(serve, tmp_path):
    """A service whose every user needs a key, and how to make one."""
    running = serve(require_key=True)
    store = KeyStore(tmp_path / "private" / "keys.json")

    def header(*scopes: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {store.add('tester', scopes)[1]}"}

    return running, header


def test_every_route_says_what_it_needs(service) -> None:
    with service.app.app_context():
        scopes = {
            rule.endpoint: route_scope(rule.endpoint)[0]
            for rule in service.app.url_map.iter_rules()
        }
    documentation = {name for name in scopes if name.split(".")[0] in ("openapi", "swagger")}
    assert {name for name, scope in scopes.items() if scope == OPEN} == OPEN_ROUTES | documentation
    undocumented = {
        name
        for name in set(scopes) - documentation
        if not hasattr(service.app.view_functions[name], "scope")
    }
    assert undocumented == set()


@pytest.mark.parametrize("address", EVERY_READ)
def test_without_a_key_nothing_is_shown(locked, address: str) -> None:
    service, _ = locked
    answer = service.get(address)
    assert code(answer) == (401, "key_needed")
    assert "Bearer" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "header",
    ["Bearer nonsense", "Bearer sightings_00000000_x", "Bearer ", "Basic YTpi", "Bearer \xfc"],
)
def test_what_is_no_key_is_refused(locked, header: str) -> None:
    service, _ = locked
    answer = service.get("/api/v1/media", headers={"Authorization": header})
    assert code(answer) == (401, "key_refused")


def test_a_key_opens_what_its_scope_says(locked) -> None:
    service, header = locked
    search, ingest, admin = header("search"), header("ingest"), header("admin")
    body = {"name": "Nobody", "new_name": "X"}
    assert service.get("/api/v1/media", headers=search).status_code == 200
    assert code(service.get("/api/v1/jobs", headers=search)) == (403, "scope_missing")
    assert code(service.client.patch("/api/v1/people", json=body, headers=search)) == (
        403, "scope_missing",
    )  # fmt: skip
    assert code(service.get("/api/v1/media", headers=ingest)) == (403, "scope_missing")
    assert service.get("/api/v1/media", headers=admin).status_code == 200
    assert code(service.client.patch("/api/v1/people", json=body, headers=admin)) == (
        404, "person_not_found",
    )  # fmt: skip


def test_a_removed_key_is_locked_out_at_once_and_its_cookies_too(locked, tmp_path) -> None:
    service, _ = locked
    store = KeyStore(tmp_path / "private" / "keys.json")
    key, text = store.add("leaver", ["search"])
    assert service.post("/api/v1/session", json={"key": text}).status_code == 200
    assert service.get("/api/v1/media").status_code == 200
    store.remove(key.id)
    assert code(service.get("/api/v1/media")) == (401, "key_refused")
    header = {"Authorization": f"Bearer {text}"}
    assert code(service.get("/api/v1/media", headers=header)) == (401, "key_refused")


def test_signing_in_gives_a_cookie_that_pages_cannot_read(locked, tmp_path) -> None:
    service, _ = locked
    store = KeyStore(tmp_path / "private" / "keys.json")
    text = store.add("page", ["search"])[1]
    assert service.get("/api/v1/session").json == {
        "key_needed": True, "signed_in": False, "name": None, "scopes": [],
        "paths": False,
    }  # fmt: skip
    answer = service.post("/api/v1/session", json={"key": text})
    cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert text.split("_", 2)[2] not in cookie
    assert service.get("/api/v1/session").json == {
        "key_needed": True, "signed_in": True, "name": "page", "scopes": ["search"],
        "paths": False,
    }  # fmt: skip
    assert service.get("/api/v1/people").status_code == 200
    assert service.client.delete("/api/v1/session").status_code == 204
    assert code(service.get("/api/v1/people")) == (401, "key_needed")


def test_the_cookie_is_secure_behind_https(serve, tmp_path) -> None:
    service = serve(require_key=True, https=True)
    text = KeyStore(tmp_path / "private" / "keys.json").add("page", ["search"])[1]
    assert "Secure" in service.post("/api/v1/session", json={"key": text}).headers["Set-Cookie"]


def test_signing_in_with_a_wrong_key_is_refused_and_bounded(locked) -> None:
    service, _ = locked
    answers = [service.post("/api/v1/session", json={"key": f"k{i}"}) for i in range(21)]
    assert code(answers[0]) == (401, "key_refused")
    assert code(answers[-1]) == (429, "rate_limited")
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_a_wrong_key_and_what_is_not_there_count_like_any_request(serve) -> None:
    for address, status in (("/api/v1/media", 401), ("/nothing", 404), ("/api/v1/jobs/x/y", 404)):
        service = serve(require_key=True, rate="3/minute")
        header = {"Authorization": "Bearer wrong"}
        statuses = [service.get(address, headers=header).status_code for _ in range(4)]
        assert statuses == [status] * 3 + [429]


def test_signed_pictures_need_no_key_but_only_these(locked) -> None:
    service, header = locked
    face = service.archive.faces["grace.png"]
    shown = service.get(f"/api/v1/faces/{face.id}", headers=header("search")).json
    for name in ("thumbnail_url", "frame_url"):
        answer = service.get(shown[name])
        assert answer.status_code == 200
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert service.get(shown[name] + "x").status_code == 401
        assert service.get(shown[name].split("?")[0]).status_code == 401
    signature = shown["thumbnail_url"].split("?")[1]
    other = service.archive.faces["eileen.png"]
    assert service.get(f"/api/v1/faces/{other.id}/thumbnail?{signature}").status_code == 401
    assert service.get(f"/api/v1/faces/{face.id}/frame?{signature}").status_code == 401
    assert service.get(f"/api/v1/faces/{face.id}?{signature}").status_code == 401


def test_links_that_documents_carry_need_no_key_while_theirs_is_one_of_the_services(serve) -> None:
    old, new = PictureLinks(("old",)), PictureLinks(("new",))
    for keys, opened in (("old", [old]), ("new, old", [new, old]), ("new", [new])):
        service = serve(require_key=True, signing_keys=keys)
        face, media = (each["both.mp4"] for each in (service.archive.faces, service.archive.media))
        for links in (old, new):
            stored = [*links.of_face(face.id).values(), *links.of_media(media.id).values()]
            stored.append(f"{links.of_face(face.id)['frame_url']}&box=true&max_side_px=640")
            answers = [service.get(link) for link in stored]
            expected = 200 if links in opened else 401
            assert [answer.status_code for answer in answers] == [expected] * 5
            if links in opened:
                assert {answer.mimetype for answer in answers} == {"image/jpeg"}
                sites = {answer.headers["Cross-Origin-Resource-Policy"] for answer in answers}
                assert sites == {"cross-origin"}


def test_signing_keys_can_be_rotated() -> None:
    old, both, new = (Signer(keys, 60) for keys in (("old",), ("new", "old"), ("new",)))
    path = "/api/v1/faces/x/thumbnail"
    signature = old.links.signed(path).split("=", 1)[1]
    assert both.links.is_signed(path, signature)
    assert not new.links.is_signed(path, signature)
    assert new.links.is_signed(path, both.links.signed(path).split("=", 1)[1])
    assert both.key_of(old.cookie("k")) == "k"
    assert new.key_of(old.cookie("k")) is None
    assert not new.links.is_signed(path, "ü")


def test_a_signing_key_is_made_once_and_kept_private(serve, tmp_path) -> None:
    face = serve().archive.faces["grace.png"]
    kept = tmp_path / "private" / "signing-key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    url = serve().get(f"/api/v1/faces/{face.id}").json["thumbnail_url"]
    assert serve().get(f"/api/v1/faces/{face.id}").json["thumbnail_url"] == url


def test_keys_are_kept_as_hashes_in_a_file_of_their_owners(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    key, text = KeyStore(path).add("Anna's laptop", ["search", "ingest"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert text.split("_", 2)[2] not in path.read_text()
    assert KeyStore(path).find(text) == key
    assert KeyStore(path).find(text[:-1]) is None
    (entry,) = json.loads(path.read_text())
    assert set(entry) == {"id", "name", "scopes", "sha256", "created_at"}


def test_a_key_needs_a_name_and_known_scopes(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.json")
    for name, scopes in (("", ["search"]), ("x", []), ("x", ["everything"]), ("a\nb", ["search"])):
        with pytest.raises(UsageError):
            store.add(name, scopes)
    with pytest.raises(NotFound):
        store.remove("unknown")
    assert store.all() == ()


def test_a_keys_file_that_is_none_locks_everybody_out(serve, tmp_path: Path) -> None:
    service = serve(require_key=True)
    (tmp_path / "private" / "keys.json").write_text("{")
    with pytest.raises(EnvironmentFailure, match="no list of keys"):
        KeyStore(tmp_path / "private" / "keys.json").all()
    answer = service.get("/api/v1/media", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 503


def test_keys_never_get_into_logs_or_answers(locked, caplog, tmp_path) -> None:
    service, _ = locked
    caplog.set_level(logging.DEBUG)
    text = KeyStore(tmp_path / "private" / "keys.json").add("page", ["search"])[1]
    secret = text.split("_", 2)[2]
    header = {"Authorization": f"Bearer {text}"}
    answers = [
        service.get("/api/v1/media?unknown=1", headers=header),
        service.post("/api/v1/session", json={"key": text, "unknown": 1}),
        service.post("/api/v1/session", json={"key": f"{text}x"}),
        service.get("/metrics", headers=header),
        service.get("/api/v1/jobs", headers=header),
    ]
    assert all(secret not in answer.text for answer in answers)
    assert secret not in caplog.text


def test_an_error_of_the_services_own_says_nothing_of_its_insides(service, monkeypatch) -> None:
    def broken() -> None:
        raise RuntimeError("the insides")

    monkeypatch.setattr(type(service.index), "list_people", lambda _: broken())
    answer = service.get("/api/v1/people")
    assert code(answer) == (500, "internal")
    assert "insides" not in answer.text


def test_an_index_that_cannot_be_reached_is_said_so_and_comes_back(serve, archive) -> None:
    away = archive.location.with_suffix(".away")
    archive.location.rename(away)
    service = serve()
    assert code(service.get("/api/v1/media")) == (503, "index_unavailable")
    assert service.get("/healthz").status_code == 200
    answer = service.get("/readyz")
    assert (answer.status_code, answer.json["checks"]["index"]) == (503, "failed")
    assert "sightings_index_up 0.0" in service.get("/metrics").text
    away.rename(archive.location)
    assert service.get("/readyz").status_code == 200


def test_a_method_that_a_route_has_not_is_told_which_it_has(service) -> None:
    answer = service.client.put("/api/v1/people")
    assert code(answer) == (405, "method_not_allowed")
    assert {"GET", "PATCH", "DELETE"} <= set(answer.headers["Allow"].split(", "))


def test_every_problem_is_in_the_documentation() -> None:
    from api.problems import PROBLEMS

    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    for name, (status, title) in PROBLEMS.items():
        assert f"| `{name}` | {status} | {title} |" in text
