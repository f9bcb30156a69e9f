"""A server that answers as Elasticsearch does where a bare test node cannot: security, TLS, age.

It keeps no index. It answers who asks for the nodes' versions, once credentials are right, and what
a test lays ready for other requests.
"""

from __future__ import annotations

import base64
import json
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from types import TracebackType

ELASTIC = {"X-Elastic-Product": "Elasticsearch"}


@dataclass(frozen=True)
class Answer:
    """One answer; `cut`: the connection is closed when half of the body is sent."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=lambda: ELASTIC)
    content_type: str = "application/json"
    cut: bool = False

    @property
    def content(self) -> bytes:
        """The body's bytes; text is sent as it is, anything else as JSON."""
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def error(status: int, kind: str, reason: str, **more: Any) -> Answer:
    """Return an answer that says no in Elasticsearch's form."""
    told = {"type": kind, "reason": reason}
    return Answer(status, {"error": {"root_cause": [told], **told, **more}, "status": status})


class Stub:
    """The server, on a port of 127.0.0.1 (0: a free one), from `with` to its end.

    versions: of the nodes, by name. api_key: as encoded; users: passwords by name; with neither,
    anybody may ask. every: what all requests get, instead. tls: the server's side of TLS.
    """

    def __init__(
        self,
        *,
        versions: Mapping[str, str] | None = None,
        api_key: str = "",
        users: Mapping[str, str] | None = None,
        every: Answer | None = None,
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        self.versions = {"node-1": "9.5.3"} if versions is None else versions
        self.every = every
        self.next: deque[Answer] = deque()
        """Answers to the next requests, before any other."""
        self.requests: list[Request] = []
        self._accepted = {f"ApiKey {api_key}"} if api_key else set()
        for user, password in (users or {}).items():
            encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
            self._accepted.add(f"Basic {encoded}")
        self._server = _Server(("127.0.0.1", port), _handler(self))
        if tls:
            # The handshake is the answering thread's, which may wait for a peer that never speaks.
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Stub:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def location(self, *, encrypted: bool = False, host: str = "127.0.0.1") -> str:
        """Return the location of an index that would lie here."""
        scheme = "elasticsearch+https" if encrypted else "elasticsearch"
        return f"{scheme}://{host}:{self.port}/ours"

    def answer(self, request: Request) -> Answer:
        """Return what Elasticsearch answers, or what was laid ready."""
        self.requests.append(request)
        if self.next:
            return self.next.popleft()
        if self.every:
            return self.every
        if self._accepted and request.headers.get("authorization") not in self._accepted:
            return error(401, "security_exception", "unable to authenticate user")
        # As versions before 9 do: they do not know the media type of version 9.
        if "compatible-with=9" in request.headers.get("accept", "") and any(
            int(version.partition(".")[0]) < 9 for version in self.versions.values()
        ):
            reason = "Accept version must be either version 8 or 7, but found 9."
            return error(400, "media_type_header_exception", reason)
        nodes = {
            f"id-{name}": {"name": name, "version": version}
            for name, version in self.versions.items()
        }
        return Answer(body={"nodes": nodes} if request.path.startswith("/_nodes") else {})


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: peers that hang up, or distrust the certificate, are what tests are for."""


def _handler(stub: Stub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = stub.answer(Request(self.command, self.path, headers, body))
            content = answer.content
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if answer.cut else content)
            self.close_connection = answer.cut

        def __getattr__(self, name: str) -> Any:
            """Answer all methods alike: the server looks for `do_GET` and the like."""
            if name.startswith("do_"):
                return self._answer
            raise AttributeError(name)

        def log_message(self, *_: Any) -> None:
            """Keep the tests' output clean."""

    return Handler
