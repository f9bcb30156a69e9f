"""Three nodes are one cluster, and stay one when one of them goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

if TYPE_CHECKING:
    from tests.elasticsearch.cluster import Cluster


def test_three_nodes_find_each_other(elasticsearch_cluster: Cluster) -> None:
    for url in elasticsearch_cluster.urls:
        with Elasticsearch(url) as client:
            health = client.cluster.health()
            assert (health["status"], health["number_of_nodes"]) == ("green", 3)


def test_a_cluster_that_loses_its_master_is_searched_on_and_heals(
    elasticsearch_cluster: Cluster,
) -> None:
    settings = {"number_of_shards": 3, "number_of_replicas": 1}
    with Elasticsearch(elasticsearch_cluster.urls, retry_on_timeout=True) as client:
        client.indices.create(index="numbers", settings=settings)
        bulk(client, ({"number": i} for i in range(300)), index="numbers", refresh=True)
        elasticsearch_cluster.wait_until_green()

        master = client.cat.master(h="node").body.strip()
        (lost,) = [node for node in elasticsearch_cluster.nodes if node.name == master]
        lost.kill()
        for _ in range(20):
            found = client.search(index="numbers", size=300)
            assert sorted(hit["_source"]["number"] for hit in found["hits"]["hits"]) == [
                *range(300)
            ]

        elasticsearch_cluster.heal()
        health = client.cluster.health(index="numbers")
        assert (health["status"], health["number_of_nodes"]) == ("green", 3)
        assert client.count(index="numbers")["count"] == 300
        client.indices.delete(index="numbers")


def test_a_paused_node_comes_back(elasticsearch_cluster: Cluster) -> None:
    elasticsearch_cluster.nodes[1].pause()
    assert elasticsearch_cluster.nodes[1].is_running
    elasticsearch_cluster.heal()
    assert elasticsearch_cluster.nodes[1].get("/_cluster/health")[1]["number_of_nodes"] == 3
