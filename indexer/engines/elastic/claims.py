"""Claims on segments: conditional writes, so that nobody works on what another one holds."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from indexer.engines.checks import claim_lost, given_up
from indexer.engines.elastic import media as media_documents
from indexer.engines.elastic.segments import (
    CLAIMLESS,
    from_document,
    of_document,
    replaced,
    segment_id,
)
from indexer.engines.elastic.values import from_date, from_text, now, to_date, to_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from indexer.engines.elastic.store import Document, Store
    from indexer.records import Segment


def claim(
    store: Store, media_id: str, *, owner: str, lease_s: float, max_attempts: int
) -> Segment | None:
    """Claim the first free segment; those attempted too often become failed on the way.

    Who finds that others were faster tries the next free one.
    """
    for _ in media_documents.attempts():
        media = store.get(store.media, media_id)
        segments = of_document(store, media, includes=["state", "lease_until"])
        free = [document.id for document in segments.values() if _is_free(document)]
        if not free or media is None:
            return None
        if media.source.get("state") == "queued":
            working = {**media.source, "state": "working"}
            if store.put(store.media, media_id, working, before=media) is None:
                continue
        for doc_id in free:
            document = store.get(store.segments, doc_id)
            if document is None or not _is_free(document):
                continue
            source = document.source
            if source["attempts"] >= max_attempts:
                changed = source | _failed(given_up(source["attempts"]))
                store.put(store.segments, doc_id, changed, before=document)
                continue
            changed = _unclaimed(source) | {
                "state": "claimed",
                "attempts": source["attempts"] + 1,
                "owner": to_text(owner),
                "lease_until": to_date(now() + timedelta(seconds=lease_s)),
            }
            if claimed := store.put(store.segments, doc_id, changed, before=document):
                return from_document(claimed)
    raise media_documents.contended(media_id)


def _is_free(document: Document) -> bool:
    source = document.source
    if source["state"] != "claimed":
        return bool(source["state"] == "pending")
    until = from_date(source["lease_until"])
    return until is None or until <= now()


def held(store: Store, segment: Segment) -> Document:
    """Return a segment's document. Raises ClaimLost unless the claim on it still stands."""
    document = store.get(store.segments, segment_id(segment.media_id, segment.span.number))
    if document is None or not _is_held(document, segment):
        raise claim_lost(segment)
    return document


def _is_held(document: Document, segment: Segment) -> bool:
    now_stored = from_document(document)
    return (
        now_stored.state == "claimed"
        and now_stored.span == segment.span
        and now_stored.owner == segment.owner
        and now_stored.attempts == segment.attempts
    )


def update_held(
    store: Store, segment: Segment, changes: Mapping[str, Any], *, before: Document | None = None
) -> Document:
    """Change fields of a segment that is held. Raises ClaimLost.

    before: as it was held when last read or written, which saves reading it again.
    """
    for _ in media_documents.attempts():
        known = before or held(store, segment)
        if after := store.put(store.segments, known.id, {**known.source, **changes}, before=known):
            return after
        before = None
    raise claim_lost(segment)


def renew(store: Store, segment: Segment, *, lease_s: float) -> None:
    """Prolong a claim. Raises ClaimLost."""
    until = to_date(now() + timedelta(seconds=lease_s))
    update_held(store, segment, {"lease_until": until})


def mark_failed(store: Store, segment: Segment, error: str) -> None:
    """Mark a segment failed. Raises ClaimLost."""
    update_held(store, segment, _failed(error))


def fail_unfinished(store: Store, media_id: str, error: str) -> None:
    """Mark all segments failed that are neither done nor failed, whoever has claimed them."""
    for _ in media_documents.attempts():
        unfinished = [
            document
            for document in of_document(store, store.get(store.media, media_id)).values()
            if document.source["state"] in ("pending", "claimed")
        ]
        failed = _failed(error)
        conflicts = store.write(
            replaced(store, document, document.source | failed) for document in unfinished
        )
        if not conflicts:
            return
    raise media_documents.contended(media_id)


def owners(store: Store) -> tuple[str, ...]:
    """Return the owners of claimed segments, sorted."""
    store.visible(store.segments, always=True)
    buckets = store.composite(
        store.segments, [{"owner": {"terms": {"field": "owner"}}}], _claimed_query()
    )
    return tuple(sorted(from_text(bucket["key"]["owner"]) for bucket in buckets))


def release(store: Store, owner: str, *, forgive: bool) -> int:
    """Make an owner's claimed segments pending again."""
    store.visible(store.segments, always=True)
    ids = store.ids(
        store.segments,
        {"bool": {"filter": [_claimed_query(), {"term": {"owner": to_text(owner)}}]}},
        ["media_id", "number"],
    )
    released = 0
    for document in store.get_many(store.segments, ids).values():
        source = document.source
        if source["state"] == "claimed" and source["owner"] == to_text(owner):
            attempts = source["attempts"] - int(forgive)
            changed = {**_unclaimed(source), "state": "pending", "attempts": attempts}
            released += store.put(store.segments, document.id, changed, before=document) is not None
    return released


def _claimed_query() -> dict[str, Any]:
    return {"term": {"state": "claimed"}}


def _unclaimed(source: Mapping[str, Any]) -> dict[str, Any]:
    return {**source, **CLAIMLESS}


def _failed(error: str) -> dict[str, Any]:
    return {
        **CLAIMLESS,
        "state": "failed",
        "error": to_text(error),
        "finished_at": to_date(now()),
    }
