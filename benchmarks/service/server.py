"""A service of the benchmark's own: `sightings serve` on a free port of loopback."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_START_S = 60.0
_END_S = 30.0
_SAID = "Sightings serves http://"


@dataclass(frozen=True)
class Server:
    """A service that takes requests."""

    host: str
    port: int
    process: psutil.Process

    @property
    def memory_mb(self) -> float:
        """What the process that answers holds in memory."""
        return float(self.process.memory_info().rss) / 1e6


@contextmanager
def serving(index: Path, settings: Mapping[str, object]) -> Iterator[Server]:
    """Start a service with settings by dotted name; end it, whatever happens.

    Raises RuntimeError, with what it said, if it does not start or does not say where it listens.
    """
    with tempfile.TemporaryDirectory(prefix="sightings-benchmark-") as name:
        home = Path(name)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SIGHTINGS_")}
        environment |= {f"XDG_{part}_HOME": str(home / part) for part in ("DATA", "CONFIG")}
        options = [f"--set={key}={value}" for key, value in settings.items()]
        command = [sys.executable, "-m", "indexer", "serve", "--index", str(index), "--port", "0"]
        log = home / "log"
        with log.open("wb") as output:
            process = subprocess.Popen([*command, *options], stderr=output, env=environment)
        try:
            host, port = address_of(process, log)
            yield Server(host, port, psutil.Process(process.pid))
        finally:
            process.terminate()
            try:
                process.wait(_END_S)
            finally:
                process.kill()


def address_of(
    process: subprocess.Popen[bytes], log: Path, wait_s: float = _START_S
) -> tuple[str, int]:
    """Return the host and port that a service writes to its log once it listens.

    Raises RuntimeError, with what it said, if it ends first, or has not written it in `wait_s`.
    """
    until_s = time.monotonic() + wait_s
    while _SAID not in (said := log.read_text(encoding="utf-8")):
        if time.monotonic() > until_s:
            raise RuntimeError(f"The service has not said within {wait_s:g} s where it is: {said}")
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        raise RuntimeError(f"The service did not start: {said}")
    host, _, port = said.partition(_SAID)[2].split("/")[0].rpartition(":")
    return host, int(port)
