"""Segments as documents: the job state of media, and the claims on it.

A segment also lists the ids of its faces, those about to be written included: so a media's faces
are known without a search, whatever was interrupted.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from indexer.engines.before import before_of
from indexer.engines.elastic import media as media_documents
from indexer.engines.elastic import picture_links
from indexer.engines.elastic.bulk import Action
from indexer.engines.elastic.values import from_date, from_text, to_date, to_text
from indexer.records import WHOLE_MEDIA_S, Segment, SegmentCounts, SegmentSpan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from indexer.engines.elastic.store import Document, Store
    from indexer.records import Media, SegmentState


def segment_id(media_id: str, number: int) -> str:
    """Return the id of a segment's document."""
    return f"{media_id}-{number}"


def of_document(
    store: Store, media: Document | None, *, includes: Sequence[str] | None = None
) -> dict[int, Document]:
    """Return the segments of a media's document, by number, in order; see `of_documents`."""
    if media is None:
        return {}
    return of_documents(store, [media], includes=includes)[media.id]


def of_documents(
    store: Store, media: Iterable[Document], *, includes: Sequence[str] | None = None
) -> dict[str, dict[int, Document]]:
    """Return the segments of media's documents by media and number, in order.

    includes: the fields to read. Tracks are large: 150 kB for a busy minute.
    """
    ids = {
        document.id: {
            number: segment_id(document.id, number)
            for number in sorted(document.source.get("segment_numbers", ()))
        }
        for document in media
    }
    every_id = [doc_id for of_media in ids.values() for doc_id in of_media.values()]
    found = store.get_many(store.segments, every_id, includes=includes)
    return {
        media_id: {number: found[doc_id] for number, doc_id in of_media.items() if doc_id in found}
        for media_id, of_media in ids.items()
    }


def of_media(store: Store, media_id: str, states: Sequence[SegmentState] = ()) -> list[Segment]:
    """Return a media's segments in order: in those states, if given."""
    media = store.get(store.media, media_id)
    if not states:
        return [from_document(document) for document in of_document(store, media).values()]
    listed = of_document(store, media, includes=["state"]).values()
    chosen = [document.id for document in listed if document.source["state"] in states]
    found = store.get_many(store.segments, chosen)
    segments = [from_document(found[doc_id]) for doc_id in chosen if doc_id in found]
    return [segment for segment in segments if segment.state in states]


def face_ids(media: Document | None, segments: Mapping[int, Document]) -> list[str]:
    """Return the ids of all faces that a media may have."""
    listed = [] if media is None else list(media.source.get("other_face_ids", ()))
    for document in segments.values():
        listed += document.source["face_ids"]
    return list(dict.fromkeys(listed))


def face_ids_of(store: Store, media_id: str) -> list[str]:
    """Return the ids of all faces that a media may have, by its id."""
    media = store.get(store.media, media_id)
    return face_ids(media, of_document(store, media, includes=["face_ids"]))


def face_ids_of_all(store: Store, media: Mapping[str, Document]) -> dict[str, list[str]]:
    """Return the ids of all faces that media may have, by the media's ids."""
    segments = of_documents(store, media.values(), includes=["face_ids"])
    return {media_id: face_ids(media[media_id], segments[media_id]) for media_id in media}


def start(store: Store, media: Media, spans: Sequence[SegmentSpan]) -> bool:
    """Begin a media in its state, unless it has begun under the same options; say whether.

    The media lists all faces of an earlier run before their ids are moved from segment to segment,
    so none gets lost on the way. Segments come before the media that counts them; who comes second
    changes nothing.
    """
    for _ in media_documents.attempts():
        before = store.get(store.media, media.id)
        if (
            before is not None
            and before.source.get("state") in ("queued", "working")
            and from_text(before.source["options"]) == media.options
        ):
            return False
        source = {
            **media_documents.to_document(media),
            "before": _kept(before, of_document(store, before)),
        }
        if put_all(store, source, [Segment(media.id, span) for span in spans], before):
            return True
    raise media_documents.contended(media.id)


def _kept(media: Document | None, segments: Mapping[int, Document]) -> str | None:
    if media is None or not media_documents.is_known(media):
        return None
    records = [from_document(document) for document in segments.values()]
    return before_of(media_documents.from_document(media), records, media.source.get("before"))


