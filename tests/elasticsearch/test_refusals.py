"""What a real node refuses is told as it should be: the answers are Elasticsearch's own."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from indexer.engines.elastic.connection import Connection
from indexer.engines.elastic.failures import is_busy
from indexer.engines.elastic.location import parse_location
from indexer.errors import IndexFailure, StorageFull
from indexer.settings import ElasticsearchSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "hunter2"
MAPPING = {
    "dynamic": "strict",
    "properties": {
        "count": {"type": "integer"},
        "embedding": {"type": "dense_vector", "dims": 4, "similarity": "cosine", "index": True},
        "person": {"type": "keyword"},
        "media": {"type": "object", "dynamic": "strict"},
    },
}


@pytest.fixture
def connection(elasticsearch_url: str) -> Iterator[Connection]:
    location = parse_location(f"elasticsearch://{elasticsearch_url.partition('//')[2]}/ours")
    made = Connection(location, ElasticsearchSettings(retry_s=1.0))
    made.check()
    yield made
    made.close()


@pytest.fixture
def index(connection: Connection) -> Iterator[str]:
    name = f"refusing-{secrets.token_hex(6)}"
    connection.call(connection.client.indices.create, index=name, mappings=MAPPING)
    yield name
    connection.call(connection.client.indices.delete, index=name)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"count": SECRET}, r"failed to parse field \[count\] of type \[integer\]"),
        ({"other": SECRET}, r"dynamic introduction of \[other\]"),
        ({"media": SECRET}, r"tried to parse field \[media\] as object"),
        ({"person": SECRET * 6000}, r"failed to parse field \[person\]"),
        ({"embedding": [0.123456] * 3}, r"number of dimensions \[3\]"),
        ({"embedding": [0.0] * 4}, "zero magnitude"),
        ({"embedding": SECRET}, "expected length"),
    ],
    ids=["number", "unknown", "object", "long", "short vector", "zero vector", "no vector"],
)
def test_a_document_that_the_mapping_refuses_is_told_without_its_values(
    document: dict[str, object], told: str, connection: Connection, index: str
) -> None:
    with pytest.raises(IndexFailure, match=told) as caught:
        connection.call(connection.client.index, index=index, document=document)
    assert SECRET not in str(caught.value) + str(caught.value.__cause__)
    assert "0.123456" not in str(caught.value)


def test_an_index_that_the_full_disk_blocks_is_told_at_once(
    connection: Connection, index: str
) -> None:
    block = {"index.blocks.read_only_allow_delete": True}
    connection.call(connection.client.indices.put_settings, index=index, settings=block)
    with pytest.raises(StorageFull, match="nearly full"):
        connection.call(connection.client.index, index=index, document={}, on_retry=_must_not)
    answer = connection.call(connection.client.bulk, operations=[{"index": {"_index": index}}, {}])
    item = answer["items"][0]["index"]
    assert isinstance(connection.failure(item["status"], item["error"]), StorageFull)
    assert not is_busy(item["status"], item["error"])


@pytest.mark.parametrize("block", ["write", "read_only"])
def test_an_index_that_may_not_be_written_is_told(
    block: str, connection: Connection, index: str
) -> None:
    connection.call(connection.client.indices.add_block, index=index, block=block)
    with pytest.raises(IndexFailure, match="being replaced, or made read-only"):
        connection.call(connection.client.index, index=index, document={})
    free = {f"index.blocks.{block}": None}
    connection.call(connection.client.indices.put_settings, index=index, settings=free)


def test_an_index_that_is_missing_is_told(connection: Connection) -> None:
    with pytest.raises(IndexFailure, match=r"missing on the cluster \(no such index \[none\]\)"):
        connection.call(connection.client.search, index="none")


def test_a_search_that_the_shards_refuse_is_told_with_their_reason(
    connection: Connection, index: str
) -> None:
    knn = {"field": "person", "query_vector": [1.0] * 4, "k": 1, "num_candidates": 1}
    with pytest.raises(IndexFailure, match=r"query_shard_exception: .*only supported on"):
        connection.call(connection.client.search, index=index, knn=knn)


def test_tls_at_a_node_without_it_says_which_scheme_to_write(elasticsearch_url: str) -> None:
    text = f"elasticsearch+https://{elasticsearch_url.partition('//')[2]}/ours"
    encrypted = Connection(parse_location(text), ElasticsearchSettings(retry_s=0.5))
    with pytest.raises(IndexFailure, match="elasticsearch://"):
        encrypted.check()
    encrypted.close()


def _must_not() -> None:
    raise AssertionError("a full disk is not waited for")
