"""What a real node makes of a bulk request of which it refuses a part."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from indexer.engines.elastic.bulk import Action, write_all
from indexer.engines.elastic.connection import Connection
from indexer.engines.elastic.location import parse_location
from indexer.errors import IndexFailure, UsageError
from indexer.settings import ElasticsearchSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

MAPPING = {"dynamic": "strict", "properties": {"count": {"type": "integer"}}}


@pytest.fixture
def connection(elasticsearch_url: str) -> Iterator[Connection]:
    location = parse_location(f"elasticsearch://{elasticsearch_url.partition('//')[2]}/ours")
    made = Connection(location, ElasticsearchSettings(retry_s=1.0))
    yield made
    made.close()


@pytest.fixture
def index(connection: Connection) -> Iterator[str]:
    name = f"bulk-{secrets.token_hex(6)}"
    connection.call(connection.client.indices.create, index=name, mappings=MAPPING)
    yield name
    connection.call(connection.client.indices.delete, index=name)


def ids_in(connection: Connection, index: str) -> list[str]:
    connection.call(connection.client.indices.refresh, index=index)
    hits = connection.call(connection.client.search, index=index, size=100)["hits"]["hits"]
    return sorted(hit["_id"] for hit in hits)


def test_documents_that_are_refused_are_named_and_the_others_are_stored(
    connection: Connection, index: str
) -> None:
    sources = {"a": {"count": 1}, "b": {"count": "hunter2"}, "c": {"count": 3}, "d": {"other": 4}}
    actions = [Action("index", index, name, source) for name, source in sources.items()]
    with pytest.raises(IndexFailure, match="2 documents were refused") as caught:
        write_all(connection, actions)
    told = str(caught.value)
    assert "b: document_parsing_exception: [1:10] failed to parse field [count]" in told
    assert "d: strict_dynamic_mapping_exception" in told
    assert "hunter2" not in told
    assert ids_in(connection, index) == ["a", "c"]


def test_many_refused_documents_are_counted(connection: Connection, index: str) -> None:
    actions = [Action("index", index, f"{n}", {"other": n}) for n in range(10)]
    with pytest.raises(IndexFailure, match=r"10 documents were refused: 0: .* and 7 more"):
        write_all(connection, actions)


def test_what_meets_another_state_is_returned_and_the_rest_is_stored(
    connection: Connection, index: str
) -> None:
    assert write_all(connection, [Action("create", index, "a", {"count": 1})]) == []
    again = [Action("create", index, name, {"count": 2}) for name in "ab"]
    assert [action.id for action in write_all(connection, again)] == ["a"]
    assert ids_in(connection, index) == ["a", "b"]
    found = connection.call(connection.client.get, index=index, id="a")
    assert found["_source"] == {"count": 1}


def test_a_value_that_json_cannot_hold_is_told_and_not_shown(
    connection: Connection, index: str
) -> None:
    action = Action("index", index, "a", {"count": "hunter2\udcff"})
    with pytest.raises(
        UsageError, match="cannot be stored in an index: str is not valid UTF-8"
    ) as e:
        write_all(connection, [action])
    assert "hunter2" not in str(e.value)
    assert ids_in(connection, index) == []
