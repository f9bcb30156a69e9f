"""A faces index of another model, built beside the live one."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from indexer.engines.checks import unit_vector
from indexer.engines.elastic import comparing, versions
from indexer.engines.elastic import faces as face_documents
from indexer.engines.elastic import media as media_documents
from indexer.engines.elastic.bulk import Action
from indexer.engines.elastic.values import batches, to_vector
from indexer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from indexer.engines.elastic.store import Store
    from indexer.engines.elastic.versions import Version
    from indexer.records import Face, ModelIdentity
    from indexer.settings import ElasticsearchSettings


def begin(store: Store, model: ModelIdentity, settings: ElasticsearchSettings) -> None:
    """Start a version, or go on with it; another unfinished one is dropped."""
    live = versions.live(store)
    if live.model is not None and live.model.key == model.key:
        raise UsageError(f"The index was made with {model.key} already; nothing is to be done.")
    begun, model = False, replace(model, calibrated=None)
    for unfinished in versions.unfinished(store):
        if unfinished.model is not None and unfinished.model.key == model.key:
            versions.remember(store, unfinished, model)
            begun = True
        else:
            _drop_unfinished(store, unfinished)
    if not begun:
        number = max(version.number for version in versions.versions(store)) + 1
        versions.create(store, model, number, settings)


def _drop_unfinished(store: Store, version: Version) -> None:
    """Delete a version, unless another process makes it the live one at this moment.

    Who takes away the alias first, that process or this one, decides.
    """
    client = store.connection.client
    alias = {"index": version.index, "alias": versions.building_alias(store), "must_exist": True}
    answer = store.connection.call(
        client.indices.update_aliases, expect=(404,), actions=[{"remove": alias}]
    )
    if answer.meta.status != 404:
        store.connection.call(client.indices.delete, expect=(404,), index=version.index)


def unembedded(store: Store, model_key: str) -> Iterator[Face]:
    """Yield the live faces, in order, that the version being built of a model has not."""
    building, _ = versions.building(store, model_key)
    return _missing(store, versions.live(store), building)


def _missing(store: Store, live: Version, building: Version) -> Iterator[Face]:
    store.visible(live.index, building.index, always=True)
    for part in comparing.missing(store, live, building):
        faces = face_documents.get_many(store, live.index, part)
        yield from (faces[face_id] for face_id in part if face_id in faces)


def put_vectors(store: Store, model_key: str, vectors: Mapping[str, np.ndarray]) -> None:
    """Write faces with new vectors into the version being built, as they are in the live one."""
    building, model = versions.building(store, model_key)
    checked = {face_id: unit_vector(vectors[face_id], model.dimensions) for face_id in vectors}
    live = versions.live(store)
    for part in batches(list(checked)):
        due: Sequence[str] = part
        for _ in media_documents.attempts():
            due = _put(store, live, building, model_key, {i: checked[i] for i in due})
            if not due:
                break
        else:
            raise media_documents.contended(due[0])


def _put(
    store: Store,
    live: Version,
    building: Version,
    model_key: str,
    vectors: Mapping[str, np.ndarray],
) -> list[str]:
    """Write faces that nobody else writes meanwhile; return the others."""
    ids = list(vectors)
    # Read before the live faces: whoever corrects one in the new version later is not undone.
    built = store.get_many(building.index, ids, includes=["face_id"])
    found = store.get_many(live.index, ids, excludes=["embedding"])
    actions = []
    for face_id, document in found.items():
        fields = {"model": model_key, "embedding": to_vector(vectors[face_id])}
        source = {**document.source, **fields}
        actions.append(Action.put(building.index, face_id, source, before=built.get(face_id)))
    conflicts = store.write(actions)
    # Who deleted one since it was read may have looked for it in the new version too early.
    still = store.get_many(live.index, list(found), includes=["face_id"])
    gone = found.keys() - still.keys()
    store.write(Action("delete", building.index, face_id) for face_id in gone)
    return [action.id for action in conflicts if action.id not in gone]


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
