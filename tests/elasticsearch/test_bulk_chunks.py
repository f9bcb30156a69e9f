"""Bulk requests are small, and what a busy node did not take is sent again, and nothing else."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from indexer.engines.elastic.bulk import CHUNK_BYTES, CHUNK_DOCUMENTS, Action, write_all
from indexer.engines.elastic.connection import Connection
from indexer.engines.elastic.location import parse_location
from indexer.settings import ElasticsearchSettings
from tests.elasticsearch.stub import Answer, Stub

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITTEN = Answer(body={"errors": False, "items": []})


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub(every=WRITTEN) as stub:
        yield stub


@pytest.fixture
def connection(stub: Stub) -> Iterator[Connection]:
    made = Connection(parse_location(stub.location()), ElasticsearchSettings(retry_s=30.0))
    yield made
    made.close()


def documents(count: int, *, size: int = 1) -> Iterator[Action]:
    return (Action("index", "i", f"{n}", {"text": "x" * size}) for n in range(count))


def sent(stub: Stub) -> list[list[str]]:
    """The ids of the documents of each request."""
    bodies = [request.body.splitlines()[::2] for request in stub.requests]
    return [[json.loads(line)["index"]["_id"] for line in lines] for lines in bodies]


def refused(status: int, kind: str) -> dict[str, Any]:
    return {"index": {"status": status, "error": {"type": kind, "reason": "made up"}}}


def test_a_request_carries_a_bounded_number_of_documents(
    stub: Stub, connection: Connection
) -> None:
    assert write_all(connection, documents(2 * CHUNK_DOCUMENTS + 1)) == []
    assert [len(ids) for ids in sent(stub)] == [CHUNK_DOCUMENTS, CHUNK_DOCUMENTS, 1]
    assert [*chain(*sent(stub))] == [f"{n}" for n in range(2 * CHUNK_DOCUMENTS + 1)]


def test_a_request_carries_a_bounded_number_of_bytes(stub: Stub, connection: Connection) -> None:
    """Beyond that, one document at a time."""
    write_all(connection, documents(5, size=3 * CHUNK_BYTES // 8))
    write_all(connection, documents(2, size=CHUNK_BYTES + 1))
    assert sent(stub) == [["0", "1"], ["2", "3"], ["4"], ["0"], ["1"]]
    assert all(len(request.body) <= CHUNK_BYTES for request in stub.requests[:3])


def test_only_what_a_node_was_too_busy_for_is_sent_again(
    stub: Stub, connection: Connection
) -> None:
    busy = refused(429, "es_rejected_execution_exception")
    changed = refused(409, "version_conflict_engine_exception")
    written = {"index": {"status": 201}}
    stub.next.append(Answer(body={"errors": True, "items": [written, busy, changed, busy]}))
    stub.next.append(Answer(body={"errors": True, "items": [busy, written]}))
    conflicts = write_all(connection, documents(4))
    assert [action.id for action in conflicts] == ["2"]
    assert sent(stub) == [["0", "1", "2", "3"], ["1", "3"], ["1"]]
