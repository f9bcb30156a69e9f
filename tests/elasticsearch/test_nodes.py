"""Real nodes start, keep what they acknowledged, and end with the tests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from elasticsearch import ConnectionTimeout, Elasticsearch

from tests.elasticsearch.node import Node, NodeFailure, PortTaken

if TYPE_CHECKING:
    from tests.elasticsearch.installation import Installation
    from tests.elasticsearch_fixtures import StartNode

ROOT = Path(__file__).resolve().parents[2]

FACES = {
    "properties": {
        "person": {"type": "keyword"},
        "embedding": {
            "type": "dense_vector",
            "dims": 4,
            "similarity": "cosine",
            "index_options": {"type": "int8_hnsw"},
        },
    }
}


def put_two_faces(client: Elasticsearch, index: str) -> None:
    client.indices.create(index=index, mappings=FACES)
    client.index(index=index, id="a", document={"person": "Ada", "embedding": [1, 0, 0, 0]})
    client.index(index=index, id="b", document={"person": "Bob", "embedding": [0, 1, 0, 0]})
    client.indices.refresh(index=index)


def nearest(client: Elasticsearch, index: str) -> str:
    knn = {"field": "embedding", "query_vector": [0.1, 0.9, 0, 0], "k": 1, "num_candidates": 10}
    (hit,) = client.search(index=index, knn=knn)["hits"]["hits"]
    return str(hit["_source"]["person"])


def test_the_shared_node_finds_vectors(elasticsearch_url: str) -> None:
    with Elasticsearch(elasticsearch_url) as client:
        client.options(ignore_status=404).indices.delete(index="test-nodes")
        put_two_faces(client, "test-nodes")
        assert nearest(client, "test-nodes") == "Bob"
        client.indices.delete(index="test-nodes")


def test_what_was_acknowledged_is_there_after_a_kill(elasticsearch_node: StartNode) -> None:
    node = elasticsearch_node()
    with Elasticsearch(node.url) as client:
        put_two_faces(client, "faces")
        node.kill()
        assert not node.is_running
        node.restart()
        assert nearest(client, "faces") == "Bob"


def test_a_paused_node_answers_when_it_goes_on(elasticsearch_node: StartNode) -> None:
    node = elasticsearch_node()
    with Elasticsearch(node.url, request_timeout=1, max_retries=0) as client:
        node.pause()
        with pytest.raises(ConnectionTimeout):
            client.cluster.health()
        node.resume()
        assert client.options(request_timeout=30).cluster.health()["number_of_nodes"] == 1


def test_a_paused_node_can_be_killed(elasticsearch_node: StartNode) -> None:
    node = elasticsearch_node()
    node.pause()
    node.kill()
    node.start()
    assert node.get("/_cluster/health")[0] == 200


def test_snapshots_lie_in_a_folder_of_the_node(elasticsearch_node: StartNode) -> None:
    node = elasticsearch_node()
    with Elasticsearch(node.url) as client:
        put_two_faces(client, "faces")
        place = {"type": "fs", "settings": {"location": str(node.snapshots / "backup")}}
        client.snapshot.create_repository(name="backup", repository=place)
        client.snapshot.create(
            repository="backup", snapshot="one", indices="faces", wait_for_completion=True
        )
        client.indices.delete(index="faces")
        client.snapshot.restore(repository="backup", snapshot="one", wait_for_completion=True)
        assert nearest(client, "faces") == "Bob"


def test_settings_of_a_test_go_before_the_default_ones(elasticsearch_node: StartNode) -> None:
    name = "cluster.routing.allocation.disk.threshold_enabled"
    node = elasticsearch_node(settings={name: "true", "node.attr.colour": "red"})
    settings = node.get("/_nodes/settings?flat_settings=true")[1]["nodes"].popitem()[1]["settings"]
    assert settings[name] == "true"
    assert settings["node.attr.colour"] == "red"


def test_a_node_that_does_not_start_shows_its_log(elasticsearch_node: StartNode) -> None:
    with pytest.raises(NodeFailure, match=r"(?s)its log:.*unknown setting \[no\.such\.setting\]"):
        elasticsearch_node(settings={"no.such.setting": "1"})


def test_a_port_that_was_taken_meanwhile_is_told(elasticsearch_installation: Installation) -> None:
    node = Node(elasticsearch_installation)
    port = int(node.url.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)), pytest.raises(PortTaken), node:
        pass


def test_a_closed_node_leaves_nothing(elasticsearch_installation: Installation) -> None:
    with Node(elasticsearch_installation) as node:
        folder, process = node.log.parent, psutil.Process(node.pid)
        assert folder.is_dir()
        assert process.is_running()
    assert not folder.exists()
    assert not process.is_running()


@pytest.mark.parametrize("state", ["running", "paused"])
def test_a_node_ends_with_the_process_that_started_it(
    elasticsearch_installation: Installation, tmp_path: Path, state: str
) -> None:
    assert elasticsearch_installation.home.is_dir()
    command = [sys.executable, "-m", "tests.elasticsearch.starting_process", state]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        node = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    assert not has_ended(node, within_s=0)
    assert has_ended(node, within_s=20)


def has_ended(process: psutil.Process, within_s: float) -> bool:
    """Whether a process that is no child of ours ends in time; one that nobody reaps has ended."""
    try:
        process.wait(within_s)
    except psutil.TimeoutExpired:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    return True
