"""What happens when a segment, and then a whole media, is finished.

Every step can be repeated after a crash at any point; see each function for its order of writes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from indexer.appearances import plan_links
from indexer.engines.checks import check_faces_fit, check_models, claim_lost, unit_vector
from indexer.engines.elastic import claims, picture_links, versions
from indexer.engines.elastic import faces as face_documents
from indexer.engines.elastic import media as media_documents
from indexer.engines.elastic import segments as segment_documents
from indexer.engines.elastic.bulk import Action
from indexer.engines.elastic.labels import listed as listed_labels
from indexer.engines.elastic.settling import named_fields, updates
from indexer.engines.elastic.values import now, to_date, to_text
from indexer.errors import ClaimLost, NotFound
from indexer.labels import persons_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import numpy as np

    from indexer.engines.elastic.store import Document, Store
    from indexer.records import Appearance, Face, Media, Segment, SegmentCounts
    from indexer.settings import AppearanceSettings


def finish_segment(
    store: Store,
    segment: Segment,
    faces: Sequence[Face],
    *,
    tracks: bytes,
    counts: SegmentCounts,
) -> None:
    """Replace the faces within a segment's span and mark it done.

    First the segment lists the faces to come, then they are written and old ones deleted, last
    the segment is done. Faces are written and deleted only in the state in which they were found
    while the claim was still held, so one who has lost it without knowing harms nothing.
    """
    held = claims.held(store, segment)
    version = versions.live(store)
    check_models(version.model, faces)
    check_faces_fit(segment, faces)
    dimensions = 0 if version.model is None else version.model.dimensions
    new = {face.id: (face, unit_vector(face.vector, dimensions)) for face in faces}
    listed: list[str] = held.source["face_ids"]
    coming = list(dict.fromkeys([*listed, *new]))
    if len(coming) > len(listed):
        held = claims.update_held(store, segment, {"face_ids": coming}, before=held)
    try:
        stale = _replace_faces(store, version.index, segment, new, listed)
        claims.update_held(
            store,
            segment,
            {
                **segment_documents.CLAIMLESS,
                **segment_documents.counts_document(counts),
                "state": "done",
                "finished_at": to_date(now()),
                "tracks": segment_documents.packed(tracks),
                "face_ids": [face_id for face_id in coming if face_id not in stale],
            },
            before=held,
        )
    except ClaimLost:
        _take_back(store, version.index, segment, list(new))
        raise


def _replace_faces(
    store: Store,
    index: str,
    segment: Segment,
    new: Mapping[str, tuple[Face, np.ndarray]],
    listed: Sequence[str],
) -> set[str]:
    """Write the new faces and delete the old ones of the span; return the latter's ids.

    listed: those that may be there. Any other one that is there after all (its writer has lost the
    claim) is not overwritten unseen: its creation fails, and the next round looks for all.
    """
    due = set(new)
    stale: set[str] = set()
    looked_for, coming = listed, [*listed, *new]
    for _ in media_documents.attempts():
        present = store.get_many(index, looked_for, includes=["timestamp_s"])
        looked_for = coming
        if present:
            claims.held(store, segment)  # so what is there is not by who took it over
        stale = {
            face_id
            for face_id in coming
            if face_id not in new and _is_within(present.get(face_id), segment)
        }
        media = store.get(store.media, segment.media_id)
        if media is None:
            raise claim_lost(segment)
        labels = listed_labels(store, [segment.media_id])
        persons = persons_of([face for face, _ in new.values()], labels)

        def actions(
            present: Mapping[str, Document] = present,
            media: Document = media,
            persons: Mapping[str, str | None] = persons,
            stale: set[str] = stale,
            due: set[str] = due,
        ) -> Iterator[Action]:
            indexed_at = now()
            for face_id in due:
                face, vector = new[face_id]
                source = {
                    **face_documents.to_document(
                        face, vector, media.source, persons[face_id], indexed_at
                    ),
                    **picture_links.of_face(store, face_id),
                }
                yield Action.put(index, face_id, source, before=present.get(face_id))
            yield from _deletions(index, present, stale)

        conflicts = {action.id for action in store.write(actions())}
        if not conflicts:
            return stale
        due = conflicts & new.keys()
    raise media_documents.contended(segment.media_id)


def _is_within(document: Document | None, segment: Segment) -> bool:
    if document is None:
        return True  # listed, but never written or deleted since
    return bool(segment.span.start_s <= document.source["timestamp_s"] < segment.span.end_s)


def _take_back(store: Store, index: str, segment: Segment, ids: Sequence[str]) -> None:
    """Delete what was written under a claim that was lost, but for what is listed as others'.

    The faces are read before the lists: others list a face before they write it, so what they write
    later is listed, or in another state than was read.
    """
    present = store.get_many(index, ids, includes=["face_id"])
    listed = segment_documents.face_ids_of(store, segment.media_id)
    store.write(_deletions(index, present, present.keys() - set(listed)))


def _deletions(
    index: str, present: Mapping[str, Document], face_ids: Collection[str]
) -> Iterator[Action]:
    """Yield deletions of those faces that are there, as they were read."""
    for face_id in present.keys() & set(face_ids):
        yield Action.delete_unchanged(index, present[face_id])


def link_appearances(
    store: Store, media_id: str, settings: AppearanceSettings, warnings: Sequence[str]
) -> Media:
    """Decide the media's appearances once no segment is open, put names back, and end its work.

    Order of writes: the faces that stay; the media, as linked; deletions of the other faces; the
    segments without tracks; the media, as done. Before it is linked all faces and tracks are there,
    so that all who link work out the same; they begin anew if a label or path has changed.
    """
    for _ in media_documents.attempts():
        media = store.get(store.media, media_id)
        if media is None or not media_documents.is_known(media):
            raise NotFound(f"There is no media {media_id} in the index.")
        in_work = media.source["state"] in ("queued", "working")
        segments = _finished(store, media) if in_work else None
        if segments is None:
            return media_documents.from_document(media)
        linked: Document | None = media
        if not media.source.get("linked"):
            linked = _link_faces(store, media, segments, settings, warnings)
        if linked is None:
            continue
        if _delete_surplus(store, linked) and _drop_tracks(store, segments):
            done = _ended(store, linked, segments)
            if after := store.put(store.media, media_id, done, before=linked):
                return media_documents.from_document(after)
    raise media_documents.contended(media_id)


def _finished(store: Store, media: Document) -> dict[int, Document] | None:
    """Return a media's segments, or None if some are open still."""
    if len(media.source["segment_numbers"]) > 1:  # with their tracks they are large
        states = segment_documents.of_document(store, media, includes=["state"])
        if _are_open(states):
            return None
    segments = segment_documents.of_document(store, media)
    return None if _are_open(segments) else segments


