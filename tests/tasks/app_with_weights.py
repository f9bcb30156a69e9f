"""The app of workers whose networks need a file of weights, which may be missing.

Each try to load them leaves its time, in seconds, as a line of `WEIGHTS.tries`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.errors import WeightsUnavailable
from indexer.settings import Settings, load
from tasks.app import make_app
from tests.tasks.fake_app import fake_networks

if TYPE_CHECKING:
    from indexer.networks import Networks
    from indexer.records import ModelIdentity


def networks(model: ModelIdentity | None, settings: Settings) -> Networks:
    weights = Path(settings.facenet_weights)
    with Path(f"{weights}.tries").open("a") as tries:
        tries.write(f"{time.monotonic()}\n")
    if not weights.exists():
        raise WeightsUnavailable("The weights of these tests are not there.")
    return fake_networks(model, settings)


def __getattr__(name: str) -> Any:
    """Make the app only for `celery -A`."""
    if name != "app":
        raise AttributeError(name)
    globals()[name] = made = make_app(load(), networks)
    return made
