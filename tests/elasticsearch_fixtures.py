"""Fixtures that give tests real Elasticsearch nodes; see `tests.elasticsearch`.

Every test that uses one, itself or through other fixtures, is marked `slow`. Without a JDK or Maven
these tests are skipped, except in CI, where that is a failure.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.elasticsearch.installation import Installation, install
from tests.elasticsearch.java import Unavailable
from tests.elasticsearch.node import Node

if TYPE_CHECKING:
    from collections.abc import Iterator


FIXTURES = {"elasticsearch_installation", "elasticsearch_url"}

RUNNING = pytest.StashKey[pytest.Item]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that ask for a node by its fixture's name, or whose fixtures do."""
    for item in items:
        if FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.config.stash[RUNNING] = item


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> None:
    """Refuse a node to tests that ask for it with `getfixturevalue` and are not marked."""
    item = request.config.stash[RUNNING]
    if fixturedef.argname in FIXTURES and not item.get_closest_marker("slow"):
        pytest.fail(f"{item.nodeid} starts Elasticsearch and lacks @pytest.mark.slow")


@pytest.fixture(scope="session")
def elasticsearch_installation() -> Installation:
    """What nodes are started from, downloaded once per user."""
    try:
        return install()
    except Unavailable as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def elasticsearch_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The base URL of a node that all tests of the session share: use names of your own in it.

    `SIGHTINGS_TEST_ELASTICSEARCH_URL` gives another one; else a local node is started.
    """
    if given := os.environ.get("SIGHTINGS_TEST_ELASTICSEARCH_URL"):
        yield given.rstrip("/")
        return
    node = Node(request.getfixturevalue("elasticsearch_installation"))
    try:
        node.start()
        yield node.url
    finally:
        node.close()
