"""A Redis of the tests' own: Debian's `redis-server` on a free loopback port, nothing on disk."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING

from redis import Redis
from redis.exceptions import ConnectionError as NoConnection

if TYPE_CHECKING:
    from types import TracebackType

START_S = 20.0
ATTEMPTS = 5


class Unavailable(Exception):
    """There is no `redis-server` here."""


class RedisServer:
    """Use it as a context manager; `stop` and `start` make it go away and come back, empty."""

    def __init__(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise Unavailable("redis-server is not installed: apt-get install redis-server")
        self._program = program
        self._folder = tempfile.TemporaryDirectory(prefix="sightings-redis-")
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def client(self) -> Redis:
        return Redis(host="127.0.0.1", port=self.port)

    def __enter__(self) -> RedisServer:
        for _ in range(ATTEMPTS):  # something else may take the port meanwhile
            self.port = _free_port()
            if self.start():
                return self
        raise AssertionError("redis-server does not start")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._folder.cleanup()

    def start(self) -> bool:
        """Start it on its port; False if it ends at once."""
        self._process = subprocess.Popen(
            [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--dir", self._folder.name],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._answers():
                return True
            time.sleep(0.02)
        self.stop()
        return False

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except NoConnection:
            return False

    def stop(self) -> None:
        """End it, with all that it holds."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
