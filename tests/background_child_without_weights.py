"""The background worker's child; a model's weights are missing until a file `weights` is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from indexer.background_child import main
from indexer.errors import WeightsUnavailable
from tests.tasks.fake_app import fake_networks

if TYPE_CHECKING:
    from indexer.networks import Networks
    from indexer.records import ModelIdentity
    from indexer.settings import Settings


def networks(model: ModelIdentity | None, settings: Settings) -> Networks:
    if not Path(settings.index).with_name("weights").exists():
        raise WeightsUnavailable("There are no weights yet.")
    return fake_networks(model, settings)


if __name__ == "__main__":
    main(networks)
