"""Batches of media as documents: counting them, and cancelling their work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from indexer.engines.before import unpack
from indexer.engines.elastic import claims, deletion
from indexer.engines.elastic import filters as queries
from indexer.engines.elastic import media as media_documents
from indexer.engines.elastic import segments as segment_documents
from indexer.engines.elastic.values import batches, from_date, to_date, to_text
from indexer.engines.jobs import CANCELLED
from indexer.job_records import BatchCounts, Cancelled
from indexer.records import Deleted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from typing import Literal

    from indexer.engines.before import Before
    from indexer.engines.elastic.store import Document, Store

_IN_PROGRESS = ("queued", "working")


def cancel(store: Store, media_ids: Sequence[str]) -> Cancelled:
    """Cancel the work on media, one by one; those never finished are then removed together.

    Order of writes: the media as `failed`, which nobody links or claims anew; its segments, so that
    whoever holds a claim has lost it; then what becomes of it. Cut short, it is repeated from the
    start, as the media's error says that this was begun.
    """
    outcomes: dict[str, list[str]] = {"removed": [], "restored": [], "cut short": []}
    for media_id in dict.fromkeys(to_text(media_id) for media_id in media_ids):
        if outcome := _cancel(store, media_id):
            outcomes[outcome].append(media_id)
    removed = outcomes["removed"]
    deleted = deletion.delete_media(store, removed) if removed else Deleted()
    return Cancelled(
        tuple(removed), tuple(outcomes["restored"]), tuple(outcomes["cut short"]), deleted
    )


def _cancel(store: Store, media_id: str) -> Literal["removed", "restored", "cut short"] | None:
    before: Before | None = None
    for _ in media_documents.attempts():
        media = media_documents.change(store, media_id, _stopped)
        if media is None or not _is_stopped(media.source):
            return None
        claims.fail_unfinished(store, media_id, CANCELLED)
        if not media.source.get("before"):
            return "removed"
        if before is None:  # read once: restoring writes segments, and may have to be done again
            segments = segment_documents.of_media(store, media_id)
            before = unpack(media.source["before"], segments)
        if before.intact:
            if _restore(store, media, before):
                return "restored"
        elif store.put(store.media, media_id, _to_be_linked(media.source), before=media):
            return "cut short"
    raise media_documents.contended(media_id)


def _stopped(source: dict[str, Any]) -> dict[str, Any] | None:
    if source.get("state") not in _IN_PROGRESS:
        return None
    return {**source, "state": "failed", "error": CANCELLED}


def _is_stopped(source: dict[str, Any]) -> bool:
    """Whether cancelling was begun and not ended: a media that was linked has been indexed."""
    return (
        source.get("state") == "failed"
        and source.get("error") == CANCELLED
        and not source.get("indexed_at")
    )


def _to_be_linked(source: dict[str, Any]) -> dict[str, Any]:
    return {**source, "state": "working", "error": None}


def _restore(store: Store, media: Document, before: Before) -> bool:
    restored = before.restored(media_documents.from_document(media))
    source = {
        **media_documents.to_document(restored),
        **media_documents.ended_document(restored),
    }
    return segment_documents.put_all(store, source, before.segments, media)


def listed(
    store: Store,
    ids: Sequence[str],
    *,
    limit: int,
    before: str | None,
    recent_since: datetime,
) -> list[BatchCounts]:
    """Return batches in descending order of id."""
    store.visible(store.media, store.segments, always=True)
    if not ids:
        clauses = [{"range": {"batch": {"lt": to_text(before)}}}] if before is not None else []
        return _counted(store, clauses, limit, recent_since)
    found = []
    for part in batches(sorted({to_text(i) for i in ids}, reverse=True)):
        found += _counted(store, [queries.any_of("batch", part)], len(part), recent_since)
    return found


def _counted(
    store: Store, clauses: list[dict[str, Any]], limit: int, recent_since: datetime
) -> list[BatchCounts]:
    known = queries.all_of({"exists": {"field": "batch"}}, *clauses)
    newest = {"field": "batch", "size": max(limit, 1), "order": {"_key": "desc"}}
    by_state = {"terms": {"field": "state"}}
    media = store.aggregate(
        store.media,
        {
            "batches": {
                "terms": newest,
                "aggs": {"states": by_state, "first": {"min": {"field": "queued_at"}}},
            }
        },
        known,
    )["batches"]["buckets"][:limit]
    recent = {"filter": {"range": {"finished_at": {"gte": to_date(recent_since)}}}}
    segments = store.aggregate(
        store.segments,
        {"batches": {"terms": newest, "aggs": {"states": by_state, "recent": recent}}},
        queries.any_of("batch", [bucket["key"] for bucket in media]),
    )["batches"]["buckets"]
    work = {bucket["key"]: bucket for bucket in segments}
    return [
        BatchCounts(
            bucket["key"],
            cast("datetime", from_date(_with_zone(bucket["first"]["value_as_string"]))),
            cast("Any", _states(bucket["states"]["buckets"])),
            cast("Any", _states(work[bucket["key"]]["states"]["buckets"]))
            if bucket["key"] in work
            else {},
            work[bucket["key"]]["recent"]["doc_count"] if bucket["key"] in work else 0,
        )
        for bucket in media
    ]


def _with_zone(stored: str) -> str:
    """Return a date as Elasticsearch prints it as Python 3.10 reads it."""
    return stored.replace("Z", "+00:00")


def _states(buckets: Iterable[dict[str, Any]]) -> dict[str, int]:
    return {bucket["key"]: bucket["doc_count"] for bucket in buckets}
