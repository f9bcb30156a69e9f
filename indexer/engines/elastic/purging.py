"""What makes deletion last: the bytes of deleted documents leave the disk, and snapshots are named.

A deleted document stays in its file until a merge rewrites it, and in the log of changes until a
flush. A merge keeps it while a copy of the shard that falls behind might need it: until the copies'
retention leases have passed its deletion, which they tell each other every 30 s.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from indexer.engines.elastic import versions
from indexer.errors import IndexFailure, PurgeUnfinished

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from elasticsearch import Elasticsearch

    from indexer.engines.elastic.store import Store
    from indexer.records import Deleted

MAX_SEGMENT_BYTES = 5 << 30
"""Of a file that Elasticsearch makes of its own accord (index.merge.policy.max_merged_segment)."""

_POLL_S = 0.5
_FIRST_POLL_S = 0.05
_LONGEST_POLL_S = 5.0


def all_indices(store: Store) -> list[str]:
    """Return all indices and aliases that hold something of people."""
    faces = [version.index for version in versions.versions(store)]
    return [store.media, store.segments, store.files, store.labels, *faces]


def purge(store: Store, deleted: Deleted, *, wait_s: float) -> Deleted:
    """Expunge what was just deleted; return how much it was, with the snapshots that hold it.

    Raises PurgeUnfinished with that, so far as it is known, if the bytes may still be on a disk.
    """
    try:
        deleted = replace(deleted, still_in=snapshots(store))
        expunge(store, wait_s=wait_s)
        # One that was made meanwhile took the bytes along.
        return replace(deleted, still_in=snapshots(store))
    except (IndexFailure, KeyboardInterrupt) as error:
        raise PurgeUnfinished(
            "It is deleted: no search finds it. But its bytes may be on the disks until `sightings "
            f"optimize` has done its work. {str(error) or 'Waiting for that was interrupted.'}",
            deleted,
        ) from error


def expunge(store: Store, *, wait_s: float) -> None:
    """Make the bytes of what was deleted up to now leave the disk, in all indices.

    wait_s: how long to wait for the copies' leases; 0: not at all, a later merge does the rest.
    Raises IndexFailure, saying what is left to do, if that is not enough.
    """
    indices, client = all_indices(store), store.connection.client
    deleted_by = {copy: state["max_seq_no"] for copy, (state, _) in _copies(store, indices).items()}
    give_up_at = time.monotonic() + wait_s
    while wait_s and (due := _still_needed(_copies(store, indices), deleted_by)):
        if time.monotonic() > give_up_at:
            raise IndexFailure(
                f"Bytes of what was deleted are still in files of {', '.join(due)}: another copy "
                "of a shard is away or behind. When the cluster is green, run: sightings optimize"
            )
        time.sleep(_POLL_S)
    store.connection.call(client.indices.flush, index=indices, force=True, wait_if_ongoing=True)
    _force_merge(store, indices, only_expunge_deletes=True)
    store.visible(*indices, always=True)  # files of the old state go when nobody reads them


def merge(store: Store, index: str) -> None:
    """Make few files of each shard of an index: what is many graphs is searched many times.

    One file, but of shards that are larger than a file may be: those above that size are not merged
    any more, so that what is deleted in them stays. Asked for as few as have room for a shard,
    Elasticsearch makes some that are twice too large; asked for twice as many, none that is.
    """
    answer = store.connection.call(
        store.connection.client.indices.stats,
        index=index,
        metric=["store"],
        level="shards",
        filter_path="indices.*.shards.*.store.size_in_bytes",
    )
    largest = max(
        copy["store"]["size_in_bytes"]
        for content in answer["indices"].values()
        for copies in content["shards"].values()
        for copy in copies
    )
    fits = largest <= MAX_SEGMENT_BYTES
    files = 1 if fits else 2 * math.ceil(largest / MAX_SEGMENT_BYTES)
    _force_merge(store, [index], max_num_segments=files)


def _force_merge(store: Store, indices: Sequence[str], **wanted: Any) -> None:
    """Merge, however long it takes: an hour for a 50 GB shard. Raises IndexFailure.

    It goes on without anybody waiting, so no answer is lost in which all the work would be.
    """
    client = store.connection.client
    started = store.connection.call(
        client.indices.forcemerge, index=indices, flush=True, wait_for_completion=False, **wanted
    )
    wait_s = _FIRST_POLL_S
    while True:
        task = store.connection.call(_task, expect=(404,), client=client, task_id=started["task"])
        if task.meta.status == 404 or task.get("completed"):
            break
        time.sleep(wait_s)
        wait_s = min(2 * wait_s, _LONGEST_POLL_S)
    shards = task.get("response", {}).get("_shards", {})
    if task.meta.status == 404 or "error" in task or shards.get("failed"):
        raise IndexFailure(
            f"Files of {', '.join(indices)} could not be merged on all nodes: one was full, or "
            "went away. What is stored is intact, what is deleted is found by no search, but its "
            "bytes may still be in files. When the cluster is green, run: sightings optimize"
        )


def _task(client: Elasticsearch, task_id: str) -> Any:
    """Ask for a task; the client's own method warns that its kind of answer may change."""
    return client.perform_request(
        "GET", f"/_tasks/{quote(task_id)}", headers={"accept": "application/json"}
    )


_Copy = tuple[str, str, str]
"""A copy of a shard: index, number of the shard, node."""


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
        filter_path=",".join(
            f"{paths}.{part}" for part in ("seq_no", "routing.node", "retention_leases.leases")
        ),
    )
    return {
        (index, shard, copy["routing"]["node"]): (
            copy["seq_no"],
            copy.get("retention_leases", {}).get("leases", []),
        )
        for index, content in answer.body.get("indices", {}).items()
        for shard, copies in content["shards"].items()
        for copy in copies
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
    prefixes = tuple(f"{alias}-" for alias in store.aliases)
    found = []
    repositories = store.connection.call(client.snapshot.get_repository, expect=(403, 404))
    if repositories.meta.status == 403:
        return ("(the credentials do not allow to look: privilege monitor_snapshot)",)
    for repository in {} if repositories.meta.status == 404 else repositories.body:
        answer = store.connection.call(
            client.snapshot.get, expect=(403, 404, 500), repository=repository, snapshot="*"
        )
        if answer.meta.status != 200:
            found.append(f"{repository} (cannot be read)")
        found += [
            f"{repository}/{snapshot['snapshot']}"
            for snapshot in answer.body.get("snapshots", ())
            if any(index.startswith(prefixes) for index in snapshot["indices"])
        ]
    return tuple(sorted(found))
