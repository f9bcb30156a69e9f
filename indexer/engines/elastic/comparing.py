"""Two versions of the faces: what only one of them has, and making one equal to the other."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from indexer.engines.elastic import faces as face_documents
from indexer.engines.elastic import filters as queries
from indexer.engines.elastic.bulk import Action
from indexer.engines.elastic.store import PAGE
from indexer.errors import IndexFailure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from indexer.engines.elastic.store import Store
    from indexer.engines.elastic.versions import Version

_OWN_FIELDS = ("embedding", "thumbnail", "model")
"""Fields of a face that a version has for itself, or that never change."""

_TOGETHER = 500

FROM_THE_BEGINNING = -1
"""The number before that of an index's first change."""


def missing(store: Store, one: Version, other: Version) -> Iterator[list[str]]:
    """Yield the ids of what one version has and the other has not, in parts and in order.

    Searches tell which these may be, as of some moment; what is there by now decides.
    """
    for part in _parts(_only_in(store, one, other)):
        there = store.get_many(one.index, part, includes=["face_id"])
        elsewhere = store.get_many(other.index, part, includes=["face_id"])
        yield [face_id for face_id in part if face_id in there and face_id not in elsewhere]


def take_over(store: Store, live: Version, building: Version, *, since: int) -> None:
    """Make the new version's faces equal to the live ones but for their vectors.

    since: the live version's `complete_changes`, when all of its faces were last compared.
    Raises IndexFailure if one has no vector yet.
    """
    store.visible(live.index, building.index, always=True)
    changed = {"range": {"_seq_no": {"gt": since}}}
    for part in _parts(store.scan(live.index, changed, face_documents.ORDER, **_IDS)):
        _make_equal(store, live, building, [hit["_id"] for hit in part])
    lacking = sum(map(len, missing(store, live, building)))
    if lacking:
        raise IndexFailure(
            f"{lacking} faces have no vector in {building.index} yet, so it cannot replace the "
            "live one. Run the re-indexing again; it goes on where it stopped."
        )
    for gone in missing(store, building, live):
        store.write(Action("delete", building.index, face_id) for face_id in gone)
    store.visible(building.index, always=True)


def complete_changes(store: Store, index: str) -> int:
    """Return a number up to which all changes of an index, in each shard, are made for good."""
    indices = store.connection.client.indices
    name = "index.number_of_shards"
    settings = store.connection.call(indices.get_settings, index=index, name=name)
    stats = store.connection.call(
        indices.stats,
        index=index,
        metric=["docs"],
        level="shards",
        filter_path="indices.*.shards.*.seq_no.global_checkpoint",
    )
    shards = stats.body.get("indices", {}).get(index, {}).get("shards", {})
    if len(shards) != int(settings[index]["settings"]["index"]["number_of_shards"]):
        return FROM_THE_BEGINNING
    copies = [copy for of_shard in shards.values() for copy in of_shard]
    return min(int(copy["seq_no"]["global_checkpoint"]) for copy in copies)


_IDS: Mapping[str, Any] = {"page": 10 * PAGE, "source": False}


def _only_in(store: Store, one: Version, other: Version) -> Iterator[str]:
    """Compare two scans in the same order, so that neither is held in memory."""
    others = _keys(store, other)
    theirs = next(others, None)
    for key in _keys(store, one):
        while theirs is not None and theirs < key:
            theirs = next(others, None)
        if theirs != key:
            yield key[-1]


def _keys(store: Store, version: Version) -> Iterator[tuple[Any, ...]]:
    for hit in store.scan(version.index, queries.EVERYTHING, face_documents.ORDER, **_IDS):
        yield tuple(hit["sort"])


def _make_equal(store: Store, live: Version, building: Version, ids: Sequence[str]) -> None:
    excludes = list(_OWN_FIELDS)
    sources = store.get_many(live.index, ids, excludes=excludes)
    built = store.get_many(building.index, ids, excludes=excludes)
    store.write(
        Action("update", building.index, face_id, changes, missing_ok=True)
        for face_id, document in built.items()
        if face_id in sources
        and (changes := _differences(sources[face_id].source, document.source))
    )


def _differences(source: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in source.items() if other.get(name) != value}


def _parts(items: Iterable[Any]) -> Iterator[list[Any]]:
    remaining = iter(items)
    while part := list(islice(remaining, _TOGETHER)):
        yield part
