"""What makes deletion last: the bytes of deleted documents leave the disk, and snapshots are named.

A deleted document stays in its file until a merge rewrites it, and in the log of changes until a
flush. A merge keeps it for as long as a copy that falls behind might need it, which the primary
finds out every few seconds (`soft_deletes.retention_lease.sync_interval` in the templates).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from indexer.engines.elastic import versions
from indexer.errors import IndexFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.engines.elastic.store import Store

EXPUNGE_S = 120.0
"""How long to wait until no deleted document is left on the disk."""

MERGE_TIMEOUT_S = 3600.0
"""A merge that rewrites all of a 50 GB shard takes about so long."""

_FIRST_WAIT_S = 0.05
_LONGEST_WAIT_S = 2.0


def all_indices(store: Store) -> list[str]:
    """Return all indices and aliases that hold something of people."""
    faces = [version.index for version in versions.versions(store)]
    return [store.media, store.segments, store.files, store.labels, *faces]


def expunge(store: Store, indices: Sequence[str]) -> None:
    """Make the bytes of deleted documents leave the disk.

    Raises IndexFailure, saying what is left to do, if some stay; the deletion holds all the same.
    """
    client = store.connection.client
    give_up_at = time.monotonic() + EXPUNGE_S
    wait_s = _FIRST_WAIT_S
    store.visible(*indices, always=True)
    while due := _with_deleted(store, indices):
        if time.monotonic() > give_up_at:
            raise IndexFailure(
                "It is deleted: no search finds it. But its bytes are still in files of "
                f"{', '.join(due)}, as a copy of them is away or busy. When the cluster is green, "
                "run: sightings optimize"
            )
        store.connection.call(client.indices.flush, index=due, force=True, wait_if_ongoing=True)
        store.connection.call(
            client.indices.forcemerge,
            timeout_s=MERGE_TIMEOUT_S,
            index=due,
            only_expunge_deletes=True,
            flush=True,
        )
        store.visible(*due, always=True)
        if _with_deleted(store, due):
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
    store.connection.call(client.indices.flush, index=list(indices), force=True)


def _with_deleted(store: Store, indices: Sequence[str]) -> list[str]:
    """Return the indices of which a copy still holds deleted documents."""
    answer = store.connection.call(
        store.connection.client.indices.stats,
        index=list(indices),
        metric=["docs"],
        filter_path="indices.*.total.docs.deleted",
    )
    return sorted(
        index
        for index, content in answer.body.get("indices", {}).items()
        if content["total"]["docs"]["deleted"]
    )


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
        for snapshot in answer.body.get("snapshots", ()):
            if any(index.startswith(prefixes) for index in snapshot["indices"]):
                found.append(f"{repository}/{snapshot['snapshot']}")
    return tuple(sorted(found))
