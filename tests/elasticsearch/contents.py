"""All documents of a collection, read, compared and put back past the engine."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk, scan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Contents = dict[str, dict[str, dict[str, Any]]]
"""Sources by id, by what follows the collection's name in the index."""

PASSING = {
    "media": ("before", "indexed_at", "touched"),
    "segments": ("attempts", "finished_at", "owner", "lease_until"),
    "files": (),
    "labels": ("created_at",),
    "faces": ("indexed_at",),
}
"""Fields that tell when and how often something was done, by kind."""


@contextmanager
def raw_client(location: str) -> Iterator[tuple[Elasticsearch, str]]:
    """A client of a location's cluster, and the collection's name."""
    hosts, _, name = location.partition("//")[2].partition("/")
    urls = [f"http://{host}" for host in hosts.split(",")]
    with Elasticsearch(urls, retry_on_timeout=True, max_retries=5) as client:
        yield client, name


def contents(location: str) -> Contents:
    """Return every document of every index, those of replaced versions included."""
    with raw_client(location) as (client, name):
        client.indices.refresh(index=f"{name}-*", expand_wildcards="all")
        found: Contents = {kind: {} for kind in _indices(client, name)}
        for hit in scan(
            client,
            index=f"{name}-*",
            query={"query": {"match_all": {}}, "_source": {"exclude_vectors": False}},
            size=500,
        ):
            kind = hit["_index"].removeprefix(f"{name}-")
            assert hit["_id"] not in found[kind]
            found[kind][hit["_id"]] = hit["_source"]
    return found


def put_back(location: str, saved: Contents) -> None:
    """Make the documents what they were; the indices must be those of then."""
    with raw_client(location) as (client, name):
        assert _indices(client, name) == saved.keys()
        blocked = _read_only(client, name)
        unblock = {"index.blocks.write": None}
        client.indices.put_settings(index=f"{name}-*", settings=unblock)
        client.indices.refresh(index=f"{name}-*")
        gone = [
            {"_op_type": "delete", "_index": hit["_index"], "_id": hit["_id"]}
            for hit in scan(client, index=f"{name}-*", query={"_source": False})
            if hit["_id"] not in saved[hit["_index"].removeprefix(f"{name}-")]
        ]
        kept = [
            {"_index": f"{name}-{kind}", "_id": doc_id, "_source": source}
            for kind, documents in saved.items()
            for doc_id, source in documents.items()
        ]
        bulk(client, [*gone, *kept], refresh=True)
        for index in blocked:
            client.indices.add_block(index=index, block="write")


def lasting(found: Contents) -> Contents:
    """Leave out what differs from run to run, and the order of lists that have none."""
    return {
        kind: {doc_id: _lasting(kind, source) for doc_id, source in documents.items()}
        for kind, documents in found.items()
    }


def _lasting(kind: str, source: Mapping[str, Any]) -> dict[str, Any]:
    passing = PASSING[kind.partition("-")[0]]
    kept = {field: value for field, value in source.items() if field not in passing}
    for field in ("face_ids", "other_face_ids"):
        if field in kept:
            kept[field] = sorted(kept[field])
    return {field: value for field, value in kept.items() if value is not None}


def differences(found: Contents, expected: Contents) -> list[str]:
    """Say in words in what two collections differ: nothing, if they do not."""
    one, other = lasting(found), lasting(expected)
    told = [f"index {kind} is only in one" for kind in sorted(one.keys() ^ other.keys())]
    for kind in sorted(one.keys() & other.keys()):
        for doc_id in sorted(one[kind].keys() | other[kind].keys()):
            a, b = one[kind].get(doc_id), other[kind].get(doc_id)
            if a is None or b is None:
                told.append(f"{kind}/{doc_id} is {'missing' if a is None else 'too much'}")
            elif a != b:
                told += [
                    f"{kind}/{doc_id}.{field}: {a.get(field)!r:.200}, not {b.get(field)!r:.200}"
                    for field in sorted(a.keys() | b.keys())
                    if a.get(field) != b.get(field)
                ]
    return told


def layout(location: str) -> dict[str, Any]:
    """Return the collection's indices with their aliases, blocks, copies and refreshes."""
    with raw_client(location) as (client, name):
        found = client.indices.get(index=f"{name}-*", flat_settings=True).body
    wanted = ("index.blocks.write", "index.number_of_replicas", "index.refresh_interval")
    return {
        index.removeprefix(name): _laid_out(content, wanted) for index, content in found.items()
    }


def _laid_out(content: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, Any]:
    told = content["mappings"]["_meta"]["sightings"]
    collection = told["collection"]
    return {
        "aliases": sorted(alias.removeprefix(collection) for alias in content["aliases"]),
        **{key: content["settings"][key] for key in wanted if key in content["settings"]},
        **{key: value for key, value in told.items() if value is not None and key != "collection"},
    }


def _read_only(client: Elasticsearch, name: str) -> list[str]:
    found = client.indices.get_settings(index=f"{name}-*", name="index.blocks.write").body
    return [index for index, content in found.items() if content["settings"]]


def _indices(client: Elasticsearch, name: str) -> set[str]:
    return {index.removeprefix(f"{name}-") for index in client.indices.get(index=f"{name}-*")}
