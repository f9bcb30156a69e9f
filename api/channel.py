"""The server's side of a connection: large bodies are judged by the heads of their requests.

waitress alone takes any body up to its one limit into a temporary file before the application sees
the request. What it refuses by itself is answered with a problem document, too.
"""

from __future__ import annotations

import logging
import socket
from copy import copy
from typing import TYPE_CHECKING, Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import Error

from api.admission import SMALL_BYTES, admitted
from api.problems import is_full, of_full_disk, of_status, problem_response
from api.security.headers import ALWAYS

if TYPE_CHECKING:
    from flask import Flask, Response

log = logging.getLogger("sightings.api")

_READ_BYTES = 1 << 16


class Refusal(Error):  # type: ignore[misc]
    """A request that is refused by its head."""

    def __init__(self, answer: Response) -> None:
        super().__init__("")
        self.answer = answer


class HeadFirstParser(HTTPRequestParser):  # type: ignore[misc]
    """Reads a request; one whose body may be large only once its head was judged."""

    adj: Any

    def __init__(self, channel: HeadFirstChannel) -> None:
        super().__init__(channel.adj)
        self._channel = channel

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head, and judge it."""
        super().parse_header(header_plus)
        if not self.chunked and self.content_length <= SMALL_BYTES:
            return
        judged = admitted(self._channel.app, self._head())
        if isinstance(judged, int):
            self.adj = copy(self.adj)
            self.adj.max_request_body_size = judged + 1
        else:
            self.error = Refusal(judged)

    def received(self, data: bytes) -> int:
        """Take what came; of a refused request, nothing after its head."""
        try:
            consumed: int = super().received(data)
        except OSError as error:
            if not is_full(error):
                raise
            log.warning("A body could not be kept: %s", error)
            self.error, consumed = Refusal(problem_response(of_full_disk())), len(data)
        if isinstance(self.error, Refusal):
            self.completed = True
            self.expect_continue = False
        return consumed

    def _head(self) -> dict[str, Any]:
        head = copy(self)
        head.body_rcv = None
        environ: dict[str, Any] = WSGITask(self._channel, head).get_environment()
        return environ


class ProblemTask(ErrorTask):  # type: ignore[misc]
    """Answers a request that never reaches the application."""

    def execute(self) -> None:
        """Send the problem and end the connection."""
        error = self.request.error
        if isinstance(error, Refusal):
            answer = error.answer
        else:
            answer = problem_response(of_status(error.code, error.body if error.code < 500 else ""))
        body = answer.get_data()
        answer.headers.update(ALWAYS)
        self.status = answer.status
        self.response_headers.extend(answer.headers.items(lower=False))
        self.content_length = len(body)
        self.channel.drains = True
        self.set_close_on_finish()
        self.write(body)


class HeadFirstChannel(HTTPChannel):  # type: ignore[misc]
    """A connection to a client.

    After a refusal it is closed for writing only, and what still comes is thrown away: closed at
    once, the client's system would throw the answer away. The server ends it when it waits for too
    long.
    """

    error_task_class = ProblemTask
    app: Flask
    drains = False
    _draining = False

    def parser_class(self, _adj: Any) -> HeadFirstParser:
        """Return what reads the next request."""
        return HeadFirstParser(self)

    def readable(self) -> bool:
        """Whether more may be read."""
        return self._draining or bool(super().readable())

    def handle_read(self) -> None:
        """Read what has come."""
        if not self._draining:
            super().handle_read()
            return
        try:
            self.recv(_READ_BYTES)  # closes by itself at the end
        except OSError:
            self.handle_close()

    def handle_close(self) -> None:
        """Close the connection, after a refusal in two steps."""
        if self.drains and not self._draining:
            self._draining = True
            self.will_close = False
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                super().handle_close()
        else:
            super().handle_close()


def channels_of(app: Flask) -> type[HeadFirstChannel]:
    """Return the class of a server's connections for an application."""
    return type("Channel", (HeadFirstChannel,), {"app": app})
