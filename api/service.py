"""What all routes share: the settings, the index, the networks, and what guards them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

from flask import current_app

from api.decoding.decoders import Decoders
from api.networks import SharedNetworks
from api.opening import OpenedIndex
from api.problems import Problem
from api.readiness import Readiness
from api.scratch import Scratch
from api.security.hosts import needs_key
from api.security.keys import KeyStore, keys_path
from api.security.signing import Signer, signing_keys
from api.turns import Turns, Waiting
from api.video_searches import VideoSearches
from indexer.errors import MediaError, SightingsError
from indexer.text import shown
from indexer.uploads import media_root

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from api.metrics import Metrics
    from indexer.engines.base import Index
    from indexer.networks import Networks
    from indexer.records import Media
    from indexer.settings import Settings

EXTENSION = "sightings"


class Service:
    """The parts of a running service; threads share it.

    open_index: opens the index, at the first request that needs it, so that a cluster may come up
    later. send: tells workers of queued media (`indexer.jobs.Send`). metrics: what is measured.
    worker_is_well: whether what works on them can be reached. queued: how many messages wait, where
    there are any. Raises EnvironmentFailure if its keys cannot be read or made.
    """

    def __init__(
        self,
        settings: Settings,
        open_index: Callable[[], Index],
        *,
        send: Callable[[Sequence[str]], None],
        metrics: Metrics,
        networks: Networks | None = None,
        worker_is_well: Callable[[], bool] = lambda: True,
        queued: Callable[[], int] | None = None,
    ) -> None:
        self.settings = settings
        self.key_needed = needs_key(settings.api)
        self.keys = KeyStore(keys_path(settings.api))
        self.signer = Signer(signing_keys(settings.api), settings.api.session_s)
        waiting = Waiting(settings.api)
        self.turns = Turns(
            settings.api.max_searches,
            waiting,
            queue_s=settings.api.queue_s,
            refusal="As many searches as may run are running; try again shortly.",
        )
        self.decoders = Decoders(settings.api, waiting=waiting)
        self.networks = SharedNetworks(settings, networks)
        self.send = send
        self.metrics = metrics
        self.readiness = Readiness({"index": self._index_answers, "worker": worker_is_well})
        self.queued = queued
        self.queries = Scratch(Path(tempfile.gettempdir()), "sightings-queries")
        self.incoming = Scratch(media_root(settings) / ".incoming", "uploads")
        self.video_searches = VideoSearches(self)
        self._index = OpenedIndex(open_index)
        for scratch in (self.queries, self.incoming):
            scratch.sweep()

    @property
    def index(self) -> Index:
        """The index. Raises IndexFailure while it cannot be opened."""
        return self._index.get()

    def require_model(self) -> None:
        """Raise Problem `index_empty` if the index has no embedding model yet."""
        if self.index.model is None:
            raise Problem("index_empty", "Add photos or videos first; then there is what to find.")

    def require_model_to_index(self) -> None:
        """Raise Problem `model_unavailable` if nothing says what embeds the first faces."""
        if self.index.model is None and not self.settings.model:
            raise Problem(
                "model_unavailable",
                "The index is new and has no embedding model yet: whoever runs the service chooses "
                "one, by the setting `model`.",
            )

    def look(self, path: Path) -> tuple[Media, np.ndarray]:
        """Tell what a file of this machine is; see `indexer.identify.Look`. Raises MediaError."""
        try:
            return self.decoders.look(
                path, name=str(path), max_pixels=self.settings.media.max_pixels
            )
        except Problem as busy:  # one of many files, of which the others may have more luck
            raise MediaError(f"{shown(path)}: {busy.detail}") from busy

    def _index_answers(self) -> bool:
        try:
            _ = self.index.model  # reads from it; an empty index has none
        except SightingsError:
            return False
        return True

    def close(self) -> None:
        """End what runs and remove what lies about."""
        self.video_searches.close()
        self.decoders.close()
        self._index.close()
        self.queries.remove()
        self.incoming.remove()


def current() -> Service:
    """Return the service of the request that is being answered."""
    return cast("Service", current_app.extensions[EXTENSION])
