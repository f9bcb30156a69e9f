"""One Elasticsearch node of the tests."""

from __future__ import annotations

import http.client
import json
import time
from typing import TYPE_CHECKING, Any

from tests.elasticsearch.ports import take_place
from tests.elasticsearch.process import NodeProcess

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

    from tests.elasticsearch.installation import Installation

START_LIMIT_S = 90
LOG_LINES = 60


class NodeFailure(Exception):
    """A node did not do what was asked of it; the message ends with its log."""


class PortTaken(NodeFailure):
    """Something else listens on a node's port since the port was found free."""


class Node:
    """A node with loopback ports and folders of its own, which `close` gives back.

    `settings` are Elasticsearch's, on top of the default ones; a value of None takes one away. They
    may be changed between starts. As a context manager it is started and closed.
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
        self._place = take_place()
        self.name = name
        self.url = f"http://127.0.0.1:{self._place.http}"
        self.transport_address = f"127.0.0.1:{self._place.transport}"
        self.log = self._place.folder / "node.log"
        self.snapshots = self._place.folder / "snapshots"
        """Where snapshot repositories of type `fs` may lie."""
        self.settings = self._defaults() | dict(settings or {})
        self._installation = installation
        self._heap_mb = heap_mb
        self._jvm_options = list(jvm_options)
        self._process: NodeProcess | None = None

    def _defaults(self) -> dict[str, str | None]:
        return {
            "cluster.name": self._place.folder.name,
            "node.name": self.name,
            "path.data": str(self._place.folder / "data"),
            "path.logs": str(self._place.folder / "logs"),
            "path.repo": str(self.snapshots),
            "network.host": "127.0.0.1",
            "http.port": str(self._place.http),
            "transport.port": str(self._place.transport),
            "discovery.type": "single-node",
            # A nearly full disk of the developer's is no reason for read-only indices.
            "cluster.routing.allocation.disk.threshold_enabled": "false",
        }

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the process and wait until it answers searches; raises `NodeFailure`."""
        self.launch()
        self.wait_for({"wait_for_status": "yellow"})

    def launch(self) -> None:
        """Start the process without waiting for it."""
        if self.is_running:
            return
        settings = {name: value for name, value in self.settings.items() if value is not None}
        options = [f"-Djava.io.tmpdir={self._place.folder}", *self._jvm_options]
        command = self._installation.command(self._heap_mb, options, settings)
        self._process = NodeProcess(command, self._place.folder, self.log)

    def kill(self) -> None:
        """End the process at once with SIGKILL; a later `start` finds ports and data as before."""
        if self._process is not None:
            self._process.kill()

    def stop(self) -> None:
        """Close the node in order; a later `start` finds ports and data as before."""
        if self._process is not None:
            self._process.stop()

    def restart(self) -> None:
        """Start again on the same ports and data; a node that still runs is stopped first."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Hold the process with SIGSTOP: it takes connections and never answers."""
        assert self._process is not None
        self._process.pause()

    def resume(self) -> None:
        """Let a paused process go on."""
        assert self._process is not None
        self._process.resume()

    def close(self) -> None:
        """End the process, remove its data and logs and free its ports, for good."""
        self.kill()
        self._place.give_back()

    @property
    def pid(self) -> int | None:
        """The process's id, or None while there is none."""
        return self._process.pid if self._process is not None and self.is_running else None

    @property
    def is_running(self) -> bool:
        """Whether there is a process, paused or not."""
        return self._process is not None and self._process.is_running

    @property
    def is_paused(self) -> bool:
        return self._process is not None and self._process.is_paused

    def wait_for(self, conditions: Mapping[str, object], limit_s: float = START_LIMIT_S) -> None:
        """Wait for `wait_for_…` conditions of the cluster health API; raises `NodeFailure`."""
        query = "&".join(f"{name}={value}" for name, value in conditions.items())
        ends_s = time.monotonic() + limit_s
        while time.monotonic() < ends_s:
            if not self.is_running:
                raise self._failure("ended while it was waited for")
            try:
                status, health = self.get(f"/_cluster/health?{query}&timeout=1s", timeout_s=5)
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
                continue
            # On a port that was taken, somebody else's node may answer until ours gives up.
            ours = health.get("cluster_name") == self.settings["cluster.name"]
            if status == 200 and ours and not health["timed_out"]:
                return
            time.sleep(0.1)
        raise self._failure(f"did not reach {query} within {limit_s:.0f} s")

    def get(self, path: str, timeout_s: float = 30) -> tuple[int, Any]:
        """Return the HTTP status and the JSON of a GET, with no client in between."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=timeout_s)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def log_tail(self, lines: int = LOG_LINES) -> str:
        """Return the last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _failure(self, what: str) -> NodeFailure:
        tail = self.log_tail()
        taken = "BindHttpException" in tail or "BindTransportException" in tail
        kind = PortTaken if taken else NodeFailure
        return kind(f"Elasticsearch node {self.name} at {self.url} {what}; its log:\n{tail}")
