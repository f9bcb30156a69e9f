"""Labelling, and what follows for the faces' names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.engines.checks import nobody_named
from indexer.engines.elastic import faces as face_documents
from indexer.engines.elastic import labels as label_documents
from indexer.engines.elastic import media as media_documents
from indexer.engines.elastic import segments as segment_documents
from indexer.engines.elastic import versions
from indexer.engines.elastic.settling import settle_live, touch
from indexer.engines.elastic.values import batches
from indexer.labels import unmatched

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from indexer.engines.elastic.store import Store
    from indexer.records import Label


def label(store: Store, labels: Iterable[Label]) -> tuple[Label, ...]:
    """Store labels, name faces, and return those that found none in a linked media."""
    by_media: dict[str, list[Label]] = {}
    for given in labels:
        by_media.setdefault(given.media_id, []).append(given)
    label_documents.store_labels(store, [one for some in by_media.values() for one in some])
    _rename_faces(store, list(by_media))
    lost: list[Label] = []
    for part in batches(list(by_media)):
        for media in media_documents.get_many(store, part).values():
            if media.state in ("done", "failed"):
                ids = segment_documents.face_ids_of(store, media.id)
                faces = face_documents.get_many(store, store.faces, ids)
                lost.extend(unmatched(list(faces.values()), by_media[media.id]))
    return tuple(lost)


def delete_labels(store: Store, label_ids: Iterable[str]) -> int:
    """Delete labels, rename the faces of their media, and return how many there were."""
    ids = set(label_ids)
    media_ids = label_documents.media_of(store, ids)
    # Names first: once the labels are gone, nobody could tell whose names to take back.
    settle_live(store, media_ids, without=ids)
    deleted = label_documents.delete(store, ids)
    _rename_faces(store, media_ids)
    return sum(deleted.values())


def rename(store: Store, old: str, new: str) -> int:
    """Rename a person, or merge it into another; return the number of faces renamed."""
    index = versions.live(store).index
    renamed = face_documents.ids_of_person(store, index, old)
    of_labels = label_documents.rename(store, old, new)
    if not of_labels and not renamed:
        raise nobody_named(old)
    faces = face_documents.get_many(store, index, renamed)
    _rename_faces(store, sorted(of_labels | {face.media_id for face in faces.values()}))
    return len(faces)


def finish_naming(store: Store, media_ids: Sequence[str]) -> None:
    """Name the faces of media by their labels, should that have been cut short before."""
    _rename_faces(store, media_ids)


def _rename_faces(store: Store, media_ids: Sequence[str]) -> None:
    touch(store, media_ids)
    settle_live(store, media_ids)
