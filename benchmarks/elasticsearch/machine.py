"""What the figures were measured on."""

from __future__ import annotations

from elasticsearch import Elasticsearch

from indexer.evaluation import machine


def describe(url: str) -> dict[str, str]:
    """Return the machine, the versions and the nodes, each by its name."""
    with Elasticsearch(url) as client:
        nodes = list(client.nodes.info(metric=["jvm", "os"])["nodes"].values())
    heap_mb = nodes[0]["jvm"]["mem"]["heap_max_in_bytes"] >> 20
    return {
        **machine.describe("elasticsearch", "orjson", "numpy"),
        "nodes": f"{len(nodes)} of Elasticsearch {nodes[0]['version']}, {heap_mb} MB heap, "
        f"Java {nodes[0]['jvm']['version']}, {nodes[0]['os']['allocated_processors']} cores",
    }
