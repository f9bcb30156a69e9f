"""The background worker's child among packages that print, before it begins and while it works."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from indexer.background_child import main
from tests.tasks.fake_app import fake_networks

if TYPE_CHECKING:
    from indexer.networks import Networks
    from indexer.records import ModelIdentity
    from indexer.settings import Settings


def networks(model: ModelIdentity | None, settings: Settings) -> Networks:
    print("said in Python", flush=True)
    os.write(1, b"said in C\n")
    return fake_networks(model, settings)


if __name__ == "__main__":
    print("said too early", flush=True)
    main(networks)
