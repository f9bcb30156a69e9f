"""Deleting documents: by id, in all versions of the faces, until a search finds none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from indexer.engines.checks import nobody_named
from indexer.engines.elastic import faces as face_documents
from indexer.engines.elastic import filters as queries
from indexer.engines.elastic import labels as label_documents
from indexer.engines.elastic import media as media_documents
from indexer.engines.elastic import segments as segment_documents
from indexer.engines.elastic import versions
from indexer.engines.elastic.bulk import Action
from indexer.engines.elastic.rebuilding import allow_writes, writable
from indexer.engines.elastic.settling import settle, touch
from indexer.engines.elastic.values import batches, exact_key, to_text
from indexer.errors import IndexBlocked, IndexFailure
from indexer.labels import find_face
from indexer.records import Deleted
from indexer.tracks import without_faces

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from indexer.engines.elastic.store import Document, Store
    from indexer.records import Label


MEDIA_TOGETHER = 5000
"""Media deleted at once: each of several searches names them all."""


def delete_media(store: Store, media_ids: Sequence[str]) -> Deleted:
    """Delete media with all that belongs to them.

    Segments go first, so that what workers still hold is refused; a media's own document goes
    last, so that a deletion that was cut short can be asked for again, and only if nobody has
    started the media meanwhile.
    """
    deleted = Deleted()
    ids = list(dict.fromkeys(to_text(media_id) for media_id in media_ids))
    for part in batches(ids, MEDIA_TOGETHER):
        deleted = _sum(deleted, _delete_media(store, part))
    return deleted


def _sum(one: Deleted, other: Deleted) -> Deleted:
    return Deleted(one.media + other.media, one.faces + other.faces, one.labels + other.labels)


def _delete_media(store: Store, ids: Sequence[str]) -> Deleted:
    known = store.get_many(store.media, ids)
    started = [document for document in known.values() if media_documents.is_known(document)]
    faces = set(_faces_of(store, known))
    labels = label_documents.listed(store, ids)
    for _ in media_documents.attempts():
        _delete_parts(store, ids, sorted(faces))
        conflicts = store.write(
            Action.delete_unchanged(store.media, document) for document in known.values()
        )
        if not conflicts:
            return Deleted(len(started), len(faces), len(labels))
        known = store.get_many(store.media, [action.id for action in conflicts])
        faces |= set(_faces_of(store, known))
    raise media_documents.contended(ids[0])


def _delete_parts(store: Store, media_ids: Sequence[str], faces: Sequence[str]) -> None:
    """Delete all that has the media's ids; the faces that are known by their own ids, too."""
    of_media = queries.any_of("media_id", media_ids)
    _delete_found(store, store.segments, of_media, ["media_id", "number"])

    def delete(index: str) -> None:
        store.write(Action("delete", index, face_id) for face_id in faces)
        _delete_found(store, index, of_media, face_documents.ORDER)

    _delete_in_every_version(store, delete)
    _delete_found(store, store.files, of_media, ["path_key"])
    _delete_found(store, store.labels, of_media, ["label_id"])


def delete_faces(store: Store, face_ids: Sequence[str], *, forgotten: str = "") -> Deleted:
    """Delete faces and the labels on them, until none is left.

    forgotten: a person whose labels are left, since others would take the name from the faces that
    are still to be deleted.
    """
    deleted = Deleted()
    for _ in range(media_documents.ATTEMPTS):
        index = versions.live(store).index
        present = face_documents.documents(store, index, list(face_ids))
        if not present:
            return deleted
        deleted = _sum(deleted, _delete_faces(store, index, present, forgotten))
    raise _others_add(store)


def _delete_faces(
    store: Store, index: str, present: Mapping[str, Document], forgotten: str
) -> Deleted:
    """Delete faces and the labels on them; the other faces of their media are named anew.

    Labels go first, since they are found by the faces.
    """
    by_media: dict[str, set[str]] = {}
    for face_id, document in present.items():
        by_media.setdefault(document.source["media_id"], set()).add(face_id)
    labels = [label.id for label in _labels_on(store, index, by_media) if label.person != forgotten]
    label_documents.delete(store, labels)
    for media_id, gone in by_media.items():
        _unlist(store, media_id, gone)
    _delete_in_every_version(
        store,
        lambda version: store.write(Action("delete", version, face_id) for face_id in present),
    )
    touch(store, by_media)
    settle(store, index, list(by_media))
    return Deleted(faces=len(present), labels=len(labels))


