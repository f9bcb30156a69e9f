"""What makes deletion last: the bytes of deleted documents leave the disk, and snapshots are named.

A deleted document stays in its file until a merge rewrites it, and in the log of changes until a
flush. A merge keeps it while a copy of the shard that falls behind might need it: until the copies'
retention leases have passed its deletion, which they tell each other every 30 s.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from indexer.engines.elastic import versions
from indexer.errors import IndexFailure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from indexer.engines.elastic.store import Store

MERGE_TIMEOUT_S = 3600.0
"""A merge that rewrites all of a 50 GB shard takes about so long."""

_POLL_S = 0.5


def all_indices(store: Store) -> list[str]:
    """Return all indices and aliases that hold something of people."""
    faces = [version.index for version in versions.versions(store)]
    return [store.media, store.segments, store.files, store.labels, *faces]


def expunge(store: Store, *, wait_s: float) -> None:
    """Make the bytes of what was deleted up to now leave the disk, in all indices.

    wait_s: how long to wait for the copies' leases; 0: not at all, a later merge does the rest.
    Raises IndexFailure, saying what is left to do, if that is not enough; the deletion holds.
    """
    indices, client = all_indices(store), store.connection.client
    deleted_by = {copy: state["max_seq_no"] for copy, (state, _) in _copies(store, indices).items()}
    give_up_at = time.monotonic() + wait_s
    while wait_s and (due := _still_needed(_copies(store, indices), deleted_by)):
        if time.monotonic() > give_up_at:
            raise IndexFailure(
                "It is deleted: no search finds it. But its bytes are still in files of "
                f"{', '.join(due)}: another copy of a shard is away or behind. When the cluster "
                "is green, run: sightings optimize"
            )
        time.sleep(_POLL_S)
    store.connection.call(client.indices.flush, index=indices, force=True, wait_if_ongoing=True)
    store.connection.call(
        client.indices.forcemerge,
        timeout_s=MERGE_TIMEOUT_S,
        index=indices,
        only_expunge_deletes=True,
        flush=True,
    )
    store.visible(*indices, always=True)  # files of the old state go when nobody reads them


def merge(store: Store, index: str) -> None:
    """Make one file of each shard of an index: what is many graphs is searched many times."""
    store.connection.call(
        store.connection.client.indices.forcemerge,
        timeout_s=MERGE_TIMEOUT_S,
        index=index,
        max_num_segments=1,
        flush=True,
    )


_Copy = tuple[str, str, int]
"""A copy of a shard: index, number of the shard, number of the copy."""


def _copies(
    store: Store, indices: Sequence[str]
) -> dict[_Copy, tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Return the sequence numbers and retention leases of all copies of all shards."""
    paths = "indices.*.shards.*"
    answer = store.connection.call(
        store.connection.client.indices.stats,
        index=list(indices),
        metric=["docs"],
        level="shards",
        filter_path=f"{paths}.seq_no,{paths}.retention_leases.leases",
    )
    return {
        (index, shard, number): (copy["seq_no"], copy.get("retention_leases", {}).get("leases", []))
        for index, content in answer.body.get("indices", {}).items()
        for shard, copies in content["shards"].items()
        for number, copy in enumerate(copies)
    }


def _still_needed(
    copies: Mapping[_Copy, tuple[dict[str, Any], list[dict[str, Any]]]],
    deleted_by: Mapping[_Copy, int],
) -> list[str]:
    """Return the indices in which a lease still holds what was deleted by then."""
    return sorted({
        copy[0]
        for copy, (_, leases) in copies.items()
        if any(lease["retaining_seq_no"] <= deleted_by.get(copy, -1) for lease in leases)
    })  # fmt: skip


def snapshots(store: Store) -> tuple[str, ...]:
    """Return REPOSITORY/SNAPSHOT of each snapshot that holds an index of the collection."""
    client = store.connection.client
    own = (store.media, store.segments, store.files, store.labels, store.faces)
    prefixes = tuple(f"{alias}-" for alias in own)
    found = []
    repositories = store.connection.call(client.snapshot.get_repository, expect=(403, 404))
    if repositories.meta.status == 403:
        return ("(the credentials do not allow to look: privilege monitor_snapshot)",)
    for repository in {} if repositories.meta.status == 404 else repositories.body:
        answer = store.connection.call(
            client.snapshot.get, expect=(404, 500), repository=repository, snapshot="*"
        )
        if answer.meta.status != 200:
            found.append(f"{repository} (cannot be read)")
        found += [
            f"{repository}/{snapshot['snapshot']}"
            for snapshot in answer.body.get("snapshots", ())
            if any(index.startswith(prefixes) for index in snapshot["indices"])
        ]
    return tuple(sorted(found))
