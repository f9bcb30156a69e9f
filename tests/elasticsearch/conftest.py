from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from elasticsearch import Elasticsearch

from indexer.engines import open_index
from tests.clips import BROWN, GREY, clip, photo, shot, still
from tests.elasticsearch.collections import SETTINGS, new_collection
from tests.elasticsearch.connecting import connections
from tests.elasticsearch.contents import contents
from tests.elasticsearch.ingests import completed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np

    from indexer.engines.base import Index
    from tests.elasticsearch.connecting import Connect
    from tests.elasticsearch.contents import Contents


@pytest.fixture
def location(elasticsearch_url: str) -> Iterator[str]:
    """The location of a collection that is not there yet."""
    with new_collection(elasticsearch_url) as new:
        yield new


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes connections that give up soon."""
    with connections() as to:
        yield to


@pytest.fixture
def index(location: str) -> Iterator[Index]:
    """A new collection."""
    with open_index(location, create=True, settings=SETTINGS) as new:
        yield new


@pytest.fixture
def other(index: Index, location: str) -> Iterator[Index]:  # noqa: ARG001  # it must be there
    """Another worker's object of the same collection."""
    with open_index(location, settings=SETTINGS) as opened:
        yield opened


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where detections are kept: what the detector finds is not the matter of these tests."""
    return tmp_path_factory.mktemp("memory") / "detections"


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, portraits: dict[str, np.ndarray]) -> Path:
    """A photo, a video of two segments, and a copy of the photo, in folders of names."""
    folder = tmp_path_factory.mktemp("small")
    photo(folder / "Eileen" / "a.png", still(portraits, "eileen", "grace"))
    clip(folder / "b.mp4", shot(portraits, "eileen", 4), shot(portraits, "grace", 4, GREY))
    (folder / "Grace").mkdir()
    shutil.copyfile(folder / "Eileen" / "a.png", folder / "Grace" / "c.png")
    return folder


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory, portraits: dict[str, np.ndarray]) -> Path:
    """Two videos of four segments each, and four photos around them."""
    folder = tmp_path_factory.mktemp("large")
    for name, first, second in (("b.mp4", "eileen", "grace"), ("e.mp4", "grace", "eileen")):
        shots = shot(portraits, first, 9), shot(portraits, "", 2, BROWN)
        clip(folder / name, *shots, shot(portraits, second, 8, GREY))
    for number, name in enumerate("acdf"):
        people = ("eileen", "grace")[: 1 + number % 2]
        photo(folder / f"{name}.png", still(portraits, *people, shift=number))
    return folder


@pytest.fixture(scope="session")
def undisturbed(elasticsearch_url: str, large: Path, memory: Path) -> Contents:
    """What a collection holds when `large` was ingested and nothing happened."""
    with new_collection(elasticsearch_url) as location:
        assert len(completed(location, large, memory).done) == 6
        return contents(location)
