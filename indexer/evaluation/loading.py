"""The networks of the runs of an evaluation; only those of the latest run are kept in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.evaluation.progress import Watcher
    from indexer.networks import Networks
    from indexer.settings import Settings


class Loader:
    """Loads networks, unless they are those that were loaded last."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._latest: tuple[tuple[str, Settings], Networks] | None = None

    def load(self, spec: str, settings: Settings) -> Networks:
        """Return the networks of a model under settings. Raises what `load_networks` does."""
        from indexer.networks import load_networks

        asked = spec, settings
        if self._latest is None or self._latest[0] != asked:
            # Two models at a time may be more than the memory holds.
            self._latest = None
            with self._watcher.downloads() as tell:
                loaded = load_networks(None, settings, spec=spec, progress=tell)
            self._latest = asked, loaded
        return self._latest[1]
