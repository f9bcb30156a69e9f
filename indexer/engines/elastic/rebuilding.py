"""A faces index of another model, built beside the live one and put in its place in one step."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from indexer.engines.checks import unit_vector
from indexer.engines.elastic import faces as face_documents
from indexer.engines.elastic import filters as queries
from indexer.engines.elastic import media as media_documents
from indexer.engines.elastic import segments as segment_documents
from indexer.engines.elastic import versions
from indexer.engines.elastic.bulk import Action
from indexer.engines.elastic.values import batches, to_vector
from indexer.errors import IndexFailure, UsageError
from indexer.workers import is_dead, new_owner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

    from indexer.engines.elastic.store import Document, Store
    from indexer.engines.elastic.versions import Version
    from indexer.records import Face, ModelIdentity
    from indexer.settings import ElasticsearchSettings

_OWN_FIELDS = ("embedding", "thumbnail", "model")
"""Fields of a face that a version being built has for itself, or that never change."""


def begin(store: Store, model: ModelIdentity, settings: ElasticsearchSettings) -> None:
    """Start a version, or go on with it; another unfinished one is dropped."""
    live = versions.live(store)
    if live.model is not None and live.model.key == model.key:
        raise UsageError(f"The index was made with {model.key} already; nothing is to be done.")
    client = store.connection.client
    for unfinished in versions.versions(store, versions.building_alias(store)):
        if unfinished.model is not None and unfinished.model.key == model.key:
            versions.remember(store, unfinished, model)
            return
        store.connection.call(client.indices.delete, expect=(404,), index=unfinished.index)
    number = max(version.number for version in versions.versions(store)) + 1
    versions.create(store, model, number, settings, aliases=[versions.building_alias(store)])


def unembedded(store: Store) -> Iterator[Face]:
    """Yield the live faces, in order, that the version being built has not."""
    building = versions.building(store)
    live = versions.live(store)
    return _missing(store, live, building)


def _missing(store: Store, live: Version, building: Version) -> Iterator[Face]:
    store.visible(store.faces, always=True)
    ids = store.ids(live.index, queries.EVERYTHING, face_documents.ORDER)
    for part in batches(ids):
        built = store.get_many(building.index, part, includes=["face_id"])
        faces = face_documents.get_many(store, live.index, [i for i in part if i not in built])
        yield from (faces[face_id] for face_id in part if face_id in faces)


def put_vectors(store: Store, vectors: Mapping[str, np.ndarray]) -> None:
    """Write faces with new vectors into the version being built, as they are in the live one."""
    building = versions.building(store)
    model = building.model
    assert model is not None
    checked = {face_id: unit_vector(vectors[face_id], model.dimensions) for face_id in vectors}
    live = versions.live(store)
    for part in batches(list(checked)):
        found = store.get_many(live.index, part, excludes=["embedding"])
        store.write(
            Action(
                "index",
                building.index,
                face_id,
                {
                    **document.source,
                    "model": model.key,
                    "embedding": to_vector(checked[face_id]),
                },
            )
            for face_id, document in found.items()
        )


def activate(store: Store) -> None:
    """Make the version being built the live one; media in progress begin again.

    What changed in the live faces meanwhile is taken over twice: first while others still write,
    then, which is quick, while writes to the live faces are refused. The old version is kept,
    read-only, until it is dropped. All is done before the swap, which is one step: until then the
    old version is live, and this can be done again.
    """
    building = versions.building(store)
    live = versions.live(store)
    _take_over(store, live, building)
    _note(store, live.index, replaced_by=new_owner())
    try:
        store.connection.call(
            store.connection.client.indices.add_block, index=live.index, block="write"
        )
        _take_over(store, live, building)
        _begin_again(store)
        swapped = versions.swap(store, live, building)
    except BaseException:
        _unblock(store, live.index)
        raise
    if not swapped:
        raise IndexFailure(
            "Another process has replaced the live model meanwhile; nothing is lost."
        )


def unblock_dead(store: Store) -> None:
    """Let the live faces be written again if the process that was replacing them is dead."""
    live = versions.live(store)
    if live.replaced_by is not None and is_dead(live.replaced_by):
        _unblock(store, live.index)


def _unblock(store: Store, index: str) -> None:
    allow_writes(store, index)
    _note(store, index, replaced_by=None)


def _note(store: Store, index: str, *, replaced_by: str | None) -> None:
    for version in versions.versions(store):
        if version.index == index:
            versions.write_meta(store, replace(version, replaced_by=replaced_by))


def allow_writes(store: Store, index: str) -> None:
    """Lift the write block of an index."""
    store.connection.call(
        store.connection.client.indices.put_settings,
        expect=(404,),
        index=index,
        settings={"index.blocks.write": None},
    )


@contextmanager
def writable(store: Store) -> Iterator[list[str]]:
    """Give all faces indices, those kept from before included, to delete from."""
    kept = [version.index for version in versions.old(store)]
    for index in kept:
        allow_writes(store, index)
    try:
        yield [version.index for version in versions.versions(store)]
    finally:
        for index in kept:
            store.connection.call(
                store.connection.client.indices.add_block, expect=(404,), index=index, block="write"
            )


def drop_old(store: Store) -> int:
    """Delete the versions that were replaced and kept; return how many."""
    dropped = versions.old(store)
    for version in dropped:
        store.connection.call(
            store.connection.client.indices.delete, expect=(404,), index=version.index
        )
    return len(dropped)


def _take_over(store: Store, live: Version, building: Version) -> None:
    """Make the new version's faces equal to the live ones but for their vectors.

    Raises IndexFailure if one has no vector yet.
    """
    assert building.model is not None
    store.visible(live.index, building.index, always=True)
    ids = store.ids(live.index, queries.EVERYTHING, face_documents.ORDER)
    missing = 0
    for part in batches(ids):
        sources = _sources(store, live, part)
        built = _sources(store, building, part)
        missing += len(sources.keys() - built.keys())
        store.write(
            Action("update", building.index, face_id, changes)
            for face_id, source in built.items()
            if face_id in sources and (changes := _differences(sources[face_id], source))
        )
    if missing:
        raise IndexFailure(
            f"{missing} faces have no vector of {building.model.key} yet, so it cannot replace the "
            "live model. Run the re-indexing again; it goes on where it stopped."
        )
    known = set(ids)
    gone = [
        face_id
        for face_id in store.ids(building.index, queries.EVERYTHING, face_documents.ORDER)
        if face_id not in known
    ]
    store.write(Action("delete", building.index, face_id) for face_id in gone)
    store.visible(building.index, always=True)


def _sources(store: Store, version: Version, ids: Any) -> dict[str, dict[str, Any]]:
    found = store.get_many(version.index, ids, excludes=list(_OWN_FIELDS))
    return {face_id: document.source for face_id, document in found.items()}


def _differences(source: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in source.items() if other.get(name) != value}


def _begin_again(store: Store) -> None:
    """Make all segments of media in progress pending: their tracks are of the old model."""
    store.visible(store.media, always=True)
    for media_id in store.ids(store.media, {"term": {"state": "working"}}, ["media_id"]):
        for _ in range(media_documents.ATTEMPTS):
            if _restart(store, store.get(store.media, media_id)):
                break
        else:
            raise media_documents.contended(media_id)


def _restart(store: Store, media: Document | None) -> bool:
    """Make a media's segments pending, and the media unlinked; False if others change it."""
    segments = segment_documents.of_document(store, media)
    fresh = {**segment_documents.CLAIMLESS, "state": "pending", "attempts": 0, "tracks": None}
    conflicts = store.write(
        Action(
            "index",
            store.segments,
            document.id,
            {**document.source, **fresh},
            document.seq_no,
            document.term,
        )
        for document in segments.values()
    )
    if conflicts:
        return False
    if media is None or not media.source.get("linked"):
        return True
    # It was about to be done. With its segments pending, nobody ends that now.
    source = {**media.source, "linked": False}
    return store.put(store.media, media.id, source, before=media) is not None
