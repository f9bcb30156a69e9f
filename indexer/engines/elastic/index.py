"""The Elasticsearch engine's Index: each method is a few requests around functions on documents."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar, cast

from indexer.engines.checks import query_vectors
from indexer.engines.elastic import (
    deletion,
    linking,
    naming,
    picture_links,
    purging,
    rebuilding,
    replacing,
    versions,
)
from indexer.engines.elastic import faces as face_documents
from indexer.engines.elastic import files as file_documents
from indexer.engines.elastic import filters as queries
from indexer.engines.elastic import labels as label_documents
from indexer.engines.elastic import loading as first_load
from indexer.engines.elastic import media as media_documents
from indexer.engines.elastic import statistics as store_statistics
from indexer.engines.elastic.job_index import JobIndex
from indexer.engines.elastic.opening import open_store
from indexer.engines.elastic.search import Searcher
from indexer.engines.elastic.settling import settle_live
from indexer.engines.elastic.store import PAGE
from indexer.records import Deleted, Filters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    import numpy as np

    from indexer.engines.elastic.store import Store
    from indexer.links import PictureLinks
    from indexer.records import (
        Face,
        Label,
        Media,
        MediaFile,
        ModelIdentity,
        Person,
        Segment,
        SegmentCounts,
        State,
        Thresholds,
    )
    from indexer.results import Group, Hit
    from indexer.settings import AppearanceSettings, ElasticsearchSettings

    T = TypeVar("T")


def open_elastic(
    location: str,
    *,
    create: bool = False,
    settings: ElasticsearchSettings,
    links: PictureLinks | None = None,
) -> ElasticIndex:
    """Open the collection at elasticsearch://HOST:PORT/NAME; `create` makes one if there is none.

    links: sign those that documents carry; None: they carry none.
    Raises UsageError for a location of another form, IndexFailure if it cannot be opened.
    """
    return ElasticIndex(open_store(location, settings, create=create, links=links), settings)


class ElasticIndex(JobIndex):
    """A collection of indices on a cluster; threads may share an object.

    Its methods are documented in the contract, `indexer.engines.base.Index`.
    """

    def __init__(self, store: Store, settings: ElasticsearchSettings) -> None:
        self._store = store
        self._settings = settings

    def close(self) -> None:
        self._store.connection.close()

    def refresh(self) -> None:
        self._store.visible(*self._store.aliases, always=True)

    # --- the embedding model -----------------------------------------------------------------

    @property
    def model(self) -> ModelIdentity | None:
        return versions.live(self._store).model

    def adopt_model(self, model: ModelIdentity) -> None:
        versions.adopt(self._store, model, self._settings)

    def set_thresholds(self, model_key: str, thresholds: Thresholds | None) -> None:
        versions.set_thresholds(self._store, model_key, thresholds)

    # --- media and their files ---------------------------------------------------------------

    def get_media(self, media_id: str) -> Media | None:
        return media_documents.get_many(self._store, [media_id]).get(media_id)

    def iter_media(
        self,
        filters: Filters | None = None,
        *,
        states: Sequence[State] = (),
        batch: str | None = None,
        after: tuple[str, str] | None = None,
    ) -> Iterator[Media]:
        return self._media(media_documents.matching(self._store, filters, states, batch, after))

    def _media(self, ids: Iterator[str]) -> Iterator[Media]:
        while part := list(islice(ids, PAGE)):
            found = media_documents.get_many(self._store, part)
            yield from (found[media_id] for media_id in part if media_id in found)

    def find_file(self, path: str) -> MediaFile | None:
        return file_documents.find_file(self._store, path)

    def put_file(self, file: MediaFile) -> None:
        self._when_writable(
            lambda: settle_live(self._store, file_documents.place_file(self._store, file))
        )
        file_documents.store_file(self._store, file)

    def remove_file(self, path: str) -> None:
        self._when_writable(
            lambda: settle_live(self._store, file_documents.take_path(self._store, path))
        )
        file_documents.forget_file(self._store, path)

    def iter_files(self) -> Iterator[MediaFile]:
        return file_documents.iter_files(self._store)

    def delete_media(self, media_ids: Sequence[str]) -> Deleted:
        if not media_ids:
            return Deleted()
        return self._purged(lambda: deletion.delete_media(self._store, media_ids))

    # --- segments: the job state -------------------------------------------------------------

    def finish_segment(
        self, segment: Segment, faces: Sequence[Face], *, tracks: bytes, counts: SegmentCounts
    ) -> None:
        self._when_writable(
            lambda: linking.finish_segment(
                self._store, segment, faces, tracks=tracks, counts=counts
            )
        )

    def link_appearances(
        self, media_id: str, settings: AppearanceSettings, *, warnings: Sequence[str] = ()
    ) -> Media:
        return self._when_writable(
            lambda: linking.link_appearances(self._store, media_id, settings, warnings)
        )

    # --- faces -------------------------------------------------------------------------------

    def get_face(self, face_id: str) -> Face | None:
        found = face_documents.get_many(self._store, self._store.faces, [face_id], embeddings=True)
        return found.get(face_id)

    def thumbnail(self, face_id: str) -> bytes | None:
        return face_documents.thumbnail(self._store, face_id)

    def iter_faces(
        self, filters: Filters | None = None, *, embeddings: bool = False
    ) -> Iterator[Face]:
        index = versions.live(self._store).index
        media_ids = filters.media_ids if filters else ()
        if len(media_ids) == 1 and filters == Filters(media_ids=media_ids):
            # A media's faces are known without a search, which would have to refresh all faces.
            return iter(face_documents.of_media(self._store, media_ids[0], embeddings=embeddings))
        return face_documents.iterate(self._store, index, filters, embeddings=embeddings)

    def search(self, vector: np.ndarray, k: int, filters: Filters | None = None) -> list[Hit]:
        searcher, vectors = self._searcher(vector[None])
        if k <= 0 or searcher is None or len(vectors) == 0:
            return []
        return searcher.best_faces(vectors[0], k, filters)

    def search_groups(
        self,
        vectors: np.ndarray,
        groups: int,
        filters: Filters | None = None,
        *,
        min_score: float = -1.0,
        span_score: float = -1.0,
    ) -> list[Group]:
        searcher, checked = self._searcher(vectors)
        if groups <= 0 or searcher is None or len(checked) == 0:
            return []
        return searcher.best_media(
            checked, groups, filters, min_score=min_score, span_score=span_score
        )

    def _searcher(self, vectors: np.ndarray) -> tuple[Searcher | None, np.ndarray]:
        version = versions.live(self._store)
        checked = query_vectors(vectors, version.model)
        if version.model is None:
            return None, checked
        self._store.visible(self._store.faces)
        faces = self._store.count(version.index)
        settings = replace(self._settings, vector_type=cast("Any", version.vector_type))
        return Searcher(self._store, version.index, settings, faces=faces), checked

    def count(self, filters: Filters | None = None) -> int:
        self._store.visible(self._store.faces)
        return self._store.count(self._store.faces, queries.of_faces(filters))

    def delete_faces(self, face_ids: Sequence[str]) -> Deleted:
        if not face_ids:
            return Deleted()
        return self._purged(lambda: deletion.delete_faces(self._store, face_ids))

    # --- names -------------------------------------------------------------------------------

    def label(self, labels: Iterable[Label]) -> tuple[Label, ...]:
        listed = list(labels)
        return self._when_writable(lambda: naming.label(self._store, listed))

    def finish_naming(self, media_ids: Sequence[str]) -> None:
        self._when_writable(lambda: naming.finish_naming(self._store, media_ids))

    def delete_labels(self, label_ids: Iterable[str]) -> int:
        ids = set(label_ids)
        return self._when_writable(lambda: naming.delete_labels(self._store, ids))

    def list_labels(
        self, media_ids: Sequence[str] = (), persons: Sequence[str] = ()
    ) -> list[Label]:
        return label_documents.listed(self._store, media_ids, persons)

    def list_people(self) -> list[Person]:
        return label_documents.people(self._store, versions.live(self._store).index)

    def rename_person(self, old: str, new: str) -> int:
        return self._when_writable(lambda: naming.rename(self._store, old, new))

    def forget_person(self, name: str) -> Deleted:
        return self._purged(lambda: deletion.forget_person(self._store, name))

    # --- another model beside the live one ---------------------------------------------------

    def begin_version(self, model: ModelIdentity) -> None:
        rebuilding.begin(self._store, model, self._settings)

    def unembedded_faces(self, model_key: str) -> Iterator[Face]:
        return rebuilding.unembedded(self._store, model_key)

    def put_vectors(self, model_key: str, vectors: Mapping[str, np.ndarray]) -> None:
        rebuilding.put_vectors(self._store, model_key, vectors)

    def activate_version(self, model_key: str) -> None:
        replacing.activate(self._store, model_key)

    def drop_old_versions(self) -> int:
        return rebuilding.drop_old(self._store)

    # --- upkeep ------------------------------------------------------------------------------

    def loading(self) -> AbstractContextManager[None]:
        return first_load.loading(self._store) if self._settings.first_load else nullcontext()

    def optimize(self) -> None:
        first_load.end(self._store, even_held=True)
        purging.expunge(self._store, wait_s=self._settings.expunge_s)
        purging.merge(self._store, versions.live(self._store).index)

    def renew_links(self) -> int:
        return picture_links.renew(self._store, self._when_writable)

    def stats(self) -> dict[str, int | str]:
        return store_statistics.collect(self._store)
