"""Fixtures of a real Redis; where there is none, CI fails, and others skip."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.redis_server import RedisServer, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    """A Redis for the session: whoever uses it begins with it empty, by `redis_server`."""
    try:
        server = RedisServer()
    except Unavailable as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    with server:
        yield server


@pytest.fixture
def redis_server(shared_redis: RedisServer) -> RedisServer:
    """A Redis that holds nothing."""
    shared_redis.client.flushall()
    return shared_redis
