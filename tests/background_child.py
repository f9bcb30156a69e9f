"""The background worker's child with an embedding model that needs no weights."""

from __future__ import annotations

from indexer.background_child import main
from tests.tasks.fake_app import fake_networks

if __name__ == "__main__":
    main(fake_networks)
