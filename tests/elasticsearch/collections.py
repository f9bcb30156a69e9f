"""Collections of the tests' own on a node, and what they leave behind taken away."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from elasticsearch import Elasticsearch

from indexer.settings import ElasticsearchSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = ElasticsearchSettings(replicas=0, expunge_s=0)
"""For a single node, and for deletions whose bytes are not the matter."""


@contextmanager
def new_collection(*urls: str) -> Iterator[str]:
    """Give the location of a collection that is not there yet; delete it at the end."""
    name = f"t{secrets.token_hex(6)}"
    hosts = ",".join(url.partition("//")[2] for url in urls)
    try:
        yield f"elasticsearch://{hosts}/{name}"
    finally:
        with Elasticsearch(list(urls)) as client:
            if indices := list(client.indices.get(index=f"{name}-*", filter_path="*.aliases")):
                client.indices.delete(index=indices)
            client.options(ignore_status=404).indices.delete_index_template(name=f"{name}-*")
