"""Connections of tests to a stub, and what no error of theirs may tell."""

from __future__ import annotations

import socket
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from indexer.engines.elastic.connection import Connection
from indexer.engines.elastic.location import parse_location
from indexer.errors import IndexFailure, SightingsError
from indexer.settings import ElasticsearchSettings

SECRET = "hunter2-Ü"
API_KEY = "aWQ6c2VjcmV0LWtleQ=="  # id:secret-key

Connect = Callable[..., Connection]


@contextmanager
def connections() -> Iterator[Connect]:
    """Give what makes connections that give up soon, and close them at the end."""
    made = []

    def to(location: str, **settings: Any) -> Connection:
        given = ElasticsearchSettings(**{"retry_s": 0.2, "timeout_s": 5.0, **settings})
        made.append(Connection(parse_location(location), given))
        return made[-1]

    yield to
    for connection in made:
        connection.close()


@contextmanager
def failing(match: str, kind: type[SightingsError] = IndexFailure) -> Iterator[None]:
    """Expect an error, whose whole report never holds a secret."""
    with pytest.raises(kind, match=match) as caught:
        yield
    report = "".join(traceback.format_exception(caught.value))
    assert SECRET not in report
    assert API_KEY not in report
    assert "secret-key" not in report


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
