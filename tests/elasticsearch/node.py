"""One Elasticsearch node as a process of the tests."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.elasticsearch.ports import take_ports

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.elasticsearch.installation import Installation

START_LIMIT_S = 90
STOP_LIMIT_S = 30
LOG_LINES = 60


class NodeFailure(Exception):
    """A node did not do what was asked of it; the message ends with its log."""


class Node:
    """A node on loopback ports of its own, with folders of its own, which `close` removes.

    `settings` are Elasticsearch's, on top of the default ones; a value of None takes one away.
    """

    def __init__(
        self,
        installation: Installation,
        *,
        name: str = "node",
        settings: Mapping[str, str | None] | None = None,
        heap_mb: int = 512,
        jvm_options: Sequence[str] = (),
    ) -> None:
        self._ports = take_ports()
        self.name = name
        self.url = f"http://127.0.0.1:{self._ports.http}"
        self.transport_address = f"127.0.0.1:{self._ports.transport}"
        self.folder = Path(tempfile.mkdtemp(prefix="sightings-elasticsearch-"))
        self.snapshots = self.folder / "snapshots"
        """Snapshot repositories of type `fs` may lie here."""
        self.settings = self._defaults() | dict(settings or {})
        self._installation = installation
        self._heap_mb = heap_mb
        self._jvm_options = list(jvm_options)
        self._process: subprocess.Popen[bytes] | None = None

    def _defaults(self) -> dict[str, str | None]:
        return {
            "cluster.name": self.folder.name,
            "node.name": self.name,
            "path.data": str(self.folder / "data"),
            "path.logs": str(self.folder / "logs"),
            "path.repo": str(self.snapshots),
            "network.host": "127.0.0.1",
            "http.port": str(self._ports.http),
            "transport.port": str(self._ports.transport),
            "discovery.type": "single-node",
            # A nearly full disk of the developer's is no reason for read-only indices.
            "cluster.routing.allocation.disk.threshold_enabled": "false",
        }

    def start(self) -> None:
        """Start the process and wait until the node answers; raises `NodeFailure`."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start the process without waiting; it dies with this one."""
        settings = {name: value for name, value in self.settings.items() if value is not None}
        options = [f"-Djava.io.tmpdir={self.folder}", *self._jvm_options]
        with (self.folder / "node.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._installation.command(self._heap_mb, options, settings),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                # Ctrl-C is for the tests, which then stop their nodes in order.
                start_new_session=True,
            )

    def wait_until_ready(self, limit_s: float = START_LIMIT_S) -> None:
        """Wait until the cluster has a master and all primary shards; raises `NodeFailure`."""
        self.wait_for({"wait_for_status": "yellow"}, limit_s)

    def wait_for(self, conditions: Mapping[str, object], limit_s: float = START_LIMIT_S) -> None:
        """Wait until the cluster health's `wait_for_…` conditions hold; raises `NodeFailure`."""
        query = "&".join(f"{name}={value}" for name, value in conditions.items())
        ends_s = time.monotonic() + limit_s
        while time.monotonic() < ends_s:
            if not self.is_running:
                raise self.failure("ended while it was waited for")
            try:
                status, health = self.get(f"/_cluster/health?{query}&timeout=1s", timeout_s=5)
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
                continue
            if status == 200 and not health["timed_out"]:
                return
        raise self.failure(f"did not reach {query} within {limit_s:.0f} s")

    def get(self, path: str, timeout_s: float = 30) -> tuple[int, Any]:
        """Return the HTTP status and the JSON of a GET, without any client in between."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=timeout_s)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End the process at once, as a power failure would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Close the node in order; a process that hangs is killed."""
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """Start again on the same ports and data; a node that still runs is stopped first."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Kill the process, remove its folders and free its ports; for good."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._ports.free()

    def log_tail(self, lines: int = LOG_LINES) -> str:
        """Return the last lines of the log."""
        text = (self.folder / "node.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def failure(self, what: str) -> NodeFailure:
        """Return an exception that says what went wrong, with the log's end."""
        return NodeFailure(f"Elasticsearch node {self.name} {what}; its log:\n{self.log_tail()}")

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_LIMIT_S)
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process = None
