"""Answers that say no, as users are told of them.

A stub gives them; what a real node does is in the contract suite.
"""

from __future__ import annotations

from typing import Any

import pytest

from indexer.errors import IndexBlocked, IndexFailure, SightingsError, StorageFull, UsageError
from tests.elasticsearch.connecting import SECRET, Connect, failing
from tests.elasticsearch.stub import Answer, Stub, error

FLOOD = (
    "index [ours] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage "
    "watermark, index has read-only-allow-delete block];"
)


@pytest.mark.parametrize(
    ("answer", "kind", "match"),
    [
        (error(429, "cluster_block_exception", FLOOD), StorageFull, "disk.*nearly full"),
        (
            error(403, "cluster_block_exception", "[FORBIDDEN/13/cluster read-only / allow delete"),
            StorageFull,
            "nearly full",
        ),
        (
            error(500, "i_o_exception", "No space left on device"),
            StorageFull,
            "What was stored before is intact",
        ),
        (
            error(403, "cluster_block_exception", "[ours] blocked by: [FORBIDDEN/8/index write"),
            IndexBlocked,
            "being replaced, or made read-only",
        ),
        (
            error(404, "index_not_found_exception", "no such index [ours-media]"),
            IndexFailure,
            r"missing on the cluster \(no such index \[ours-media\]\)",
        ),
        (
            error(
                400,
                "strict_dynamic_mapping_exception",
                "[1:10] mapping set to strict, dynamic introduction of [x] within [_doc] is not",
            ),
            IndexFailure,
            r"not made by this version",
        ),
        (
            error(409, "version_conflict_engine_exception", "[x]: version conflict"),
            IndexFailure,
            "changed by another program",
        ),
        (Answer(408, {"status": "red", "timed_out": True}), IndexFailure, "found no node to be on"),
        (
            Answer(413, "<html>Too Large</html>", {}, "text/html"),
            IndexFailure,
            "so large a request",
        ),
        (
            error(400, "validation_exception", "this cluster has [1000]/[1000] shards"),
            IndexFailure,
            r"answered 400 \(validation_exception: this cluster has \[1000\]",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_refusal_says_what_to_do_and_is_not_repeated(
    answer: Answer, kind: type[SightingsError], match: str, connect: Connect
) -> None:
    with Stub(every=answer) as stub:
        connection = connect(stub.location(), retry_s=60.0)
        with failing(match, kind):
            connection.call(connection.client.index, index="i", document={"person": SECRET})
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    "reason",
    [
        f"[1:9] failed to parse field [x] of type [long]. Preview of field's value: '{SECRET}'",
        f'For input string: "{SECRET}"',
        f"Document contains an immense term. The prefix of the first immense term is: '{SECRET}'",
        f"The [cosine] similarity wants another magnitude. Preview of invalid vector: [{SECRET}]",
    ],
)
def test_values_that_an_error_quotes_are_not_told(reason: str, connect: Connect) -> None:
    caused_by = {"type": "number_format_exception", "reason": f'For input string: "{SECRET}"'}
    answer = error(400, "document_parsing_exception", reason, caused_by=caused_by)
    with Stub(every=answer) as stub:
        connection = connect(stub.location())
        with failing("does not take what this version of Sightings stores"):
            connection.call(connection.client.index, index="i", document={"person": SECRET})


def test_vectors_of_another_length_are_told_with_the_lengths(connect: Connect) -> None:
    reason = "The [dense_vector] field [embedding] has a different number of dimensions [3] than"
    answer = error(
        400,
        "document_parsing_exception",
        "[1:9] failed to parse: null",
        caused_by={"type": "illegal_argument_exception", "reason": reason},
    )
    with Stub(every=answer) as stub:
        connection = connect(stub.location())
        with failing(r"number of dimensions \[3\]"):
            connection.call(connection.client.index, index="i", document={})


def test_the_reason_of_a_failed_search_is_that_of_its_shards(connect: Connect) -> None:
    root = {"type": "query_shard_exception", "reason": "field [x] is no keyword"}
    failed = {"type": "search_phase_execution_exception", "reason": "all shards failed"}
    answer = Answer(400, {"error": {"root_cause": [root], **failed}, "status": 400})
    with Stub(every=answer) as stub:
        connection = connect(stub.location())
        with failing(r"query_shard_exception: field \[x\] is no keyword"):
            connection.call(connection.client.search, index="i")


def test_a_long_reason_is_cut(connect: Connect) -> None:
    with Stub(every=error(400, "illegal_argument_exception", "long " * 1000)) as stub:
        connection = connect(stub.location())
        with pytest.raises(IndexFailure) as caught:
            connection.call(connection.client.search, index="i")
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("value", ["\udcff", 2**70, object()], ids=["surrogate", "number", "type"])
def test_a_value_that_json_cannot_hold_is_a_usage_error(value: Any, connect: Connect) -> None:
    with Stub() as stub:
        connection = connect(stub.location())
        document = {"person": SECRET, "value": value}
        with failing("cannot be looked up or stored", UsageError):
            connection.call(connection.client.index, index="i", document=document)
        with failing("cannot be looked up or stored", UsageError):
            connection.call(connection.client.bulk, operations=[{"index": {}}, document])
        assert not stub.requests


def test_an_id_that_no_address_can_hold_is_a_usage_error(connect: Connect) -> None:
    with Stub() as stub:
        connection = connect(stub.location())
        with failing("cannot be looked up or stored", UsageError):
            connection.call(connection.client.get, index="i", id="\udcff")
