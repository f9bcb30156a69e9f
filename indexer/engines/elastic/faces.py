"""Faces as documents, with their thumbnails and vectors."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from indexer.engines.elastic import filters as queries
from indexer.engines.elastic import segments as segment_documents
from indexer.engines.elastic.media import OF_FACES
from indexer.engines.elastic.store import PAGE_OF_VECTORS
from indexer.engines.elastic.values import (
    exact_key,
    from_date,
    from_text,
    from_vector,
    to_date,
    to_text,
    to_vector,
)
from indexer.records import Face

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import numpy as np

    from indexer.engines.elastic.store import Document, Store
    from indexer.records import Filters

ORDER = ["media_id", "timestamp_s", "face_id"]
"""The order of `iter_faces`, by fields of a face that never change."""

NOT_LISTED = [
    "thumbnail",
    "embedding",
    "file_name_keys",
    "folder_keys",
    "thumbnail_url",
    "frame_url",
]
"""Fields that no listed face carries."""


def to_document(
    face: Face,
    vector: np.ndarray,
    media: Mapping[str, Any],
    person: str | None,
    indexed_at: datetime,
) -> dict[str, Any]:
    """Return a face as a new document, with what it takes over from its media's."""
    return {
        "face_id": face.id,
        "media_id": face.media_id,
        **media_fields(media),
        "segment": int(face.segment),
        "frame_index": int(face.frame_index),
        "timestamp_s": float(face.timestamp_s),
        "box": [*map(float, face.box_xyxy)],
        "landmarks": [[float(x), float(y)] for x, y in face.landmarks_xy],
        "frame_width": int(face.frame_width),
        "frame_height": int(face.frame_height),
        "probability": float(face.probability),
        "face_px": float(face.face_px),
        "sharpness": float(face.sharpness),
        "model": face.model,
        **person_fields(person),
        **appearance_fields(None),
        "indexed_at": to_date(indexed_at),
        "embedding": to_vector(vector),
        "thumbnail": base64.b64encode(face.thumbnail or b"").decode(),
    }


def media_fields(media: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that a face takes over from its media's document."""
    return {field: media.get(field) for field in OF_FACES}


def person_fields(person: str | None) -> dict[str, Any]:
    """Return a name as fields of a face or label."""
    if person is None:
        return {"person": None, "person_key": None}
    return {"person": to_text(person), "person_key": exact_key(person)}


def appearance_fields(appearance: tuple[str, float, float] | None) -> dict[str, Any]:
    """Return an appearance (id, start_s, end_s) as fields of a face."""
    appearance_id, start_s, end_s = appearance or (None, None, None)
    return {
        "appearance_id": appearance_id,
        "appearance_start_s": start_s,
        "appearance_end_s": end_s,
    }


def from_source(source: Mapping[str, Any]) -> Face:
    """Return a face as it is stored, with the embedding if that was asked for."""
    person, embedding = source["person"], source.get("embedding")
    x1, y1, x2, y2 = source["box"]
    return Face(
        id=source["face_id"],
        media_id=source["media_id"],
        segment=source["segment"],
        frame_index=source["frame_index"],
        timestamp_s=source["timestamp_s"],
        box_xyxy=(x1, y1, x2, y2),
        landmarks_xy=tuple((x, y) for x, y in source["landmarks"]),
        frame_width=source["frame_width"],
        frame_height=source["frame_height"],
        probability=source["probability"],
        face_px=source["face_px"],
        sharpness=source["sharpness"],
        model=source["model"],
        person=None if person is None else from_text(person),
        appearance_id=source["appearance_id"],
        appearance_start_s=source["appearance_start_s"],
        appearance_end_s=source["appearance_end_s"],
        indexed_at=from_date(source["indexed_at"]),
        embedding=None if embedding is None else from_vector(embedding),
    )


def get_many(
    store: Store, index: str, ids: Sequence[str], *, embeddings: bool = False
) -> dict[str, Face]:
    """Return those faces that exist, by id, as they are now."""
    found = documents(store, index, ids, embeddings=embeddings)
    return {face_id: from_source(document.source) for face_id, document in found.items()}


def of_media(store: Store, media_id: str, *, embeddings: bool = False) -> list[Face]:
    """Return a media's faces in order, as they are now."""
    ids = segment_documents.face_ids_of(store, media_id)
    found = get_many(store, store.faces, ids, embeddings=embeddings)
    return sorted(found.values(), key=lambda face: (face.timestamp_s, face.id))


def documents(
    store: Store, index: str, ids: Sequence[str], *, embeddings: bool = False
) -> dict[str, Document]:
    """Return those faces' documents that exist, by id, without thumbnails."""
    return store.get_many(
        index,
        ids,
        excludes=["thumbnail"] if embeddings else ["thumbnail", "embedding"],
        vectors=embeddings,
    )


def ids_of_person(store: Store, index: str, person: str) -> list[str]:
    """Return the ids of the faces that carry a name, whoever named them."""
    store.visible(index, always=True)
    return store.ids(index, queries.any_of("person_key", [exact_key(person)]), ORDER)


def thumbnail(store: Store, face_id: str) -> bytes | None:
    """Return a face's thumbnail, or None."""
    document = store.get(store.faces, face_id, includes=["thumbnail"])
    return None if document is None else base64.b64decode(document.source["thumbnail"])


def iterate(
    store: Store, index: str, filters: Filters | None, *, embeddings: bool = False
) -> Iterator[Face]:
    """Yield the faces that pass, in order, as they are when their page is reached."""
    excluded = [field for field in NOT_LISTED if not (embeddings and field == "embedding")]
    source: dict[str, Any] = {"source": {"excludes": excluded, "exclude_vectors": not embeddings}}
    if embeddings:
        source["page"] = PAGE_OF_VECTORS
    store.visible(store.faces)
    for hit in store.scan(index, queries.of_faces(filters), ORDER, **source):
        yield from_source(hit["_source"])
