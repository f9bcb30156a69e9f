"""Collections on the cluster that is measured, deleted when a measurement ends."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.elasticsearch.gallery import INDEXED_AT
from indexer.engines import open_index
from indexer.engines.elastic import faces as face_documents
from indexer.engines.elastic import media as media_documents
from indexer.engines.elastic import picture_links, purging, versions
from indexer.engines.elastic.bulk import Action
from indexer.engines.elastic.opening import open_store
from indexer.settings import ElasticsearchSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.elasticsearch.gallery import Gallery
    from indexer.engines.base import Index
    from indexer.engines.elastic.store import Store
    from indexer.records import Media

APPEARANCE = ("appearance_id", "appearance_start_s", "appearance_end_s")


@dataclass(frozen=True)
class Collection:
    """An empty collection with a model: the contract's object, the engine's, the faces' index."""

    index: Index
    store: Store
    faces: str
    settings: ElasticsearchSettings

    @property
    def segments(self) -> int:
        """How many searchable segments the faces' index has: each is searched by itself."""
        answer = self.store.connection.client.indices.segments(index=self.faces)
        (copies,) = answer["indices"][self.faces]["shards"].values()
        return sum(segment["search"] for segment in copies[0]["segments"].values())

    @property
    def size_mb(self) -> float:
        """The bytes of the faces' index on disk."""
        answer = self.store.connection.client.indices.stats(index=self.faces, metric=["store"])
        return float(answer["indices"][self.faces]["primaries"]["store"]["size_in_bytes"]) / 1e6


@contextmanager
def new_collection(
    url: str, gallery: Gallery, vector_type: Any, *, first_load: bool = False
) -> Iterator[Collection]:
    """Make a collection for a gallery's model, and delete it at the end."""
    settings = ElasticsearchSettings(
        replicas=0, vector_type=vector_type, timeout_s=300.0, first_load=first_load
    )
    name = f"bench{secrets.token_hex(4)}"
    location = f"elasticsearch://{url.partition('//')[2]}/{name}"
    with open_index(location, create=True, settings=settings) as index:
        store = open_store(location, settings, create=False)
        client = store.connection.client
        try:
            index.adopt_model(gallery.model)
            yield Collection(index, store, versions.live(store).index, settings)
        finally:
            client.indices.delete(index=list(client.indices.get(index=f"{name}-*").body))
            client.indices.delete_index_template(name=f"{name}-*")
            store.connection.close()


def documents(gallery: Gallery) -> Iterator[dict[str, Any]]:
    """Yield the faces as documents with names and appearances: as they are once linked.

    Nothing signs the links to their pictures here, so these are empty.
    """
    empty = dict.fromkeys(picture_links.FIELDS)
    fields = {media.id: _media_document(media) for media in gallery.all_media()}
    for face in gallery.faces():
        yield face_documents.to_document(
            face, face.vector, fields[face.media_id], face.person, INDEXED_AT
        ) | {**empty, **{field: getattr(face, field) for field in APPEARANCE}}


def fill(collection: Collection, gallery: Gallery) -> None:
    """Write the videos and their faces as they are once linked, each in one bulk."""
    store = collection.store
    linked = {"state": "done", "segment_numbers": [], "other_face_ids": []}
    store.write(
        Action("index", store.media, media.id, _media_document(media) | linked)
        for media in gallery.all_media()
    )
    store.write(
        Action("create", collection.faces, document["face_id"], document)
        for document in documents(gallery)
    )


def merge(collection: Collection) -> None:
    """Merge into one segment, as `sightings optimize` does once nothing deleted is left."""
    purging.merge(collection.store, collection.faces)
    collection.index.refresh()


def _media_document(media: Media) -> dict[str, Any]:
    return media_documents.to_document(media) | media_documents.with_paths(media.id, media.paths)
