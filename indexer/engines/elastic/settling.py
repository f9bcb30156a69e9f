"""Making the faces of media say what the records say: names from labels, paths from the media.

There are no transactions over documents, so what decides (labels, a media's paths) is written
first, then the media's document is touched, then its faces are settled. A settling that finds the
media touched meanwhile begins again; so whoever comes last has seen everything.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from indexer.engines.elastic import faces as face_documents
from indexer.engines.elastic import media as media_documents
from indexer.engines.elastic import segments as segment_documents
from indexer.engines.elastic import versions
from indexer.engines.elastic.bulk import Action
from indexer.engines.elastic.labels import of_media as labels_of
from indexer.labels import persons_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from indexer.engines.elastic.store import Document, Store
    from indexer.records import Label


def touch(store: Store, media_ids: Iterable[str]) -> None:
    """Tell all who work on these media that something of them has changed."""
    store.write(
        Action("update", store.media, media_id, {"touched": secrets.token_hex(8)}, missing_ok=True)
        for media_id in media_ids
    )


def settle_live(store: Store, media_ids: Sequence[str], *, without: Collection[str] = ()) -> None:
    """Settle faces of the live version."""
    if media_ids:
        settle(store, versions.live(store).index, media_ids, without=without)


def settle(
    store: Store, index: str, media_ids: Sequence[str], *, without: Collection[str] = ()
) -> None:
    """Give the faces of media their names and paths as they are recorded now.

    without: ids of labels that are about to be deleted.
    """
    due = list(dict.fromkeys(media_ids))
    for _ in range(media_documents.ATTEMPTS):
        if not due:
            return
        due = [
            media_id
            for start in range(0, len(due), 100)
            for media_id in _settle(store, index, due[start : start + 100], without)
        ]
    raise media_documents.contended(due[0])


def _settle(
    store: Store, index: str, media_ids: Sequence[str], without: Collection[str]
) -> list[str]:
    """Settle some media; return those that changed meanwhile."""
    before = store.get_many(store.media, media_ids)
    labels = labels_of(store, list(before))
    for media_id, document in before.items():
        segments = segment_documents.of_document(store, document)
        ids = segment_documents.face_ids(document, segments)
        found = face_documents.documents(store, index, ids)
        of_media = [label for label in labels.get(media_id, []) if label.id not in without]
        store.write(renamed(index, found, document.source, of_media))
    after = store.get_many(store.media, list(before), includes=["media_id"])
    return [i for i in after if (after[i].seq_no, after[i].term) != _state(before[i])]


def _state(document: Document) -> tuple[int, int]:
    return document.seq_no, document.term


def renamed(
    index: str,
    found: Mapping[str, Document],
    media: Mapping[str, Any],
    labels: Sequence[Label],
) -> list[Action]:
    """Return the updates that give faces their names and their media's fields."""
    faces = [face_documents.from_source(document.source) for document in found.values()]
    persons = persons_of(faces, labels)
    actions = []
    for face in faces:
        wanted = {
            **face_documents.person_fields(persons[face.id]),
            **face_documents.media_fields(media),
        }
        source = found[face.id].source
        changes = {field: value for field, value in wanted.items() if source.get(field) != value}
        if changes:
            actions.append(Action("update", index, face.id, changes, missing_ok=True))
    return actions