def put_all(
    store: Store,
    media: Mapping[str, Any],
    segments: Sequence[Segment],
    before: Document | None,
) -> bool:
    """Store a media and its segments, none of them claimed, in place of those it has.

    media: its document, less paths and lists. Returns False if others changed it meanwhile.
    """
    media_id = media["media_id"]
    numbers = {segment.span.number for segment in segments}
    known = [] if before is None else before.source.get("segment_numbers", [])
    present = store.get_many(
        store.segments, [segment_id(media_id, number) for number in sorted({*numbers, *known})]
    )
    old_faces = face_ids(before, dict(enumerate(present.values())))
    if before is not None and set(old_faces) - set(before.source.get("other_face_ids", ())):
        listing = {**before.source, "other_face_ids": old_faces}
        before = store.put(store.media, media_id, listing, before=before)
        if before is None:
            return False
    placed, others = _placed(store, old_faces, [segment.span for segment in segments])
    actions = []
    for segment in segments:
        doc_id = segment_id(media_id, segment.span.number)
        source = to_document(segment) | {
            "face_ids": placed[segment.span.number],
            "batch": media["batch"],
        }
        state = present.pop(doc_id, None)
        actions.append(Action.put(store.segments, doc_id, source, before=state))
    if store.write(actions):
        return False
    source = {
        **media,
        **picture_links.of_media(store, media_id),
        **media_documents.with_paths(media_id, media_documents.paths_of(before)),
        "segment_numbers": sorted(numbers),
        "other_face_ids": others,
    }
    if store.put(store.media, media_id, source, before=before) is None:
        return False
    # Only as they were: another one may have started the media again, with them.
    store.write(Action.delete_unchanged(store.segments, state) for state in present.values())
    return True


def _placed(
    store: Store, ids: Sequence[str], spans: Sequence[SegmentSpan]
) -> tuple[dict[int, list[str]], list[str]]:
    """Return the faces of an earlier run by the number of the new segment that covers them."""
    placed: dict[int, list[str]] = {span.number: [] for span in spans}
    others = []
    faces = store.get_many(store.faces, ids, includes=["timestamp_s"]) if ids else {}
    for face_id, face in faces.items():
        at_s = face.source["timestamp_s"]
        for span in spans:
            if span.start_s <= at_s < span.end_s:
                placed[span.number].append(face_id)
                break
        else:
            others.append(face_id)
    return placed, others


def replaced(store: Store, before: Document, source: Mapping[str, Any]) -> Action:
    """Return what puts a segment's new document in place of the one that was read, and no other."""
    return Action.put(store.segments, before.id, source, before=before)


CLAIMLESS: Mapping[str, Any] = {"owner": None, "lease_until": None, "error": None}
"""The fields of a segment that nobody has claimed."""


def to_document(segment: Segment) -> dict[str, Any]:
    """Return a segment that nobody has claimed as a document, less its faces' ids and its batch."""
    span = segment.span
    return {
        "media_id": segment.media_id,
        "number": span.number,
        "start_s": span.start_s,
        "end_s": None if span.end_s == WHOLE_MEDIA_S else span.end_s,
        "state": segment.state,
        "attempts": segment.attempts,
        **CLAIMLESS,
        "error": None if segment.error is None else to_text(segment.error),
        **counts_document(segment.counts),
        "tracks": None,
        "finished_at": to_date(segment.finished_at),
    }


def packed(tracks: bytes) -> str | None:
    """Return tracks as a field of a segment's document."""
    return base64.b64encode(tracks).decode() or None


def counts_document(counts: SegmentCounts) -> dict[str, Any]:
    """Return what working on a segment met, as fields of its document."""
    return {
        "frames": counts.frames,
        "key_frames": counts.key_frames,
        "faces": counts.faces,
        "decode_errors": counts.decode_errors,
        "left_out": counts.left_out,
        "warnings": [to_text(warning) for warning in counts.warnings],
    }


def from_document(document: Document) -> Segment:
    """Return a segment as it is stored."""
    source = document.source
    end_s = source["end_s"]
    return Segment(
        media_id=source["media_id"],
        span=SegmentSpan(
            source["number"], source["start_s"], WHOLE_MEDIA_S if end_s is None else end_s
        ),
        state=source["state"],
        attempts=source["attempts"],
        owner=None if source["owner"] is None else from_text(source["owner"]),
        lease_until=from_date(source["lease_until"]),
        error=None if source["error"] is None else from_text(source["error"]),
        counts=SegmentCounts(
            source["frames"],
            source["key_frames"],
            source["faces"],
            source["decode_errors"],
            source["left_out"],
            tuple(from_text(warning) for warning in source["warnings"]),
        ),
        tracks=base64.b64decode(source["tracks"] or ""),
        finished_at=from_date(source["finished_at"]),
    )
