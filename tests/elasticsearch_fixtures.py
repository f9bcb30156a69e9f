"""Fixtures that give tests real Elasticsearch nodes; see `tests.elasticsearch`.

Every test that names one, or whose fixtures do, is marked `slow`. Without a JDK or Maven these
tests are skipped, except in CI, where that is a failure. A test that gets one by `getfixturevalue`
alone needs the mark itself: without it, `make test-fast` fails.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pytest

from tests.elasticsearch.archive import with_archive
from tests.elasticsearch.cluster import Cluster
from tests.elasticsearch.installation import Installation, install
from tests.elasticsearch.java import Unavailable
from tests.elasticsearch.node import Node, PortTaken

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

FIXTURES = {
    "elasticsearch_installation",
    "elasticsearch_url",
    "elasticsearch_node",
    "elasticsearch_cluster",
}

ATTEMPTS = 3
"""How often a start is tried when something else takes a port meanwhile."""

RUNNING = pytest.StashKey[pytest.Item]()

_started: list[Node | Cluster] = []
"""What runs now, of which a test that fails shows the logs' ends."""

Started = TypeVar("Started", Node, Cluster)


class StartNode(Protocol):
    """Starts a node of the test's own, which ends with the test."""

    def __call__(self, **options: Any) -> Node:
        """Return a node that answers; `options` are those of `Node`."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests as slow before `-m "not slow"` is applied."""
    for item in items:
        if FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.config.stash[RUNNING] = item


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what nodes said last when a test that may use them fails."""
    report = yield
    if report.failed and item.get_closest_marker("slow"):
        for one in _started:
            for node in one.nodes if isinstance(one, Cluster) else [one]:
                report.sections.append((f"log of {node.name} at {node.url}", node.log_tail()))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> None:
    """Refuse a node to tests that ask for it with `getfixturevalue` and are not marked."""
    if fixturedef.argname in FIXTURES:
        item = request.config.stash[RUNNING]
        if not item.get_closest_marker("slow"):
            pytest.fail(f"{item.nodeid} uses Elasticsearch and lacks @pytest.mark.slow")


@pytest.fixture(scope="session")
def elasticsearch_installation() -> Installation:
    """What nodes are started from: `with Node(elasticsearch_installation) as node: ...`."""
    try:
        return with_archive(install())
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
    installation = request.getfixturevalue("elasticsearch_installation")
    with started(lambda: Node(installation)) as node:
        yield node.url


@pytest.fixture
def elasticsearch_node(elasticsearch_installation: Installation) -> Iterator[StartNode]:
    """Starts nodes of the test's own, as many as it likes."""
    with ExitStack() as nodes:

        def start(**options: Any) -> Node:
            return nodes.enter_context(started(lambda: Node(elasticsearch_installation, **options)))

        yield start


@pytest.fixture(scope="module")
def elasticsearch_cluster(elasticsearch_installation: Installation) -> Iterator[Cluster]:
    """Three nodes for a module's tests; a test that takes one away calls `heal()` at its end."""
    with started(lambda: Cluster(elasticsearch_installation)) as cluster:
        yield cluster


@contextmanager
def started(make: Callable[[], Started]) -> Iterator[Started]:
    """Start on other ports when something else was faster."""
    with ExitStack() as stack:
        for attempt in range(ATTEMPTS):
            try:
                started = stack.enter_context(make())
                break
            except PortTaken:
                if attempt == ATTEMPTS - 1:
                    raise
        _started.append(started)
        try:
            yield started
        finally:
            _started.remove(started)
