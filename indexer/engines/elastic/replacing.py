"""Putting the version that was built in place of the live one, in one step.

While the last changes are taken over, the live faces cannot be written: writers wait.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from indexer.engines.elastic import comparing, leases, versions
from indexer.engines.elastic import media as media_documents
from indexer.engines.elastic import segments as segment_documents
from indexer.engines.elastic.rebuilding import allow_writes
from indexer.errors import IndexBlocked, IndexFailure

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.engines.elastic.store import Document, Store
    from indexer.engines.elastic.versions import Version

    T = TypeVar("T")

_POLL_S = 0.5


def activate(store: Store, model_key: str) -> None:
    """Make the version being built of a model the live one; media in progress begin again.

    What changed in the live faces meanwhile is taken over twice: first while others still write,
    then, while they cannot, what they changed during that. The old version is kept, read-only,
    until it is dropped. All is done before the swap, which is one step: until then the old version
    is live, and this can be done again.
    """
    building, _ = versions.building(store, model_key)
    live = versions.live(store)
    since = comparing.complete_changes(store, live.index)
    comparing.take_over(store, live, building, since=comparing.FROM_THE_BEGINNING)
    lease = leases.take(store, "replacing")
    if lease is None:
        raise IndexFailure(
            "Another process is about to replace the live model; nothing is lost. Wait for it to "
            "end, then look which model is live: sightings stats"
        )
    with leases.renewing(lease):
        try:
            _replace(store, lease, live, building, since=since)
        except BaseException:
            # Without the lease, as after a long sleep, whoever has it now decides.
            if held := lease if lease.renew() else leases.take(store, "replacing"):
                _let_write(store)
                held.give_back()
            raise
        lease.give_back()


def _replace(
    store: Store, lease: leases.Lease, live: Version, building: Version, *, since: int
) -> None:
    client = store.connection.client
    ours = versions.live(store).index == live.index
    if ours:
        store.connection.call(client.indices.add_block, index=live.index, block="write")
        comparing.take_over(store, live, building, since=since)
        _begin_again(store)
        # Who finds the lease over lets others write again: then something may be missing.
        ours = lease.renew() and versions.swap(store, live, building)
    if not ours:
        raise IndexFailure(
            "Another process has replaced the live model meanwhile, or taken this one for dead; "
            "nothing is lost. Run the re-indexing again, if it is still wanted."
        )


def end_abandoned(store: Store) -> None:
    """Let the live faces be written again if who was replacing them has not come to an end."""
    lease = leases.take_over(store, "replacing")
    if lease is not None:
        _let_write(store)
        lease.give_back()


def _let_write(store: Store) -> None:
    allow_writes(store, versions.live(store).index)


def waiting(store: Store, change: Callable[[], T]) -> T:
    """Make a change that can be repeated; while the live faces are being replaced, wait.

    Raises IndexBlocked if that takes longer than retry_s, or if they are read-only otherwise.
    """
    give_up_at = time.monotonic() + store.connection.retry_s
    again = True
    while True:
        try:
            return change()
        except IndexBlocked:
            if not again:
                raise
        # If nobody is replacing them, somebody may just have been: that is worth one more attempt.
        again = _has_waited(store, give_up_at) and time.monotonic() < give_up_at


def _has_waited(store: Store, give_up_at: float) -> bool:
    """Wait while another process replaces the live faces; return whether there was one."""
    replaced = False
    while leases.holder(store, "replacing") and time.monotonic() < give_up_at:
        replaced = True
        time.sleep(_POLL_S)
    end_abandoned(store)
    return replaced


def _begin_again(store: Store) -> None:
    """Make all segments of media in progress pending: their tracks are of the old model."""
    store.visible(store.media, always=True)
    for media_id in store.ids(store.media, {"term": {"state": "working"}}, ["media_id"]):
        for _ in media_documents.attempts():
            if _restart(store, store.get(store.media, media_id)):
                break
        else:
            raise media_documents.contended(media_id)


def _restart(store: Store, media: Document | None) -> bool:
    """Make a media's segments pending, and the media unlinked; False if others change it."""
    segments = segment_documents.of_document(store, media)
    fresh = {
        **segment_documents.CLAIMLESS,
        "state": "pending",
        "attempts": 0,
        "tracks": None,
        "finished_at": None,
    }
    conflicts = store.write(
        segment_documents.replaced(store, document, {**document.source, **fresh})
        for document in segments.values()
    )
    if conflicts:
        return False
    if media is None or not media.source.get("linked"):
        return True
    # It was about to be done. With its segments pending, nobody ends that now.
    source = {**media.source, "linked": False}
    return store.put(store.media, media.id, source, before=media) is not None
