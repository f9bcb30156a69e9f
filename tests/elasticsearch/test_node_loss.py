"""A cluster of three nodes with one replica that loses a node while it is written and searched."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from elasticsearch import Elasticsearch

from indexer.engines import open_index
from tests.elasticsearch.collections import SETTINGS, new_collection
from tests.elasticsearch.contents import contents, differences
from tests.elasticsearch.ingests import ingest_process, new_index, wait_for_segments
from tests.engines.builders import MODEL, add_photo, axis, random_vectors
from tests.ingest_process import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from indexer.records import Face
    from tests.elasticsearch.cluster import Cluster
    from tests.elasticsearch.contents import Contents
    from tests.elasticsearch.node import Node

REPLICATED = replace(SETTINGS, replicas=1, shards=2, timeout_s=10.0)
FACES = 40
"""Of a photo: more than a handful, so that bulk requests are under way most of the time."""

JOIN_S = 120.0


@dataclass
class Work:
    """What threads have done so far, and what stopped one of them."""

    stored: list[Face] = field(default_factory=list)
    searches: int = 0
    errors: list[BaseException] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def location(elasticsearch_cluster: Cluster) -> Iterator[str]:
    with new_collection(*elasticsearch_cluster.urls) as location:
        try:
            yield location
        finally:
            elasticsearch_cluster.heal()


def primary_of_faces(cluster: Cluster, location: str) -> Node:
    with Elasticsearch(cluster.urls) as client:
        faces = f"{location.rpartition('/')[2]}-faces"
        shards = client.cat.shards(index=faces, format="json", h="prirep,node").body
    (name, *_) = [shard["node"] for shard in shards if shard["prirep"] == "p"]
    return next(node for node in cluster.nodes if node.name == name)


def master(cluster: Cluster) -> Node:
    with Elasticsearch(cluster.urls) as client:
        name = client.cat.master(h="node").body.strip()
    return next(node for node in cluster.nodes if node.name == name)


@contextmanager
def running(*workers: Callable[[], None], work: Work) -> Iterator[None]:
    """Run threads until the block ends; none outlives it, and what one raises is noted."""

    def note(worker: Callable[[], None]) -> None:
        try:
            worker()
        except BaseException as error:
            work.errors.append(error)

    threads = [threading.Thread(target=note, args=(w,), daemon=True) for w in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        work.over.set()
        for thread in threads:
            thread.join(JOIN_S)
    assert not any(thread.is_alive() for thread in threads)


def test_a_lost_node_takes_nothing_that_was_acknowledged_and_searches_go_on(
    elasticsearch_cluster: Cluster, location: str
) -> None:
    work = Work()

    def write() -> None:
        with open_index(location, settings=REPLICATED) as index:
            while not work.over.is_set():
                vectors = random_vectors(FACES, seed=len(work.stored))
                work.stored += add_photo(index, f"p{len(work.stored)}", *vectors)

    def search() -> None:
        with open_index(location, settings=REPLICATED) as index:
            while not work.over.is_set():
                known = len(work.stored)
                assert len(index.search(axis(0), 10)) == 10
                index.refresh()
                assert index.count() >= known
                work.searches += 1

    def go_on(faces: int, searches: int) -> None:
        enough = len(work.stored) + faces, work.searches + searches
        wait_until(
            lambda: (
                bool(work.errors) or (len(work.stored) >= enough[0] and work.searches >= enough[1])
            )
        )
        assert work.errors == []

    with open_index(location, create=True, settings=REPLICATED) as index:
        index.adopt_model(MODEL)
        work.stored += add_photo(index, "first", *random_vectors(FACES, seed=0))
    elasticsearch_cluster.wait_until_green()
    with running(write, search, work=work):
        go_on(5 * FACES, 5)
        primary_of_faces(elasticsearch_cluster, location).kill()
        go_on(5 * FACES, 5)
        elasticsearch_cluster.heal()
        go_on(FACES, 1)
    assert work.errors == []
    elasticsearch_cluster.wait_until_green()
    with open_index(location, settings=REPLICATED) as index:
        found = {face.id: face.vector.tobytes() for face in index.iter_faces(embeddings=True)}
        assert found == {face.id: face.vector.tobytes() for face in work.stored}
        assert index.count() == len(work.stored)
        assert {media.state for media in index.iter_media()} == {"done"}


def test_an_ingest_under_which_the_master_is_lost_ends_as_if_undisturbed(
    elasticsearch_cluster: Cluster,
    location: str,
    large: Path,
    memory: Path,
    undisturbed: Contents,
) -> None:
    with (
        new_index(location, REPLICATED) as index,
        ingest_process(location, large, memory, elasticsearch=REPLICATED) as process,
    ):
        wait_for_segments(index, 3, process)
        master(elasticsearch_cluster).kill()
        report = process.answer()
    assert (len(report.done), report.failed) == (6, [])
    elasticsearch_cluster.heal()
    assert differences(contents(location), undisturbed) == []
