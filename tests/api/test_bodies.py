"""How much may be sent, to where, and by whom: told by the head of a request, over real sockets."""

from __future__ import annotations

import http.client
import io
import json
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from api.security.keys import KeyStore
from api.server import listening
from tests.api.answers import code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.api.conftest import Running

MEBIBYTE = 1 << 20
FORM = "multipart/form-data; boundary=x"
UPLOAD = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n%b\r\n--x--\r\n'
)


@contextmanager
def listens(service: Running) -> Iterator[int]:
    """Let a service listen at a free port of its own; give the port."""
    server, ended = listening(service.app, service.settings), threading.Event()

    def run() -> None:
        while not ended.is_set():
            server.asyncore.loop(timeout=0.05, count=1, map=server._map, use_poll=True)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield server.effective_port
    finally:
        ended.set()
        thread.join()
        server.task_dispatcher.shutdown()
        server.asyncore.close_all(server._map)


@pytest.fixture
def locked(serve) -> Iterator[tuple[Running, int, dict[str, str]]]:
    """A service whose users need keys, its port, and the head of one who may add media."""
    service = serve(require_key=True, port=0, max_upload_bytes=4 * MEBIBYTE)
    key = KeyStore(service.app.extensions["sightings"].keys._path).add("tester", ["ingest"])[1]
    with listens(service) as port:
        yield service, port, {"Authorization": f"Bearer {key}"}


def answered(port: int, head: str, body: bytes = b"") -> tuple[int, str, dict[str, str]]:
    """Send a head, and a part of its body; return status, code and headers of the answer."""
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        connection.sendall(body)
        response = http.client.HTTPResponse(connection)
        response.begin()
        text = response.read()
        assert response.headers.get_content_type() == "application/problem+json", text
        return response.status, json.loads(text)["code"], dict(response.headers)


def head(address: str, *more: str, **headers: str) -> str:
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return "\n".join([f"POST {address} HTTP/1.1", "Host: localhost", *more, *lines])


def test_a_large_body_without_a_key_is_refused_before_it_comes(locked) -> None:
    _, port, _ = locked
    for length in ("Content-Length: 3000000", "Transfer-Encoding: chunked"):
        asked = head("/api/v1/media", length, f"Content-Type: {FORM}")
        assert answered(port, asked)[:2] == (401, "key_needed")
        asked = head("/api/v1/media", length, "Authorization: Bearer wrong")
        assert answered(port, asked)[:2] == (401, "key_refused")


def test_a_large_body_is_refused_before_it_comes_where_none_is_taken(locked) -> None:
    _, port, key = locked
    length = f"Content-Length: {3 * MEBIBYTE}"
    for address, kind in (
        ("/healthz", FORM), ("/nothing", FORM), ("/api/v1/session", FORM),
        ("/api/v1/media", "application/json"),
        ("/api/v1/media", "application/x-www-form-urlencoded"),
    ):  # fmt: skip
        asked = head(address, length, f"Content-Type: {kind}", **key)
        assert answered(port, asked)[:2] == (413, "too_large"), address
    asked = head("/api/v1/search", length, f"Content-Type: {FORM}", **key)
    assert answered(port, asked)[:2] == (403, "scope_missing")
    asked = head("/api/v1/media", "Content-Length: 9999999999", f"Content-Type: {FORM}", **key)
    assert answered(port, asked)[:2] == (413, "too_large")


def test_who_asks_first_whether_to_send_is_not_told_to_go_on(locked) -> None:
    _, port, _ = locked
    asked = head("/api/v1/media", "Content-Length: 3000000", "Expect: 100-continue")
    assert answered(port, asked)[:2] == (401, "key_needed")


def test_parts_of_unknown_length_are_taken_until_they_are_too_many(locked) -> None:
    _, port, key = locked
    asked = head("/api/v1/media", "Transfer-Encoding: chunked", f"Content-Type: {FORM}", **key)
    part = b"%x\r\n%b\r\n" % (MEBIBYTE, bytes(MEBIBYTE))
    assert answered(port, asked, 6 * part)[:2] == (413, "too_large")
    photo = io.BytesIO()
    Image.new("RGB", (800, 800)).save(photo, "BMP")
    body = UPLOAD % photo.getvalue()
    assert len(body) > MEBIBYTE
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    parts = [body[start : start + MEBIBYTE] for start in range(0, len(body), MEBIBYTE)]
    connection.request("POST", "/api/v1/media", parts, {"Content-Type": FORM, **key})
    answer = connection.getresponse()
    text = answer.read()
    assert (answer.status, len(json.loads(text).get("queued", ()))) == (202, 1), text
    connection.close()


def test_whoever_sends_a_body_that_is_refused_gets_the_answer_all_the_same(locked) -> None:
    """Its end, too, may be sent: closed at once, the answer would be lost on the way."""
    _, port, _ = locked
    body = bytes(3 * MEBIBYTE)
    asked = head("/api/v1/media", f"Content-Length: {len(body)}", f"Content-Type: {FORM}")
    for _ in range(5):
        status, name, headers = answered(port, asked, body)
        assert (status, name, headers["Connection"]) == (401, "key_needed", "close")


def test_what_is_no_request_is_answered_with_a_problem_too(locked) -> None:
    _, port, _ = locked
    for asked in (
        "POST /api/v1/media HTTP/1.1\nContent-Length: x",
        "GET / HTTP/1.1\nno header",
        "GET / HTTP/1.1\nTransfer-Encoding: gzip",
        f"GET / HTTP/1.1\nLong: {'x' * 300_000}",
    ):
        status, name, headers = answered(port, asked)
        assert (status, name) == (400, "bad_request"), asked[:50]
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("address", ["/api/v1/media", "/api/v1/search", "/api/v1/faces/detect"])
def test_only_forms_may_be_large(service, address: str) -> None:
    body = b'{"paths": ["%b"]}' % bytes(MEBIBYTE).replace(b"\0", b"x")
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        answer = service.post(address, data=body, content_type=kind)
        assert answer.status_code in (413, 415), kind
    if address != "/api/v1/faces/detect":
        answer = service.post(address, data=body, content_type="application/json")
        assert code(answer) == (413, "too_large")


def test_behind_a_trusted_proxy_wrong_keys_lock_out_only_their_sender(serve) -> None:
    for trusted, expected in (("127.0.0.1", 401), ("", 429)):
        service = serve(require_key=True, port=0, trusted_proxy=trusted)
        with listens(service) as port:
            body = b'{"key": "wrong"}'

            def sign_in(sender: str, *, port: int = port, body: bytes = body) -> int:
                asked = head(
                    "/api/v1/session",
                    f"Content-Length: {len(body)}",
                    "Content-Type: application/json",
                    f"X-Forwarded-For: 10.0.0.9, {sender}",
                )
                return answered(port, asked, body)[0]

            assert [sign_in("10.0.0.1") for _ in range(21)][-2:] == [401, 429]
            assert sign_in("10.0.0.2") == expected
