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
from indexer.engines.elastic.store import PAGE
from indexer.engines.elastic.values import batches
from indexer.labels import persons_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from indexer.engines.elastic.store import Document, Store
    from indexer.records import Label

MEDIA_TOGETHER = 100
"""Media settled at once; their faces are read and written in parts of about a page."""


def touch(store: Store, media_ids: Iterable[str]) -> None:
    """Tell all who work on these media that something of them has changed.

    A touch that meets another change of the media is none the less seen, by that change.
    """
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
    for _ in media_documents.attempts():
        if not due:
            return
        due = [
            media_id
            for part in batches(due, MEDIA_TOGETHER)
            for media_id in _settle(store, index, part, without)
        ]
    raise media_documents.contended(due[0])


def _settle(
    store: Store, index: str, media_ids: Sequence[str], without: Collection[str]
) -> list[str]:
    """Settle some media; return those of which something changed meanwhile."""
    before = store.get_many(store.media, media_ids)
    labels = labels_of(store, list(before))
    changed: set[str] = set()
    for listed in _together(segment_documents.face_ids_of_all(store, before)):
        ids = [face_id for of_media in listed.values() for face_id in of_media]
        found = face_documents.documents(store, index, ids)
        actions = []
        for media_id, of_media in listed.items():
            faces = {face_id: found[face_id] for face_id in of_media if face_id in found}
            current = [label for label in labels.get(media_id, []) if label.id not in without]
            wanted = named_fields(faces, before[media_id].source, current)
            actions += updates(index, faces, wanted)
        changed |= {found[action.id].source["media_id"] for action in store.write(actions)}
    after = store.get_many(store.media, list(before), includes=["media_id"])
    return [i for i in after if i in changed or _state(after[i]) != _state(before[i])]


def _together(listed: Mapping[str, list[str]]) -> Iterator[dict[str, list[str]]]:
    """Yield the media's lists of faces in parts that are read and written at once."""
    part: dict[str, list[str]] = {}
    for media_id, face_ids in listed.items():
        part[media_id] = face_ids
        if sum(map(len, part.values())) >= PAGE:
            yield part
            part = {}
    if part:
        yield part


def _state(document: Document) -> tuple[int, int]:
    return document.seq_no, document.term


def named_fields(
    found: Mapping[str, Document], media: Mapping[str, Any], labels: Sequence[Label]
) -> dict[str, dict[str, Any]]:
    """Return the fields that a media's faces have from labels and from the media, by face id."""
    faces = [face_documents.from_source(document.source) for document in found.values()]
    persons = persons_of(faces, labels)
    of_media = face_documents.media_fields(media)
    return {
        face.id: {**face_documents.person_fields(persons[face.id]), **of_media} for face in faces
    }


def updates(
    index: str, found: Mapping[str, Document], wanted: Mapping[str, Mapping[str, Any]]
) -> list[Action]:
    """Return the updates that give faces their fields, each only if the face is as it was found."""
    actions = []
    for face_id, fields in wanted.items():
        face = found[face_id]
        changes = {name: value for name, value in fields.items() if face.source.get(name) != value}
        if changes:
            state = (face.seq_no, face.term)
            actions.append(Action("update", index, face_id, changes, *state, missing_ok=True))
    return actions
