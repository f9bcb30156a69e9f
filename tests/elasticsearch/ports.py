"""Pairs of loopback ports that a node keeps while it is down, too."""

from __future__ import annotations

import fcntl
import socket
from dataclasses import dataclass
from typing import IO

from tests.elasticsearch.installation import cache_folder

PORTS = range(21000, 31000, 2)
"""Below the ports that systems give to outgoing connections, which might take one meanwhile."""


@dataclass
class Ports:
    """Two ports on 127.0.0.1 that no other run of this user's tests takes until they are freed."""

    http: int
    transport: int
    lock: IO[str]

    def free(self) -> None:
        self.lock.close()


def take_ports() -> Ports:
    """Return two ports on which nothing listens; a lock that dies with this process holds them."""
    folder = cache_folder() / "ports"
    folder.mkdir(parents=True, exist_ok=True)
    for http in PORTS:
        lock = (folder / str(http)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _listen_once(http)
            _listen_once(http + 1)
        except OSError:
            lock.close()
            continue
        return Ports(http, http + 1, lock)
    raise RuntimeError(f"all ports from {PORTS.start} to {PORTS.stop} are taken")


def _listen_once(port: int) -> None:
    with socket.socket() as probe:
        # As Elasticsearch does: connections that are closing are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        probe.listen(1)
