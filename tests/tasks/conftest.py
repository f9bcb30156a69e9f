from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from indexer.engines import open_index
from tests.clips import BROWN, GREY, clip, photo, shot, still
from tests.elasticsearch.collections import SETTINGS as CLUSTER
from tests.engines.conftest import ENGINES, elasticsearch_location, embedded_location  # noqa: F401
from tests.fake_embedder import FakeEmbedder
from tests.tasks.fake_app import SLOW
from tests.tasks.running import Worker, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.settings import Settings
    from tests.redis_server import RedisServer


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, portraits) -> Path:
    """A video of four segments, one of eight that takes its time, and three photos."""
    folder = tmp_path_factory.mktemp("media")
    shots = shot(portraits, "eileen", 9), shot(portraits, "", 2, BROWN)
    clip(folder / "b.mp4", *shots, shot(portraits, "grace", 8, GREY))
    clip(
        folder / "slow.mp4", shot(portraits, "grace", 20, SLOW), shot(portraits, "eileen", 20, SLOW)
    )
    for number, name in enumerate("acd"):
        people = ("eileen", "grace")[: 1 + number % 2]
        photo(folder / f"{name}.png", still(portraits, *people, shift=number))
    return folder


@pytest.fixture
def engine() -> str:
    """The engine of the index; tests that take both parametrize it."""
    return "embedded"


@pytest.fixture
def settings(engine: str, request: pytest.FixtureRequest, redis_server: RedisServer) -> Settings:
    return settings_for(request.getfixturevalue(ENGINES[engine]), redis_server.url)


@pytest.fixture
def index(settings: Settings) -> Iterator[Index]:
    """The index of the workers under test, which has the model that they bring."""
    with open_index(settings.index, create=True, settings=CLUSTER) as index:
        index.adopt_model(FakeEmbedder().identity)
        yield index


@pytest.fixture
def start_worker(settings: Settings, tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Starts workers of the test's own, which end with it."""
    started: list[Worker] = []

    def start(settings: Settings = settings, **options: Any) -> Worker:
        started.append(Worker(settings, tmp_path / f"worker{len(started)}.log", **options))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()
