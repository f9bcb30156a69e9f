"""Networks that are loaded when the first media needs them, so that a run without work loads none.

Before, it is only looked whether the weights lie where the index knows them, unchanged.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from indexer.library_threads import segments_at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.networks import Networks
    from indexer.records import ModelIdentity
    from indexer.settings import Settings


class DeferredNetworks:
    """Networks of an index's model; several threads may ask for them.

    settings: what they will run under.
    """

    def __init__(
        self, identity: ModelIdentity, settings: Settings, load: Callable[[], Networks]
    ) -> None:
        """load: loads the model of that identity under those settings.

        Raises WeightsUnavailable if its weights are not there any more, or have changed, and what
        `runtime_of` raises.
        """
        from indexer.embeddings import check_weights
        from indexer.runtime import runtime_of

        check_weights(identity)
        self.identity = identity
        self.settings = settings
        runtime_of(settings)  # what is wrong with it is told before any work
        self.segments_at_once = segments_at_once(settings)
        self._load = load
        self._lock = threading.Lock()
        self._networks: Networks | None = None

    def loaded(self) -> Networks:
        """Return the networks, which the first call loads. Raises what `load_networks` does."""
        with self._lock:
            if self._networks is None:
                self._networks = self._load()
            return self._networks
