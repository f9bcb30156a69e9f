"""Where the index is that the settings name, and opening it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from indexer.engines.elastic.location import is_on_cluster

if TYPE_CHECKING:
    from indexer.engines.base import Index
    from indexer.settings import Settings


def index_location(settings: Settings) -> str:
    """Return the location of the index: the setting, or the default in the user's data folder."""
    if settings.index:
        return settings.index
    from platformdirs import user_data_path

    return str(user_data_path("sightings") / "faces.sightings")


def location_to_create(settings: Settings) -> str:
    """Return the location of the index, after making the default's folder if it is there."""
    location = index_location(settings)
    if not settings.index:
        Path(location).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return location


def open_existing(settings: Settings) -> Index:
    """Open the index that the settings name, which must be there."""
    from indexer import open_index

    return open_index(index_location(settings), settings=settings)


def open_or_create(settings: Settings) -> Index:
    """Open the index that the settings name, or make it; only the default's folder is made."""
    from indexer import open_index

    return open_index(location_to_create(settings), create=True, settings=settings)


def would_be_made(settings: Settings) -> bool:
    """Whether `open_or_create` would make a file: nothing is there yet, and the folder is."""
    location = index_location(settings)
    path = Path(location)
    if is_on_cluster(location) or path.exists():
        return False
    return path.parent.is_dir() or not settings.index
