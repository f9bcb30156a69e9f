"""Pairs of loopback ports, and folders, that belong to one node for as long as a test needs it."""

from __future__ import annotations

import fcntl
import shutil
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.elasticsearch.installation import cache_folder

if TYPE_CHECKING:
    from typing import IO

PORTS = range(21000, 31000, 2)
"""Below the ports that systems give to outgoing connections, which might take one meanwhile."""

FOLDER_PREFIX = "sightings-elasticsearch-"


@dataclass(frozen=True)
class Place:
    """Two ports on 127.0.0.1 and an empty folder; a lock that ends with this process holds them."""

    http: int
    transport: int
    folder: Path
    lock: IO[str]

    def give_back(self) -> None:
        """Remove the folder and let other runs of the tests have the ports."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.lock.close()


def take_place() -> Place:
    """Return the first pair of ports that no other run holds and on which nothing listens."""
    locks = cache_folder() / "ports"
    locks.mkdir(parents=True, exist_ok=True)
    for http in PORTS:
        lock = (locks / f"{http}.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _listen_once(http)
            _listen_once(http + 1)
        except OSError:
            lock.close()
            continue
        return Place(http, http + 1, _new_folder(lock), lock)
    raise RuntimeError(f"all ports from {PORTS.start} to {PORTS.stop} are taken")


def _listen_once(port: int) -> None:
    with socket.socket() as probe:
        # As Elasticsearch does: connections that are closing are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        probe.listen(1)


def _new_folder(lock: IO[str]) -> Path:
    """Make a folder that the lock's file names, so that the next holder removes it if we cannot."""
    lock.seek(0)
    left = Path(lock.read())
    if left.name.startswith(FOLDER_PREFIX):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX))
    lock.truncate(0)
    lock.write(str(folder))
    lock.flush()
    return folder
