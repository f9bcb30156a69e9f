"""The links to pictures that media and faces carry, for readers of the index such as Kibana."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from indexer.engines.elastic import faces as face_documents
from indexer.engines.elastic import filters as queries
from indexer.engines.elastic import media as media_documents
from indexer.engines.elastic.bulk import CHUNK_DOCUMENTS, Action
from indexer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from indexer.engines.elastic.store import Store

    Links = Callable[[str], dict[str, str]]

FIELDS = ("thumbnail_url", "frame_url")


def of_face(store: Store, face_id: str) -> dict[str, str | None]:
    """Return the links of a face as fields of its document, empty without signing keys."""
    return {**dict.fromkeys(FIELDS), **(store.links.of_face(face_id) if store.links else {})}


def of_media(store: Store, media_id: str) -> dict[str, str | None]:
    """Return the links of a media as fields of its document, empty without signing keys."""
    return {**dict.fromkeys(FIELDS), **(store.links.of_media(media_id) if store.links else {})}


def renew(store: Store, when_writable: Callable[[Callable[[], int]], int]) -> int:
    """Give all media and live faces links by the first of the keys; return how many had others.

    when_writable: makes a change, which can be repeated, once the live faces can be written. What
    was signed by that key already is left alone, so that a run that was stopped goes on. A version
    being built takes the links over with what else changes. Raises UsageError without keys.
    """
    if store.links is None:
        raise UsageError(
            "There is no key to sign links with: set SIGHTINGS_API_SIGNING_KEYS, for the service "
            "and its workers, too."
        )
    store.visible(store.media, store.faces, always=True)
    renewed = 0
    for index, order, links in (
        (store.media, ["media_id"], store.links.of_media),
        (store.faces, face_documents.ORDER, store.links.of_face),
    ):
        due = _due(store, index, order, links)
        while part := list(islice(due, CHUNK_DOCUMENTS)):
            renewed += when_writable(lambda part=part: _write(store, part))  # type: ignore[misc]
    return renewed


def _due(store: Store, index: str, order: Sequence[str], links: Links) -> Iterator[Action]:
    source: dict[str, Any] = {"source": {"includes": list(FIELDS)}}
    for hit in store.scan(index, queries.EVERYTHING, order, **source):
        wanted = links(hit["_id"])
        if any(hit["_source"].get(name) != link for name, link in wanted.items()):
            yield Action("update", index, hit["_id"], wanted, missing_ok=True)


def _write(store: Store, actions: Sequence[Action]) -> int:
    due = list(actions)
    for _ in media_documents.attempts():
        due = store.write(due)
        if not due:
            return len(actions)
    raise media_documents.contended(due[0].id)
