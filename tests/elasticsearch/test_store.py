"""Documents of a collection, where a node says no for a moment or another thread is faster."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from indexer.engines import open_index
from indexer.engines.elastic.opening import open_store
from indexer.errors import IndexFailure
from indexer.settings import ElasticsearchSettings
from tests.elasticsearch.between import asking
from tests.elasticsearch.collections import SETTINGS, new_collection
from tests.engines.builders import add_photo, axis, photo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.engines.elastic.store import Store
    from tests.elasticsearch.between import Ask


@pytest.fixture
def location(elasticsearch_url: str) -> Iterator[str]:
    with new_collection(elasticsearch_url) as location:
        with open_index(location, create=True, settings=SETTINGS) as index:
            add_photo(index, "p", axis(0))
        yield location


@pytest.fixture
def store(location: str) -> Iterator[Store]:
    store = open_store(location, SETTINGS, create=False)
    yield store
    store.connection.close()


@pytest.mark.parametrize(
    "kind",
    [
        "circuit_breaking_exception",
        "es_rejected_execution_exception",
        "no_shard_available_action_exception",
        "node_not_connected_exception",
    ],
)
def test_a_document_that_a_node_cannot_give_for_a_moment_is_asked_for_again(
    kind: str, store: Store
) -> None:
    """The answer as a whole says 200."""
    refused: list[bytes] = []

    def perform(ask: Ask, node: Any, method: str, target: str, body: Any, headers: Any) -> Any:
        answer = ask(node, method, target, body, headers)
        if "_mget" in target and not refused:
            refused.append(answer.body)
            error = {"root_cause": [{"type": kind, "reason": "busy"}], "type": kind}
            items = [{"_index": store.media, "_id": photo("p").id, "error": error}]
            return answer._replace(body=orjson.dumps({"docs": items}))
        return answer

    with asking(perform):
        found = store.get(store.media, photo("p").id)
    assert refused
    assert found is not None
    assert found.source["state"] == "done"


def test_who_finds_a_refresh_under_way_waits_for_it(store: Store) -> None:
    happened: list[str] = []

    def search() -> None:
        store.visible(store.faces)
        happened.append("searched")

    searching = threading.Thread(target=search)

    def perform(ask: Ask, node: Any, method: str, target: str, body: Any, headers: Any) -> Any:
        if "_refresh" not in target or searching.ident is not None:
            return ask(node, method, target, body, headers)
        searching.start()
        searching.join(0.5)  # who does not wait is through by then
        answer = ask(node, method, target, body, headers)
        happened.append("refreshed")
        return answer

    store.changed(store.faces)
    with asking(perform):
        store.visible(store.faces)
        searching.join()
    assert happened == ["refreshed", "searched"]


def test_a_cluster_that_finds_no_place_for_an_index_says_so_in_time(store: Store) -> None:
    """Before the client's own time limit, after which nobody could say why."""
    nowhere = {"cluster.routing.allocation.enable": "none"}
    with new_collection(store.connection.location.urls[0]) as location:
        store.connection.client.cluster.put_settings(persistent=nowhere)
        try:
            settings = ElasticsearchSettings(replicas=0, timeout_s=2.0, retry_s=0.0)
            with pytest.raises(IndexFailure, match="have found no node to be on"):
                open_index(location, create=True, settings=settings)
        finally:
            anywhere = dict.fromkeys(nowhere)
            store.connection.client.cluster.put_settings(persistent=anywhere)