def _are_open(segments: Mapping[int, Document]) -> bool:
    return any(document.source["state"] in ("pending", "claimed") for document in segments.values())


def _link_faces(
    store: Store,
    media: Document,
    segments: Mapping[int, Document],
    settings: AppearanceSettings,
    warnings: Sequence[str],
) -> Document | None:
    """Write what linking decides into the faces, and mark the media linked.

    Returns None if the media or one of the faces is not as it was read.
    """
    index = versions.live(store).index
    ids = segment_documents.face_ids(media, segments)
    found = face_documents.documents(store, index, ids, embeddings=True)
    faces = sorted(
        (face_documents.from_source(document.source) for document in found.values()),
        key=lambda face: (face.timestamp_s, face.id),
    )
    # Who starts the media anew says so before any face is replaced: these are of these segments.
    if not _is_as_read(store, media):
        return None
    labels = listed_labels(store, [media.id])
    records = [segment_documents.from_document(document) for document in segments.values()]
    plan = plan_links(records, faces, labels, settings)
    placed = {face_id: _fields(appearance) for face_id, appearance in plan.appearances.items()}
    kept = {
        face_id: replace(found[face_id], source=found[face_id].source | fields)
        for face_id, fields in placed.items()
    }
    named = named_fields(kept, media.source, labels)
    wanted = {face_id: placed[face_id] | named[face_id] for face_id in placed}
    if store.write(updates(index, found, wanted)):
        return None
    source = {
        **media.source,
        "linked": True,
        "warnings": [to_text(warning) for warning in warnings],
        "indexed_at": to_date(now()),
        "surplus_face_ids": list(plan.surplus),
    }
    return store.put(store.media, media.id, source, before=media)


def _delete_surplus(store: Store, linked: Document) -> bool:
    """Delete the faces that linking leaves out, but for those that were given a name since.

    Returns whether the media and they are as they were read.
    """
    if not (ids := linked.source.get("surplus_face_ids", ())):
        return True
    index = versions.live(store).index
    found = store.get_many(index, ids, includes=["face_id", "person"])
    unnamed = [face_id for face_id, face in found.items() if face.source["person"] is None]
    # As in `_link_faces`: these are not those of who has started the media anew.
    return _is_as_read(store, linked) and not store.write(_deletions(index, found, unnamed))


def _is_as_read(store: Store, media: Document) -> bool:
    current = store.get(store.media, media.id, includes=["media_id"])
    return current is not None and (current.seq_no, current.term) == (media.seq_no, media.term)


def _fields(appearance: Appearance | None) -> dict[str, Any]:
    if appearance is None:
        return face_documents.appearance_fields(None)
    return face_documents.appearance_fields(
        (appearance.id, float(appearance.start_s), float(appearance.end_s))
    )


def _drop_tracks(store: Store, segments: Mapping[int, Document]) -> bool:
    """Empty the segments' tracks, and their lists of what is gone; False if others changed them."""
    ids = [face_id for document in segments.values() for face_id in document.source["face_ids"]]
    present = store.get_many(store.faces, ids, includes=["face_id"])
    actions = []
    for document in segments.values():
        kept = [face_id for face_id in document.source["face_ids"] if face_id in present]
        source = {**document.source, "tracks": None, "face_ids": kept}
        if source != document.source:
            actions.append(segment_documents.replaced(store, document, source))
    return not store.write(actions)


def _ended(store: Store, media: Document, segments: Mapping[int, Document]) -> dict[str, Any]:
    others = store.get_many(store.faces, media.source["other_face_ids"], includes=["face_id"])
    errors = [
        document.source["error"] or ""
        for document in segments.values()
        if document.source["state"] == "failed"
    ]
    return {
        **media.source,
        "state": "failed" if errors else "done",
        "error": errors[0] if errors else None,
        "before": None,
        "other_face_ids": [i for i in media.source["other_face_ids"] if i in others],
        "surplus_face_ids": [],
    }
