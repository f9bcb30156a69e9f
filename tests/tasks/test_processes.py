"""What the processes of a worker take for themselves, and how others know that it lives."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tasks.sending import workers_alive
from tests.tasks.running import slow_media, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.settings import Settings
    from tests.redis_server import RedisServer
    from tests.tasks.running import Worker

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("gpus", "taken", "sharing"),
    [("4,7", {"4", "7"}, 0), ("4", {"4"}, 1)],
    ids=["enough", "too few"],
)
def test_each_process_sees_one_gpu_and_says_so_if_it_must_share_it(
    gpus: str,
    taken: set[str],
    sharing: int,
    settings: Settings,
    index: Index,
    folder: Path,
    start_worker: Callable[..., Worker],
) -> None:
    two = replace(settings, tasks=replace(settings.tasks, concurrency=2))
    worker = start_worker(settings=two, variables={"CUDA_VISIBLE_DEVICES": gpus}).wait_ready()
    slow_media(index, folder, two)
    wait_until(lambda: len(re.findall(r"Networks see (.*)", worker.text)) == 2)
    assert set(re.findall(r"Networks see GPU (\w+)", worker.text)) == taken
    assert worker.text.count("shares GPU 4 with another one") == sharing


def test_networks_on_the_cpu_leave_the_gpus_as_they_are(
    settings: Settings, index: Index, folder: Path, start_worker: Callable[..., Worker]
) -> None:
    cpu = {"SIGHTINGS_FACES_DEVICE": "cpu", "CUDA_VISIBLE_DEVICES": "4,7"}
    worker = start_worker(variables=cpu).wait_ready()
    slow_media(index, folder, settings)
    wait_until(lambda: "Networks see GPU 4,7" in worker.text)


def test_workers_are_alive_while_one_takes_messages_of_the_work(
    settings: Settings, start_worker: Callable[..., Worker], redis_server: RedisServer
) -> None:
    for_gpus = replace(settings, tasks=replace(settings.tasks, gpu_queue="gpus"))
    assert not workers_alive(settings)
    worker = start_worker().wait_ready()
    wait_until(lambda: workers_alive(settings))
    assert not workers_alive(for_gpus)
    other = start_worker(settings=for_gpus, queue="gpus").wait_ready()
    wait_until(lambda: workers_alive(for_gpus))
    redis_server.client.flushall()
    wait_until(lambda: workers_alive(settings) and workers_alive(for_gpus))
    worker.kill()
    wait_until(lambda: not workers_alive(settings))
    assert workers_alive(for_gpus)
    assert other.stop() == 0
    assert not workers_alive(for_gpus), "one that ends takes its sign with it"
