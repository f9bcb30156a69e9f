"""What a working process has open: the index, its GPU and the networks, from its first task on."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from indexer.gpus import gpu_of, visible_gpus
from indexer.location import open_or_create
from indexer.networks import Networks
from indexer.records import ModelIdentity
from indexer.settings import Settings

if TYPE_CHECKING:
    from indexer.engines.base import Index

LOG = logging.getLogger(__name__)

LoadNetworks = Callable[[ModelIdentity | None, Settings], Networks]
"""Loads the networks for an index with this model (None: it is new) under settings."""


class Process:
    """Opens and loads lazily, in the process that asks: nothing of it may cross a fork.

    Neither a connection nor a CUDA context survives one.
    """

    def __init__(self, settings: Settings, load: LoadNetworks) -> None:
        self._settings = settings
        self._load = load
        self._pid = self._gpu_pid = 0
        self._index: Index | None = None
        self._networks: Networks | None = None

    def index(self) -> Index:
        """Return the index. Raises IndexFailure if it cannot be opened."""
        if self._pid != os.getpid():
            self._pid, self._index, self._networks = os.getpid(), None, None
        if self._index is None:
            self._index = open_or_create(self._settings)
        return self._index

    def networks(self) -> Networks:
        """Return the networks of the index's model, which may have been replaced meanwhile.

        A new index takes the model of the settings. Raises UsageError without any,
        WeightsUnavailable, MissingExtra, EnvironmentFailure, IndexFailure.
        """
        index = self.index()
        model = index.model
        if self._networks is None or model is None or model.key != self._key:
            if self._gpu_pid != os.getpid():
                self._gpu_pid = os.getpid()
                _take_gpu(self._settings.faces.device)
            self._networks = self._load(model, self._settings)
            index.adopt_model(self._networks.embedder.identity)
        return self._networks

    @property
    def _key(self) -> str:
        return "" if self._networks is None else self._networks.embedder.identity.key


def _take_gpu(device: str) -> None:
    """Let CUDA see but one GPU here, another one in each process of this worker, if there are any.

    It must come before anything has used CUDA in this process.
    """
    from billiard import current_process  # type: ignore[import-untyped]

    gpus = () if device == "cpu" else visible_gpus()
    if not gpus:
        return
    number = getattr(current_process(), "index", 0)
    os.environ["CUDA_VISIBLE_DEVICES"] = gpu = gpu_of(number, gpus)
    if number >= len(gpus):
        LOG.warning(
            "Process %d of this worker shares GPU %s with another one: tasks.concurrency (or "
            "--concurrency) is greater than the number of GPUs, %d.",
            number + 1,
            gpu,
            len(gpus),
        )
