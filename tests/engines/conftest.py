from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from indexer.engines import open_index
from tests.elasticsearch.collections import SETTINGS, new_collection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from indexer.engines.base import Index

ENGINES = {"embedded": "embedded_location", "elasticsearch": "elasticsearch_location"}
"""Each engine with the fixture that gives the location of a new index of that engine."""


@pytest.fixture
def embedded_location(tmp_path: Path) -> str:
    return str(tmp_path / "faces.sightings")


@pytest.fixture
def elasticsearch_location(elasticsearch_url: str) -> Iterator[str]:
    """The location of a new collection on a real node."""
    with new_collection(elasticsearch_url) as location:
        yield location


@pytest.fixture(
    params=["embedded", pytest.param("elasticsearch", marks=pytest.mark.slow)],
)
def open_again(request: pytest.FixtureRequest) -> Iterator[Callable[[], Index]]:
    """Opens one and the same index, which is empty at first, as often as a test likes."""
    location = request.getfixturevalue(ENGINES[request.param])
    opened: list[Index] = []

    def open_once_more() -> Index:
        opened.append(open_index(location, create=True, settings=SETTINGS))
        return opened[-1]

    yield open_once_more
    for index in opened:
        index.close()


@pytest.fixture
def index(open_again: Callable[[], Index]) -> Index:
    """An empty index, of each engine in turn."""
    return open_again()
