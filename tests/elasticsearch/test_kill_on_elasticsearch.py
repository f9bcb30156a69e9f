"""An ingest that is killed, at whatever request or moment, is completed by the next one."""

from __future__ import annotations

import shutil
import time
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from indexer.engines import open_index
from indexer.settings import ElasticsearchSettings
from tests.clips import BROWN, GREY, clip, photo, shot, still
from tests.elasticsearch.collections import new_collection
from tests.elasticsearch.contents import contents, differences, layout, put_back
from tests.elasticsearch.dying import killed
from tests.fake_embedder import FakeEmbedder
from tests.ingest_process import IngestProcess, finished_segments, ingested, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.elasticsearch.contents import Contents

SETTINGS = ElasticsearchSettings(replicas=0, expunge_s=0)

KILLS = 4


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where detections are kept: what the detector finds is not the matter here."""
    return tmp_path_factory.mktemp("memory") / "detections"


@pytest.fixture(scope="module")
def location(elasticsearch_url: str) -> Iterator[str]:
    """A collection for all of the module's tests, with a model and nothing else."""
    with new_collection(elasticsearch_url) as location:
        with open_index(location, create=True, settings=SETTINGS) as index:
            index.adopt_model(FakeEmbedder().identity)
        yield location


@pytest.fixture(scope="module")
def empty(location: str) -> Contents:
    return contents(location)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, portraits: Any) -> Path:
    """A photo, a video of two segments, and a copy of the photo, in folders of names."""
    folder = tmp_path_factory.mktemp("small")
    photo(folder / "Eileen" / "a.png", still(portraits, "eileen", "grace"))
    clip(folder / "b.mp4", shot(portraits, "eileen", 4), shot(portraits, "grace", 4, GREY))
    (folder / "Grace").mkdir()
    shutil.copyfile(folder / "Eileen" / "a.png", folder / "Grace" / "c.png")
    return folder


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, portraits: Any) -> Path:
    """Two videos of four segments each, and four photos around them."""
    folder = tmp_path_factory.mktemp("large")
    for name, first, second in (("b.mp4", "eileen", "grace"), ("e.mp4", "grace", "eileen")):
        shots = shot(portraits, first, 9), shot(portraits, "", 2, BROWN)
        clip(folder / name, *shots, shot(portraits, second, 8, GREY))
    for number, name in enumerate("acdf"):
        people = ("eileen", "grace")[: 1 + number % 2]
        photo(folder / f"{name}.png", still(portraits, *people, shift=number))
    return folder


def run(location: str, folder: Path, memory: Path, **orders: Any) -> Any:
    return ingested(
        location, folder, memory=memory, by_folder=True, elasticsearch=SETTINGS, **orders
    )


def complete(location: str, folder: Path, memory: Path) -> None:
    report = run(location, folder, memory)
    assert (report.failed, report.waiting, report.lost_labels) == ([], [], [])


def test_killed_before_any_request_and_run_again_the_index_is_that_of_an_undisturbed_run(
    location: str, empty: Contents, small: Path, memory: Path
) -> None:
    put_back(location, empty)
    report = run(location, small, memory)
    assert (len(report.done), report.labelled) == (2, 1)
    undisturbed = contents(location)
    wrong = {}
    for number in count(1):
        put_back(location, empty)
        if run(location, small, memory, dies_before=number) is not None:
            break
        complete(location, small, memory)
        if told := differences(contents(location), undisturbed):
            wrong[number] = told
    assert wrong == {}
    assert number > 25


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_moment_and_run_again_the_index_is_that_of_an_undisturbed_run(
    location: str, empty: Contents, large: Path, memory: Path, seed: int
) -> None:
    put_back(location, empty)
    complete(location, large, memory)
    undisturbed = contents(location)
    put_back(location, empty)
    chance = np.random.default_rng(seed)
    orders = {"memory": memory, "by_folder": True, "elasticsearch": SETTINGS}
    with open_index(location, settings=SETTINGS) as index:
        for _ in range(KILLS):
            done = finished_segments(index)
            with IngestProcess(location, large, **orders) as process:
                # What was killed is done next, so that no part is ever killed twice.
                wait_until(lambda: finished_segments(index) > done or not process.runs)  # noqa: B023
                time.sleep(chance.uniform(0, 0.2))
    complete(location, large, memory)
    assert differences(contents(location), undisturbed) == []


def test_a_process_killed_while_it_makes_a_collection_leaves_one_that_can_be_used(
    elasticsearch_url: str,
) -> None:
    def make(location: str) -> None:
        with open_index(location, create=True, settings=SETTINGS) as index:
            index.adopt_model(FakeEmbedder().identity)

    with new_collection(elasticsearch_url) as location:
        make(location)
        undisturbed = layout(location)
    for number in count(1):
        with new_collection(elasticsearch_url) as location:
            requests = killed(number, lambda: make(location))
            make(location)
            assert layout(location) == undisturbed, requests
        if len(requests) < number:
            break
    assert number > 10
