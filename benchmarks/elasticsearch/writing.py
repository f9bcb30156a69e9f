"""Bulk writing: what the engine writes in a second, beside a bare loop around the client."""

from __future__ import annotations

import time
from base64 import b64encode
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from elasticsearch import Elasticsearch, OrjsonSerializer
from elasticsearch.helpers import bulk, pack_dense_vector

from benchmarks.elasticsearch.collections import APPEARANCE, documents, new_collection
from indexer.engines.elastic.bulk import Action, write_all
from indexer.engines.elastic.values import from_vector
from indexer.records import MediaFile, SegmentCounts, SegmentSpan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.elasticsearch.collections import Collection
    from benchmarks.elasticsearch.gallery import Gallery

CHUNK = 500


class Difference(Exception):
    """Two ways of writing left different documents."""


@dataclass(frozen=True)
class Writing:
    """Medians of one way of writing, and the share of the bare loop's rate, pair by pair."""

    vectors: str
    faces: int
    way: str
    rows_per_s: float
    least: float
    most: float
    percent_of_bare: float
    each_rows_per_s: list[float]


def measure_writing(
    url: str, gallery: Gallery, vector_type: str, repetitions: int
) -> list[Writing]:
    """Time every way once in each repetition, each first in turn, into collections of its own.

    The time ends when everything is searchable. One more repetition before warms the node up.
    Raises Difference unless all ways leave the same.
    """
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    for repetition in range(-1, repetitions):
        first = repetition % len(WAYS)
        contents = {}
        for way in [*WAYS][first:] + [*WAYS][:first]:
            with new_collection(url, gallery, vector_type) as collection:
                took_s = WAYS[way](url, collection, gallery)
                if repetition < 0:
                    contents[way] = _contents(collection)
                else:
                    rates[way].append(len(gallery) / took_s)
        if different := [way for way, of_way in contents.items() if of_way != contents[BARE]]:
            raise Difference(f"{', '.join(different)} left other documents than the {BARE}.")
    return [
        Writing(
            vector_type,
            len(gallery),
            way,
            median(of_way),
            min(of_way),
            max(of_way),
            100 * median(rate / bare for rate, bare in zip(of_way, rates[BARE], strict=True)),
            of_way,
        )
        for way, of_way in rates.items()
    ]


def bare_loop(url: str, collection: Collection, gallery: Gallery) -> float:
    """Write with the client's own helper, vectors and thumbnails packed on the way."""
    rows = list(_unpacked(gallery))
    # The client's lines of a bulk request are made by this serializer.
    with Elasticsearch(url, serializer=OrjsonSerializer(), request_timeout=300) as client:
        start_s = time.perf_counter()
        actions = (
            {
                "_op_type": "create",
                "_index": collection.faces,
                "_id": row[0]["face_id"],
                "_source": _packed(*row),
            }
            for row in rows
        )
        bulk(client, actions, chunk_size=CHUNK)
        client.indices.refresh(index=collection.faces)
        return time.perf_counter() - start_s


def through_write_all(url: str, collection: Collection, gallery: Gallery) -> float:  # noqa: ARG001
    """Write with the engine's bulk function, vectors and thumbnails packed on the way."""
    rows = list(_unpacked(gallery))
    start_s = time.perf_counter()
    write_all(
        collection.store.connection,
        (Action("create", collection.faces, row[0]["face_id"], _packed(*row)) for row in rows),
    )
    collection.store.connection.client.indices.refresh(index=collection.faces)
    return time.perf_counter() - start_s


def through_segments(url: str, collection: Collection, gallery: Gallery) -> float:  # noqa: ARG001
    """Finish one segment for each video, as indexing does: faces become documents on the way."""
    index = collection.index
    faces = list(gallery.faces())
    claimed = []
    for media in gallery.all_media():
        index.put_file(MediaFile(media.path, media.size_bytes, 1, media.id))
        index.start_media(media, [SegmentSpan(0)])
        segment = index.claim_segment(media.id, owner="benchmark", lease_s=3600, max_attempts=3)
        assert segment is not None
        claimed.append(segment)
    start_s = time.perf_counter()
    for number, segment in enumerate(claimed):
        of_segment = faces[number * gallery.video_faces :][: gallery.video_faces]
        counts = SegmentCounts(frames=15_000, key_frames=600, faces=len(of_segment))
        index.finish_segment(segment, of_segment, tracks=b"", counts=counts)
    collection.store.connection.client.indices.refresh(index=collection.faces)
    return time.perf_counter() - start_s


BARE = "bare client loop"
WAYS: dict[str, Callable[[str, Collection, Gallery], float]] = {
    BARE: bare_loop,
    "bulk.write_all": through_write_all,
    "Index.finish_segment": through_segments,
}


def _unpacked(gallery: Gallery) -> Iterator[tuple[dict[str, Any], Any, bytes]]:
    """Yield nameless documents less vector and thumbnail, with these as they are before packing."""
    empty = dict.fromkeys(["embedding", "thumbnail", "person", "person_key", *APPEARANCE])
    for face, document in zip(gallery.faces(), documents(gallery), strict=True):
        yield document | empty, face.vector, face.thumbnail or b""


def _packed(source: dict[str, Any], vector: Any, thumbnail: bytes) -> dict[str, Any]:
    packed = {"embedding": pack_dense_vector(vector), "thumbnail": b64encode(thumbnail).decode()}
    return source | packed


def _contents(collection: Collection) -> dict[str, Any]:
    """Return all documents of the faces' index, less when they were written."""
    everything = {"exclude_vectors": False}
    contents = {}
    for hit in collection.store.scan(
        collection.faces, {"match_all": {}}, ["face_id"], page=200, source=everything
    ):
        embedding = from_vector(hit["_source"].pop("embedding")).tobytes()
        del hit["_source"]["indexed_at"]
        contents[hit["_id"]] = (hit["_source"], embedding)
    return contents
