"""The networks of the service: loaded once, for all its threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.networks import Networks
    from indexer.records import ModelIdentity
    from indexer.settings import Settings


class SharedNetworks:
    """Loads the index's networks when they are first needed, and again when its model changed."""

    def __init__(self, settings: Settings, networks: Networks | None = None) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._loaded = networks

    def load(self, model: ModelIdentity) -> Networks:
        """Return the networks for an index's model.

        Raises WeightsUnavailable, MissingExtra, ModelMismatch.
        """
        from indexer.networks import load_networks

        with self._lock:
            if self._loaded is None or self._loaded.embedder.identity.key != model.key:
                self._loaded = load_networks(model, self._settings)
            return self._loaded
