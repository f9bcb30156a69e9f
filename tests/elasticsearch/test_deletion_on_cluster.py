"""What is deleted leaves all copies, and a copy that was away is caught up with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from elasticsearch import Elasticsearch

from indexer.engines import open_index
from indexer.errors import PurgeUnfinished
from indexer.records import Deleted
from indexer.settings import ElasticsearchSettings
from tests.cli.running import sightings
from tests.elasticsearch.collections import new_collection
from tests.elasticsearch.traces import of_faces, of_texts, traces
from tests.engines.builders import add_photo, axis, make_label, random_vectors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.elasticsearch.cluster import Cluster
    from tests.elasticsearch.node import Node
    from tests.elasticsearch.traces import Patterns

REPLICATED = ElasticsearchSettings(replicas=1, expunge_s=90.0)
HASTY = replace(REPLICATED, expunge_s=1.0)
PEOPLE = ("Ann Archer", "Bob Butcher")


@pytest.fixture(scope="module")
def location(elasticsearch_cluster: Cluster) -> Iterator[str]:
    with new_collection(*elasticsearch_cluster.urls) as location:
        yield location


@pytest.fixture(scope="module")
def of_people(location: str, elasticsearch_cluster: Cluster) -> dict[str, Patterns]:
    """What Ann and Bob leave on the nodes; they are found on two nodes each."""
    patterns: dict[str, Patterns] = {}
    vectors = random_vectors(2, seed=1)
    with open_index(location, create=True, settings=REPLICATED) as index:
        add_photo(index, "other", axis(0))
        for name, vector in zip(PEOPLE, vectors, strict=True):
            (face,) = add_photo(index, name, vector)
            index.label([make_label(face, name)])
            patterns[name] = of_faces([face], {}) | of_texts(name)
    elasticsearch_cluster.wait_until_green()
    for name in PEOPLE:
        assert len(nodes_with(elasticsearch_cluster, patterns[name])) >= 2
    return patterns


def nodes_with(cluster: Cluster, patterns: Patterns) -> list[str]:
    """The nodes on whose disks something is found."""
    return [node.name for node in cluster.nodes if traces(node.log.parent / "data", patterns)]


def second_copy_of_faces(cluster: Cluster, location: str) -> Node:
    """A node that is not the master, if there is the choice."""
    with Elasticsearch(cluster.urls) as client:
        faces = f"{location.rpartition('/')[2]}-faces"
        copies = client.cat.shards(index=faces, format="json", h="prirep,node").body
        master = client.cat.master(h="node").body.strip()
    names = sorted((copy["node"] for copy in copies), key=lambda name: name == master)
    return next(node for node in cluster.nodes if node.name == names[0])


def deleted_documents(cluster: Cluster, location: str) -> dict[str, list[int]]:
    """How many documents each copy of each index holds that are deleted."""
    with Elasticsearch(cluster.urls) as client:
        found = client.indices.segments(index=f"{location.rpartition('/')[2]}-*")["indices"]
    return {
        index: [
            sum(segment["deleted_docs"] for segment in copy["segments"].values())
            for copies in content["shards"].values()
            for copy in copies
        ]
        for index, content in found.items()
    }


def test_what_is_deleted_leaves_both_copies(
    elasticsearch_cluster: Cluster, location: str, of_people: dict[str, Patterns]
) -> None:
    with open_index(location, settings=REPLICATED) as index:
        assert index.forget_person("Ann Archer") == Deleted(faces=1, labels=1)
    assert nodes_with(elasticsearch_cluster, of_people["Ann Archer"]) == []
    left = deleted_documents(elasticsearch_cluster, location)
    assert {index: copies for index, copies in left.items() if any(copies)} == {}
    assert {len(copies) for copies in left.values()} == {2}


def test_while_a_copy_is_away_a_deletion_says_what_is_left_to_do_and_then_that_does_it(
    elasticsearch_cluster: Cluster,
    location: str,
    of_people: dict[str, Patterns],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    second_copy_of_faces(elasticsearch_cluster, location).kill()
    try:
        with (
            open_index(location, settings=HASTY) as index,
            pytest.raises(PurgeUnfinished, match="away or behind") as caught,
        ):
            index.forget_person("Bob Butcher")
    finally:
        elasticsearch_cluster.heal()
    assert "run: sightings optimize" in str(caught.value)
    assert caught.value.deleted == Deleted(faces=1, labels=1)
    assert nodes_with(elasticsearch_cluster, of_people["Bob Butcher"]) != []

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    run = sightings("optimize", "--index", location)
    assert (run.code, run.out) == (0, "The index is in order.\n")
    assert nodes_with(elasticsearch_cluster, of_people["Bob Butcher"]) == []
