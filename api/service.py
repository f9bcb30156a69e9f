"""What all routes share: the settings, the index, the networks, and what guards them."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, cast

from flask import current_app

from api.decoding.decoders import Decoders
from api.networks import SharedNetworks
from api.problems import Problem
from api.security.hosts import needs_key
from api.security.keys import KeyStore, keys_path
from api.security.signing import Signer, signing_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from api.metrics import Metrics
    from api.security.limits import Turns
    from api.video_searches import VideoSearches
    from indexer.engines.base import Index
    from indexer.networks import Networks
    from indexer.settings import Settings

EXTENSION = "sightings"


class Service:
    """The parts of a running service; threads share it.

    open_index: opens the index, at the first request that needs it, so that a cluster may come up
    later. send: tells workers of queued media (`indexer.jobs.Send`). worker_is_well:
    whether what works on them can be reached. queued: how many messages wait, where there are any.
    """

    turns: Turns
    metrics: Metrics
    video_searches: VideoSearches

    def __init__(
        self,
        settings: Settings,
        open_index: Callable[[], Index],
        *,
        send: Callable[[Sequence[str]], None],
        networks: Networks | None = None,
        worker_is_well: Callable[[], bool] = lambda: True,
        queued: Callable[[], int] | None = None,
    ) -> None:
        self.settings = settings
        self.key_needed = needs_key(settings.api)
        self.keys = KeyStore(keys_path(settings.api))
        self.signer = Signer(signing_keys(settings.api), settings.api.session_s)
        self.decoders = Decoders(settings.api)
        self.networks = SharedNetworks(settings, networks)
        self.send = send
        self.worker_is_well = worker_is_well
        self.queued = queued
        self._folder: Path | None = None
        self._open_index = open_index
        self._index: Index | None = None
        self._lock = threading.Lock()

    @property
    def index(self) -> Index:
        """The index. Raises IndexFailure while it cannot be opened."""
        with self._lock:
            if self._index is None:
                self._index = self._open_index()
            return self._index

    @property
    def folder(self) -> Path:
        """Where what is uploaded to be searched for lies until it is answered."""
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="sightings-queries-"))
            return self._folder

    def require_model(self) -> None:
        """Raise Problem `index_empty` if the index has no embedding model yet."""
        if self.index.model is None:
            raise Problem("index_empty", "Add photos or videos first; then there is what to find.")

    def close(self) -> None:
        """End what runs and remove what lies about."""
        self.video_searches.close()
        self.decoders.close()
        with self._lock:
            if self._index is not None:
                self._index.close()
                self._index = None
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder = None


def current() -> Service:
    """Return the service of the request that is being answered."""
    return cast("Service", current_app.extensions[EXTENSION])
