"""An ingest that is killed, at whatever request or moment, is completed by the next one."""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.engines import open_index
from tests.elasticsearch.collections import SETTINGS, new_collection
from tests.elasticsearch.contents import contents, differences, layout, put_back
from tests.elasticsearch.dying import killed
from tests.elasticsearch.ingests import completed, ingest_process, new_index, run
from tests.ingest_process import finished_segments, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.elasticsearch.contents import Contents

KILLS = 5


@pytest.fixture(scope="module")
def location(elasticsearch_url: str) -> Iterator[str]:
    """A collection for all of the module's tests, with a model and nothing else."""
    with new_collection(elasticsearch_url) as location:
        new_index(location).close()
        yield location


@pytest.fixture(scope="module")
def empty(location: str) -> Contents:
    return contents(location)


def test_killed_before_any_request_and_run_again_the_index_is_that_of_an_undisturbed_run(
    location: str, empty: Contents, small: Path, memory: Path
) -> None:
    put_back(location, empty)
    report = completed(location, small, memory)
    assert (len(report.done), report.labelled) == (2, 1)
    undisturbed = contents(location)
    wrong = {}
    for number in count(1):
        put_back(location, empty)
        if run(location, small, memory, dies_before=number) is not None:
            break
        completed(location, small, memory)
        if told := differences(contents(location), undisturbed):
            wrong[number] = told
    assert wrong == {}
    assert number > 25


def test_killed_at_any_moment_and_run_again_the_index_is_that_of_an_undisturbed_run(
    location: str, empty: Contents, large: Path, memory: Path, undisturbed: Contents
) -> None:
    put_back(location, empty)
    chance = np.random.default_rng(1)
    with open_index(location, settings=SETTINGS) as index:
        for _ in range(KILLS):
            done = finished_segments(index)
            with ingest_process(location, large, memory) as process:
                # What was killed is done next, so that no part is ever killed twice.
                wait_until(lambda: finished_segments(index) > done or not process.runs)  # noqa: B023
                time.sleep(chance.uniform(0, 0.2))
    completed(location, large, memory)
    assert differences(contents(location), undisturbed) == []


def test_a_process_killed_while_it_makes_a_collection_leaves_one_that_can_be_used(
    elasticsearch_url: str,
) -> None:
    def make(location: str) -> None:
        new_index(location).close()

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
