"""Real nodes start, keep what they acknowledged, and end with the tests."""

from __future__ import annotations

from elasticsearch import Elasticsearch


def test_the_shared_node_answers(elasticsearch_url: str) -> None:
    with Elasticsearch(elasticsearch_url) as client:
        assert client.cluster.health()["status"] in {"green", "yellow"}
