"""The networks of the runs of an evaluation; only those of the latest run are kept in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.errors import WeightsUnavailable

if TYPE_CHECKING:
    from indexer.evaluation.progress import Watcher
    from indexer.networks import Networks
    from indexer.settings import Settings


class Loader:
    """Loads networks, unless they are those that were loaded last.

    Weights that were out of reach once are not asked for again: that may take half a minute.
    """

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._latest: tuple[tuple[str, Settings], Networks] | None = None
        self._out_of_reach: dict[tuple[str, str], str] = {}

    def load(self, spec: str, settings: Settings) -> Networks:
        """Return the networks of a model under settings. Raises what `load_networks` does."""
        asked = spec, settings
        if self._latest is None or self._latest[0] != asked:
            # Two models at a time may be more than the memory holds.
            self._latest = None
            self._latest = asked, self._loaded(spec, settings)
        return self._latest[1]

    def _loaded(self, spec: str, settings: Settings) -> Networks:
        from indexer.networks import load_networks

        # Of the settings, this one alone says where weights lie.
        weights = spec.partition("?")[0], settings.facenet_weights
        if weights in self._out_of_reach:
            raise WeightsUnavailable(self._out_of_reach[weights])
        try:
            with self._watcher.downloads() as tell:
                return load_networks(None, settings, spec=spec, progress=tell)
        except WeightsUnavailable as error:
            self._out_of_reach[weights] = str(error)
            raise
