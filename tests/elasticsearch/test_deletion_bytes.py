"""What is deleted from a cluster is gone from the node's disk, byte for byte.

The first tests show that the scan finds all that is looked for, in the log of changes as well as
in Lucene's files.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from elasticsearch import Elasticsearch

from indexer.engines import open_index
from indexer.settings import ElasticsearchSettings
from tests.elasticsearch.eventful import Story, tell
from tests.elasticsearch.node import Node
from tests.elasticsearch.traces import traces
from tests.elasticsearch_fixtures import started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from indexer.records import Deleted
    from tests.elasticsearch.installation import Installation
    from tests.elasticsearch.traces import Patterns

NAME = "holiday"


@pytest.fixture(scope="module")
def node(elasticsearch_installation: Installation) -> Iterator[Node]:
    with started(lambda: Node(elasticsearch_installation)) as node:
        yield node


@pytest.fixture(scope="module")
def client(node: Node) -> Iterator[Elasticsearch]:
    with Elasticsearch(node.url, request_timeout=60) as opened:
        yield opened


@pytest.fixture(scope="module")
def story(node: Node) -> Iterator[Story]:
    location = f"elasticsearch://{node.url.partition('//')[2]}/{NAME}"
    settings = ElasticsearchSettings(replicas=0)
    with open_index(location, create=True, settings=settings) as index:
        yield tell(index)


def test_everything_is_found_on_the_disk_before_it_is_deleted(story: Story, node: Node) -> None:
    everything = story.gone | story.kept
    assert traces(node.log.parent, everything) == everything.keys()


def test_everything_is_found_in_lucenes_files_and_in_the_log_of_changes(
    story: Story, node: Node, client: Elasticsearch
) -> None:
    everything = story.gone | story.kept
    pictures = {name for name in everything if name.startswith(("thumbnail", "tracks"))}
    assert traces(node.log.parent, everything, [".tlog"]) >= pictures
    client.indices.flush(index=f"{NAME}-*", force=True)
    found = traces(node.log.parent, everything, [".fdt", ".cfs", ".vec", ".tim", ".dvd", ".tmd"])
    assert found == everything.keys()


# --- and finds nothing afterwards --------------------------------------------------------------


@pytest.fixture(scope="module")
def snapshots(
    story: Story,  # noqa: ARG001  # there must be something to keep
    node: Node,
    client: Elasticsearch,
) -> Iterator[tuple[str, ...]]:
    """What still holds the collection: one of two snapshots, and maybe what cannot be read."""
    for name in ("backup", "broken"):
        place = {"type": "fs", "settings": {"location": str(node.snapshots / name)}}
        client.snapshot.create_repository(name=name, repository=place)
    client.indices.create(index=f"{NAME}er-faces-other-1")
    for snapshot, indices in (("ours", f"{NAME}-*"), ("theirs", f"{NAME}er-*")):
        client.snapshot.create(
            repository="backup",
            snapshot=snapshot,
            indices=indices,
            include_global_state=False,
            wait_for_completion=True,
        )
    client.snapshot.create(
        repository="broken", snapshot="lost", indices=f"{NAME}er-*", wait_for_completion=True
    )
    for file in (node.snapshots / "broken").glob("snap-*"):
        file.write_bytes(b"damaged")
    yield "backup/ours", "broken (cannot be read)"
    for name in ("backup", "broken"):
        client.snapshot.delete_repository(name=name)


@pytest.fixture(scope="module")
def deleted(
    story: Story,
    node: Node,
    client: Elasticsearch,
    snapshots: tuple[str, ...],  # noqa: ARG001  # they must be there before
) -> dict[str, tuple[Deleted, set[str]]]:
    """Delete in the three ways, each with what the disk still holds of it when the call returns.

    At the same time, because each waits for half a minute. Before, a face is deleted as any
    document is, which leaves its bytes; those must go, too.
    """
    folder, index = node.log.parent / "data", story.index
    calls: dict[str, tuple[Callable[[], Deleted], Patterns]] = {
        "media": (lambda: index.delete_media(story.media), story.of_media),
        "faces": (lambda: index.delete_faces(story.faces), story.of_faces),
        "person": (lambda: index.forget_person(story.person), story.of_person),
    }
    assert str(index.stats()["versions_kept"]).startswith(f"{NAME}-faces-tiny")
    client.delete(index=f"{NAME}-faces", id=story.hasty.id, refresh=True)
    client.indices.flush(index=f"{NAME}-faces", force=True)
    assert traces(folder, story.of_hasty) == story.of_hasty.keys()
    with ThreadPoolExecutor(len(calls)) as pool:
        running = {
            name: pool.submit(then_traces, call, folder, of) for name, (call, of) in calls.items()
        }
        return {name: future.result() for name, future in running.items()}


def then_traces(
    delete: Callable[[], Deleted], folder: Path, patterns: Patterns
) -> tuple[Deleted, set[str]]:
    return delete(), traces(folder, patterns)


@pytest.mark.parametrize("kind", ["media", "faces", "person"])
def test_what_was_deleted_has_left_the_disk_when_the_call_returns(
    kind: str, deleted: dict[str, tuple[Deleted, set[str]]]
) -> None:
    assert deleted[kind][1] == set()


def test_the_counts_of_what_was_deleted_are_told(
    deleted: dict[str, tuple[Deleted, set[str]]],
) -> None:
    counts = {kind: (told.media, told.faces, told.labels) for kind, (told, _) in deleted.items()}
    assert counts == {"media": (2, 9, 1), "faces": (0, 4, 1), "person": (0, 4, 4)}


def test_all_of_it_is_gone_from_every_file_of_the_node_and_nothing_else_is(
    deleted: dict[str, tuple[Deleted, set[str]]], story: Story, node: Node
) -> None:
    assert deleted
    assert traces(node.log.parent / "data", story.gone | story.of_hasty) == set()
    assert traces(node.log.parent / "logs", story.gone) == set()
    assert traces(node.log.parent / "data", story.kept) == story.kept.keys()


def test_lucene_has_no_deleted_documents_and_no_files_of_old_segments(
    deleted: dict[str, tuple[Deleted, set[str]]], node: Node, client: Elasticsearch
) -> None:
    assert deleted
    stats = client.indices.stats(index=f"{NAME}-*", metric=["docs", "translog"])["_all"]["total"]
    assert (stats["docs"]["deleted"], stats["translog"]["operations"]) == (0, 0)
    shards = client.indices.segments(index=f"{NAME}-*")["indices"]
    uuids = {
        index: content["settings"]["index"]["uuid"]
        for index, content in client.indices.get_settings(index=f"{NAME}-*").body.items()
    }
    assert len(uuids) == 7  # with the version that was replaced, and where the collection began
    for index, uuid in uuids.items():
        folder = node.log.parent / "data" / "indices" / uuid / "0" / "index"
        (copy,) = shards[index]["shards"]["0"]
        assert sum(segment["deleted_docs"] for segment in copy["segments"].values()) == 0
        on_disk = {re.match("_[0-9a-z]+", file.name) for file in folder.glob("_*")}
        assert {found[0] for found in on_disk if found} == copy["segments"].keys()


def test_snapshots_that_still_hold_it_are_named(
    deleted: dict[str, tuple[Deleted, set[str]]],
    snapshots: tuple[str, ...],
    story: Story,
    node: Node,
) -> None:
    for told, _ in deleted.values():
        assert told.still_in == snapshots
    left = traces(node.snapshots, story.gone)
    assert {name for name in story.gone if name.startswith("thumbnail")} <= left
