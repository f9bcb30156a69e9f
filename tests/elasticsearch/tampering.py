"""What an operator, or another version of Sightings, does to a collection; undone afterwards."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.elasticsearch.contents import raw_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elasticsearch import Elasticsearch


def name_of(location: str) -> str:
    return location.rpartition("/")[2]


def in_use(client: Elasticsearch, alias: str) -> str:
    """The index that an alias is on."""
    (index,) = client.indices.get_alias(name=alias)
    return index


def let_leases_run_out(location: str) -> None:
    """Have the time pass for which what a process holds is left to it."""
    with raw_client(location) as (client, name):
        for lease in ("lease-loading", "lease-replacing"):
            if client.exists(index=f"{name}-segments", id=lease):
                past = {"lease_until": "2024-01-01T00:00:00+00:00"}
                client.update(index=f"{name}-segments", id=lease, doc=past)


@contextmanager
def schema(client: Elasticsearch, index: str, version: int) -> Iterator[None]:
    meta = client.indices.get_mapping(index=index)[index]["mappings"]["_meta"]
    other = {"sightings": {**meta["sightings"], "schema_version": version}}
    client.indices.put_mapping(index=index, meta=other)
    try:
        yield
    finally:
        client.indices.put_mapping(index=index, meta=meta)


@contextmanager
def moved(client: Elasticsearch, alias: str, other: str) -> Iterator[None]:
    """Move an alias to another index for a while."""
    index = in_use(client, alias)
    move(client, alias, index, other)
    try:
        yield
    finally:
        move(client, alias, other, index)


def move(client: Elasticsearch, alias: str, before: str, after: str) -> None:
    steps = [("remove", before), ("add", after)]
    client.indices.update_aliases(
        actions=[{step: {"index": index, "alias": alias}} for step, index in steps]
    )


@contextmanager
def without_alias(client: Elasticsearch, alias: str) -> Iterator[None]:
    index = in_use(client, alias)
    client.indices.delete_alias(index=index, name=alias)
    try:
        yield
    finally:
        client.indices.put_alias(index=index, name=alias)


@contextmanager
def changed(client: Elasticsearch, alias: str, **fields: Any) -> Iterator[str]:
    """Put an index of another mapping in place of one; a field of None is left out."""
    index = in_use(client, alias)
    mappings = client.indices.get_mapping(index=index)[index]["mappings"]
    properties = {**mappings["properties"], **fields}
    mappings["properties"] = {key: of for key, of in properties.items() if of is not None}
    other = f"{alias.partition('-')[0]}-changed"  # a name that no template fills up
    client.indices.create(index=other, mappings=mappings)
    try:
        with moved(client, alias, other):
            yield other
    finally:
        client.indices.delete(index=other)


@contextmanager
def doubled(client: Elasticsearch, alias: str) -> Iterator[str]:
    """Put an alias on a second index of the same mapping."""
    index = in_use(client, alias)
    mappings = client.indices.get_mapping(index=index)[index]["mappings"]
    client.indices.create(index=f"{alias}-2", mappings=mappings, aliases={alias: {}})
    try:
        yield f"{alias}-2"
    finally:
        client.indices.delete(index=f"{alias}-2")
