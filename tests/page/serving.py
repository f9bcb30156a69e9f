"""A service for the page's tests: real HTTP on a free port, and a worker beside it."""

from __future__ import annotations

import queue
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from waitress import create_server, wasyncore

from api.app import create_app
from indexer.engines.embedded.index import open_embedded
from indexer.settings import Settings
from indexer.settings_api import ApiSettings
from indexer.work import work_on_queued

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from flask import Flask

    from indexer.engines.base import Index
    from indexer.networks import Networks


@dataclass
class Worker:
    """Works on queued media in a thread of its own; `gate` holds it back while it is cleared."""

    location: Path
    networks: Networks
    gate: threading.Event = field(default_factory=threading.Event)
    _queued: queue.SimpleQueue[str | None] = field(default_factory=queue.SimpleQueue)

    def send(self, media_ids: Sequence[str]) -> None:
        for media_id in media_ids:
            self._queued.put(media_id)

    @contextmanager
    def running(self) -> Iterator[None]:
        self.gate.set()
        thread = threading.Thread(target=self._work)
        thread.start()
        try:
            yield
        finally:
            self._queued.put(None)
            self.gate.set()
            thread.join()

    def _work(self) -> None:
        with open_embedded(str(self.location)) as index:
            while (media_id := self._queued.get()) is not None:
                self.gate.wait()
                if index.model is None:
                    index.adopt_model(self.networks.embedder.identity)
                work_on_queued(index, media_id, self.networks)


@dataclass(frozen=True)
class Site:
    """A running service."""

    address: str
    app: Flask
    worker: Worker

    @property
    def index(self) -> Index:
        return self.app.extensions["sightings"].index


@contextmanager
def served(location: Path, folder: Path, networks: Networks, **changes: Any) -> Iterator[Site]:
    """Serve an index on a free port of this machine; settings of section `api` by name."""
    values: dict[str, Any] = {
        "keys_file": str(folder / "private" / "keys.json"),
        "media_root": str(folder / "uploads"),
    }
    settings = Settings(
        index=str(location),
        model=networks.embedder.identity.name,
        api=ApiSettings(**values | changes),
    )
    worker = Worker(location, networks)
    app = create_app(
        settings, lambda: open_embedded(str(location)), send=worker.send, networks=networks
    )
    connections: dict[int, Any] = {}
    server = create_server(app, map=connections, host="127.0.0.1", port=0, threads=16)
    ended = threading.Event()

    def answer() -> None:
        while not ended.is_set():
            wasyncore.loop(timeout=0.2, use_poll=True, map=connections, count=1)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        with worker.running():
            yield Site(f"http://127.0.0.1:{server.effective_port}", app, worker)
    finally:
        ended.set()
        thread.join()
        server.task_dispatcher.shutdown()
        for each in list(connections.values()):
            each.close()
        app.extensions["sightings"].close()