def forget_person(store: Store, name: str) -> Deleted:
    """Delete a person's faces with the labels on them, and the person's other labels.

    Until none is found: others may add some meanwhile. Raises NotFound if there never were any.
    """
    deleted = Deleted()
    for attempt in range(media_documents.ATTEMPTS):
        of_round = _forget_found(store, name)
        if of_round is None and attempt == 0:
            raise nobody_named(name)
        if of_round is None:
            return deleted
        deleted = _sum(deleted, of_round)
    raise _others_add(store)


def _forget_found(store: Store, name: str) -> Deleted | None:
    """Delete what is found of a person; None if that is nothing.

    What has the name in the live version goes last, the labels after the faces: so a deletion that
    was cut short can be asked for again, until nothing of the person is left.
    """
    index = versions.live(store).index
    named = queries.any_of("person_key", [exact_key(name)])
    labels = label_documents.listed(store, persons=[name])
    # No label goes without its face, which others may not have named yet.
    settle(store, index, [label.media_id for label in labels])
    faces = face_documents.ids_of_person(store, index, name)
    elsewhere = {
        face_id
        for version in versions.versions(store)
        if version.index != index
        for face_id in face_documents.ids_of_person(store, version.index, name)
    }
    if not faces and not labels and not elsewhere:
        return None
    _delete_in_every_version(
        store,
        lambda version: _delete_found(store, version, named, face_documents.ORDER),
        but=index,
    )
    deleted = delete_faces(store, faces, forgotten=name)
    others = label_documents.delete(store, [label.id for label in labels])
    touch(store, others)
    settle(store, index, list(others))
    return Deleted(faces=len(elsewhere.union(faces)), labels=deleted.labels + sum(others.values()))


def _delete_in_every_version(
    store: Store, delete: Callable[[str], object], *, but: str = ""
) -> None:
    """Run a deletion, which can be repeated, on each faces index but one."""
    with writable(store) as indices:
        for index in indices:
            if index != but:
                _delete_despite_others(store, index, delete)


def _delete_despite_others(store: Store, index: str, delete: Callable[[str], object]) -> None:
    """Run a deletion on an index; others may make a kept one read-only again when they are done."""
    for _ in range(media_documents.ATTEMPTS):
        try:
            delete(index)
            return
        except IndexBlocked as blocked:
            if all(version.index != index for version in versions.old(store)):
                raise
            last = blocked
        allow_writes(store, index)
    raise last


def _faces_of(store: Store, known: Mapping[str, Document]) -> list[str]:
    """Return the ids of the faces that media have in the live version."""
    of_media = segment_documents.face_ids_of_all(store, known)
    listed = [face_id for face_ids in of_media.values() for face_id in face_ids]
    return list(store.get_many(store.faces, listed, includes=["face_id"]))


def _labels_on(store: Store, index: str, by_media: Mapping[str, Collection[str]]) -> list[Label]:
    """Return the labels that lie on faces."""
    found = []
    labels = label_documents.of_media(store, list(by_media))
    for media_id, of_media in labels.items():
        ids = segment_documents.face_ids_of(store, media_id)
        faces = list(face_documents.get_many(store, index, ids).values())
        for label in of_media:
            face = find_face(faces, label)
            if face is not None and face.id in by_media[media_id]:
                found.append(label)
    return found


def _unlist(store: Store, media_id: str, gone: Collection[str]) -> None:
    """Take faces off the lists of a media's segments, with their tracks."""
    for _ in media_documents.attempts():
        media = store.get(store.media, media_id)
        actions = []
        for document in segment_documents.of_document(store, media).values():
            source = document.source
            kept = [face_id for face_id in source["face_ids"] if face_id not in gone]
            if len(kept) < len(source["face_ids"]):
                tracks = segment_documents.from_document(document).tracks
                changed = {
                    **source,
                    "face_ids": kept,
                    "tracks": segment_documents.packed(
                        without_faces(tracks, set(gone)) if tracks else b""
                    ),
                }
                actions.append(segment_documents.replaced(store, document, changed))
        if not store.write(actions):
            return
    raise media_documents.contended(media_id)


def _delete_found(store: Store, index: str, query: dict[str, Any], order: Sequence[str]) -> None:
    """Delete what a search finds, until it finds nothing."""
    for _ in range(media_documents.ATTEMPTS):
        store.visible(index, always=True)
        ids = store.ids(index, query, order)
        if not ids:
            return
        store.write(Action("delete", index, doc_id) for doc_id in ids)
    raise _others_add(store)


def _others_add(store: Store) -> IndexFailure:
    return IndexFailure(
        f"Others keep adding to what is being deleted from {store.connection.location.text}. "
        "Stop them, and delete again."
    )
