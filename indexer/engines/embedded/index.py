"""The embedded engine's Index: each method is one transaction around functions on rows."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from indexer.engines.embedded import blocks, linking, packing, search, statistics, versions
from indexer.engines.embedded import faces as face_rows
from indexer.engines.embedded import labels as label_rows
from indexer.engines.embedded import media as media_rows
from indexer.engines.embedded import segments as segment_rows
from indexer.engines.embedded.connection import Database
from indexer.engines.embedded.values import BATCH, batches, to_blob
from indexer.engines.embedded.vectors import VectorTable
from indexer.engines.embedded.version_index import VersionIndex
from indexer.records import Deleted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np

    from indexer.records import (
        Face,
        Filters,
        Label,
        Media,
        MediaFile,
        Person,
        Segment,
        SegmentCounts,
        SegmentSpan,
        SegmentState,
        State,
    )
    from indexer.results import Group, Hit
    from indexer.settings import AppearanceSettings


def open_embedded(
    location: str, *, create: bool = False, busy_timeout_s: float = 30.0
) -> EmbeddedIndex:
    """Open the index file at a path; `create` makes a new one if there is none.

    busy_timeout_s: how long to wait for another process's write lock before IndexLocked.
    """
    return EmbeddedIndex(Database(location, create=create, busy_timeout_s=busy_timeout_s))


class EmbeddedIndex(VersionIndex):
    """One SQLite file; threads may share an object, processes each open their own.

    Its methods are documented in the contract, `indexer.engines.base.Index`. Iterators read in
    parts, so that a slow consumer holds up nobody; they give what there was when they began,
    less what was deleted meanwhile.
    """

    def __init__(self, database: Database, table: VectorTable | None = None) -> None:
        self._db = database
        self._table = table or VectorTable()

    def close(self) -> None:
        self._db.close()

    def refresh(self) -> None:
        with self._db.reading() as connection:
            self._table.refresh(connection)

    # --- media and their files ---------------------------------------------------------------

    def get_media(self, media_id: str) -> Media | None:
        with self._db.reading() as connection:
            return media_rows.get(connection, media_id)

    def iter_media(
        self,
        filters: Filters | None = None,
        *,
        states: Sequence[State] = (),
        batch: str | None = None,
        after: tuple[str, str] | None = None,
    ) -> Iterator[Media]:
        with self._db.reading() as connection:
            ids = media_rows.matching(connection, filters, states, batch, after)
        for part in batches(ids):
            with self._db.reading() as connection:
                found = media_rows.get_many(connection, part)
            yield from (found[media_id] for media_id in part if media_id in found)

    def find_file(self, path: str) -> MediaFile | None:
        with self._db.reading() as connection:
            return media_rows.find_file(connection, path)

    def put_file(self, file: MediaFile) -> None:
        with self._db.writing() as connection:
            media_rows.put_file(connection, file)

    def remove_file(self, path: str) -> None:
        with self._db.writing() as connection:
            media_rows.remove_file(connection, path)

    def iter_files(self) -> Iterator[MediaFile]:
        last = b""
        while True:
            with self._db.reading() as connection:
                files = media_rows.files_after(connection, last, BATCH)
            if not files:
                return
            yield from files
            last = to_blob(files[-1].path)

    def delete_media(self, media_ids: Sequence[str]) -> Deleted:
        if not media_ids:
            return Deleted()
        with self._deleting() as connection:
            return media_rows.delete(connection, media_ids)

    # --- segments: the job state -------------------------------------------------------------

    def start_media(self, media: Media, spans: Sequence[SegmentSpan]) -> None:
        working = replace(media, state="working", batch=None, queued_at=None)
        with self._db.writing() as connection:
            segment_rows.start(connection, working, spans)

    def claim_segment(
        self, media_id: str, *, owner: str, lease_s: float, max_attempts: int
    ) -> Segment | None:
        with self._db.writing() as connection:
            return segment_rows.claim(
                connection, media_id, owner=owner, lease_s=lease_s, max_attempts=max_attempts
            )

    def renew_claim(self, segment: Segment, *, lease_s: float) -> None:
        with self._db.writing() as connection:
            segment_rows.renew(connection, segment, lease_s=lease_s)

    def claim_owners(self) -> tuple[str, ...]:
        with self._db.reading() as connection:
            return segment_rows.owners(connection)

    def release_claims(self, owner: str, *, forgive: bool = False) -> int:
        with self._db.writing() as connection:
            return segment_rows.release(connection, owner, forgive=forgive)

    def finish_segment(
        self, segment: Segment, faces: Sequence[Face], *, tracks: bytes, counts: SegmentCounts
    ) -> None:
        with self._db.writing() as connection:
            linking.finish_segment(connection, segment, faces, tracks=tracks, counts=counts)

    def fail_segment(self, segment: Segment, error: str) -> None:
        with self._db.writing() as connection:
            segment_rows.mark_failed(connection, segment, error)

    def list_segments(self, media_id: str, *, states: Sequence[SegmentState] = ()) -> list[Segment]:
        with self._db.reading() as connection:
            return segment_rows.of_media(connection, media_id, states)

    def link_appearances(
        self, media_id: str, settings: AppearanceSettings, *, warnings: Sequence[str] = ()
    ) -> Media:
        with self._db.writing() as connection:
            media = linking.link_appearances(connection, media_id, settings, warnings)
        packing.pack(self._db, at_least=packing.MANY, at_most=packing.MANY)
        return media

    # --- faces -------------------------------------------------------------------------------

    def get_face(self, face_id: str) -> Face | None:
        with self._db.reading() as connection:
            version = versions.live(connection)
            return face_rows.by_id(
                connection, face_id, version=None if version is None else version.number
            )

    def thumbnail(self, face_id: str) -> bytes | None:
        with self._db.reading() as connection:
            return face_rows.thumbnail(connection, face_id)

    def iter_faces(
        self, filters: Filters | None = None, *, embeddings: bool = False
    ) -> Iterator[Face]:
        with self._db.reading() as connection:
            numbers = face_rows.matching(connection, filters, in_order=True)
        return self._faces(numbers, embeddings=embeddings)

    def _faces(self, numbers: Sequence[int], *, embeddings: bool) -> Iterator[Face]:
        for part in batches(numbers):
            with self._db.reading() as connection:
                version = versions.live(connection) if embeddings else None
                found = face_rows.fetch(
                    connection, part, version=None if version is None else version.number
                )
            yield from (found[number] for number in part if number in found)

    def search(self, vector: np.ndarray, k: int, filters: Filters | None = None) -> list[Hit]:
        with self._db.reading() as connection:
            return search.best_faces(connection, self._table, vector, k, filters)

    def search_groups(
        self,
        vectors: np.ndarray,
        groups: int,
        filters: Filters | None = None,
        *,
        min_score: float = -1.0,
        span_score: float = -1.0,
    ) -> list[Group]:
        with self._db.reading() as connection:
            return search.best_media(
                connection,
                self._table,
                vectors,
                groups,
                filters,
                min_score=min_score,
                span_score=span_score,
            )

    def count(self, filters: Filters | None = None) -> int:
        with self._db.reading() as connection:
            return face_rows.count(connection, filters)

    def delete_faces(self, face_ids: Sequence[str]) -> Deleted:
        if not face_ids:
            return Deleted()
        with self._deleting() as connection:
            return label_rows.delete_faces(connection, face_ids)

    # --- names -------------------------------------------------------------------------------

    def label(self, labels: Iterable[Label]) -> tuple[Label, ...]:
        listed = list(labels)
        with self._db.writing(to_disk=True) as connection:
            return label_rows.store(connection, listed)

    def delete_labels(self, label_ids: Iterable[str]) -> int:
        listed = list(label_ids)
        with self._db.writing(to_disk=True) as connection:
            return label_rows.delete(connection, listed)

    def list_labels(
        self, media_ids: Sequence[str] = (), persons: Sequence[str] = ()
    ) -> list[Label]:
        with self._db.reading() as connection:
            return label_rows.listed(connection, media_ids, persons)

    def list_people(self) -> list[Person]:
        with self._db.reading() as connection:
            return label_rows.people(connection)

    def rename_person(self, old: str, new: str) -> int:
        with self._db.writing(to_disk=True) as connection:
            return label_rows.rename(connection, old, new)

    def forget_person(self, name: str) -> Deleted:
        with self._deleting() as connection:
            return label_rows.forget(connection, name)

    # --- another model beside the live one ---------------------------------------------------

    def unembedded_faces(self, model_key: str) -> Iterator[Face]:
        with self._db.reading() as connection:
            version = versions.building(connection, model_key)
            numbers = face_rows.without_vector(connection, version.number)
        return self._faces(numbers, embeddings=False)

    # --- upkeep ------------------------------------------------------------------------------

    @contextmanager
    def loading(self) -> Iterator[None]:
        yield
        packing.pack(self._db)

    def optimize(self) -> None:
        with self._deleting() as connection:
            if version := versions.live(connection):
                blocks.drop_damaged(connection, version.number, version.model.dimensions)
            connection.execute("PRAGMA optimize")

    def stats(self) -> dict[str, int | str]:
        with self._db.reading() as connection:
            counted = statistics.collect(connection, self._db.path)
        return counted | {"search": self._table.coding.name}
