"""Networks as they were converted for this machine, kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import time
import zlib
from contextlib import suppress
from pathlib import Path

from indexer.weights import cache_dir

LOG = logging.getLogger(__name__)
FORMAT = "1"
"""Raised when networks are converted in another way."""
FOLDER = "networks"
CHECKSUM_BYTES = 4
UNUSED_S = 30 * 86400.0


class CachedNetwork:
    """One converted network: the same for the same weights, runtime and processor.

    The folder may be deleted at any time, and several processes may fill it at once.
    """

    def __init__(self, name: str, weights_sha256: str, made_by: str) -> None:
        """made_by: version of the runtime, and the processor that it converted for."""
        self._header = f"{FORMAT}\n{name}\n{weights_sha256}\n{made_by}\n".encode()
        maker = hashlib.sha256(f"{FORMAT} {made_by}".encode()).hexdigest()
        self._stem = f"{name}-{weights_sha256[:12]}"
        self.path = cache_dir() / FOLDER / f"{self._stem}-{maker[:12]}"

    def read(self) -> bytes | None:
        """Return the network's bytes; None if it is not there, or damaged, which is logged."""
        try:
            with self.path.open("rb") as file:
                written = file.read(len(self._header) + CHECKSUM_BYTES)
                body = file.read()
            with suppress(OSError):
                os.utime(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            LOG.warning("A converted network cannot be read and is made anew: %s", error)
            return None
        if written != self._header + _checksum(body):
            LOG.warning("%s is damaged and is made anew.", self.path)
            return None
        return body

    def write(self, body: bytes) -> None:
        """Keep a network's bytes; that they cannot be kept is logged, and no failure."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=f"{self._stem}-")
        except OSError as error:
            self._not_kept(error)
            return
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(self._header + _checksum(body))
                file.write(body)
            Path(name).replace(self.path)
        except OSError as error:
            with suppress(OSError):
                Path(name).unlink()
            self._not_kept(error)
        self._remove_unused()

    def _remove_unused(self) -> None:
        """Remove what other versions made of these weights, or began to, and no run reads now."""
        with suppress(OSError):
            for other in self.path.parent.glob(f"{self._stem}-*"):
                if time.time() - other.stat().st_mtime > UNUSED_S:
                    other.unlink()

    def _not_kept(self, error: OSError) -> None:
        LOG.warning("A converted network is not kept, so every start takes longer: %s", error)


def _checksum(body: bytes) -> bytes:
    return zlib.crc32(body).to_bytes(CHECKSUM_BYTES, "big")
