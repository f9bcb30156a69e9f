"""A node that goes away in the middle of an ingest and comes back."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from indexer.errors import IndexFailure
from tests.elasticsearch.collections import SETTINGS, new_collection
from tests.elasticsearch.contents import contents, differences
from tests.elasticsearch.ingests import (
    completed,
    ingest_process,
    new_index,
    wait_for_segments,
)
from tests.elasticsearch.node import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from indexer.settings import ElasticsearchSettings
    from tests.elasticsearch.contents import Contents
    from tests.elasticsearch.installation import Installation

AWAY_S = 30.0
IMPATIENT = replace(SETTINGS, timeout_s=2.0)
"""Requests are given up, and repeated, many times while the node is away."""

PATIENT = replace(SETTINGS, retry_s=180.0)
"""On a busy machine a node needs more than half a minute to start."""


@pytest.fixture(scope="module")
def node(elasticsearch_installation: Installation) -> Iterator[Node]:
    with Node(elasticsearch_installation) as node:
        yield node


@pytest.fixture
def location(node: Node) -> Iterator[str]:
    with new_collection(node.url) as location:
        yield location


@pytest.mark.parametrize(
    ("go", "come_back", "settings"),
    [(Node.pause, Node.resume, IMPATIENT), (Node.stop, Node.start, PATIENT)],
    ids=["does not answer", "is started again"],
)
def test_an_ingest_outlasts_a_node_that_is_away(
    go: Callable[[Node], object],
    come_back: Callable[[Node], object],
    settings: ElasticsearchSettings,
    location: str,
    node: Node,
    large: Path,
    memory: Path,
    undisturbed: Contents,
) -> None:
    with (
        new_index(location) as index,
        ingest_process(location, large, memory, elasticsearch=settings) as process,
    ):
        wait_for_segments(index, 3, process)
        go(node)
        time.sleep(AWAY_S)
        assert process.runs
        come_back(node)
        report = process.answer()
    assert (len(report.done), report.failed) == (6, [])
    assert differences(contents(location), undisturbed) == []


def test_an_ingest_that_has_waited_long_enough_says_why_and_the_next_one_goes_on(
    location: str, node: Node, large: Path, memory: Path, undisturbed: Contents
) -> None:
    with new_index(location) as index:
        hasty = replace(IMPATIENT, retry_s=1.0)
        with ingest_process(location, large, memory, elasticsearch=hasty) as process:
            wait_for_segments(index, 3, process)
            node.pause()
            error = process.answer()
        node.resume()
    assert isinstance(error, IndexFailure)
    assert "does not answer in time, though it was tried for" in str(error)
    assert completed(location, large, memory).skipped != []
    assert differences(contents(location), undisturbed) == []
