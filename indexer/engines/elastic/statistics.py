"""Counts of a collection, and how its indices are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from indexer.engines.elastic import filters as queries
from indexer.engines.elastic import leases, versions
from indexer.engines.elastic.purging import all_indices

if TYPE_CHECKING:
    from indexer.engines.elastic.store import Store

_MEDIA_STATES = ("queued", "working", "done", "failed")
_SEGMENT_STATES = ("pending", "claimed", "done", "failed")


def collect(store: Store) -> dict[str, int | str]:
    """Return what `Index.stats` promises, and the state of the cluster's indices."""
    store.visible(store.media, store.segments, store.labels, store.faces)
    live = versions.live(store)
    kinds = _by_value(store, store.media, "media_kind", queries.of_media(None))
    media = _by_value(store, store.media, "state", queries.EVERYTHING)
    segments = _by_value(store, store.segments, "state", queries.EVERYTHING)
    return {
        "faces": store.count(live.index),
        "appearances": _distinct(store, live.index, "appearance_id"),
        "people": _distinct(store, live.index, "person_key"),
        "labels": store.count(store.labels),
        "photos": kinds.get("photo", 0),
        "videos": kinds.get("video", 0),
        **{f"media_{state}": media.get(state, 0) for state in _MEDIA_STATES},
        **{f"segments_{state}": segments.get(state, 0) for state in _SEGMENT_STATES},
        "location": store.connection.location.text,
        "engine": "elasticsearch",
        "model": live.model.key if live.model else "",
        **_state_of(store, live),
    }


def _state_of(store: Store, live: versions.Version) -> dict[str, int | str]:
    client = store.connection.client
    indices = all_indices(store)
    stats = store.connection.call(client.indices.stats, index=indices, metric=["docs", "store"])
    total = stats["_all"]["total"]
    health = store.connection.call(
        client.cluster.health, index=indices, expect=(408,), timeout="1s"
    ).body
    building = versions.unfinished(store)
    old = versions.old(store)
    return {
        "loading": leases.holder(store, "loading"),
        "size_bytes": int(total["store"]["size_in_bytes"]),
        "documents": int(stats["_all"]["primaries"]["docs"]["count"]),
        "deleted_documents": int(total["docs"]["deleted"]),
        "health": str(health["status"]),
        "shards": int(health["active_shards"]),
        "shards_missing": int(health["unassigned_shards"]) + int(health["initializing_shards"]),
        "version": live.index,
        "version_building": ", ".join(version.index for version in building),
        "versions_kept": ", ".join(version.index for version in old),
    }


def _by_value(store: Store, index: str, field: str, query: dict[str, Any]) -> dict[str, int]:
    buckets = store.composite(index, [{field: {"terms": {"field": field}}}], query)
    return {bucket["key"][field]: bucket["doc_count"] for bucket in buckets}


def _distinct(store: Store, index: str, field: str) -> int:
    sources = [{field: {"terms": {"field": field}}}]
    return sum(1 for _ in store.composite(index, sources, queries.EVERYTHING))
