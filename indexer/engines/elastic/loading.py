"""A first load: the faces are written without copies and refreshes, which come back afterwards.

Who loads is noted in the index itself, so that whoever opens it next can end the load of a process
that was killed.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from indexer.engines.elastic import rebuilding, versions
from indexer.workers import is_dead, new_owner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.engines.elastic.store import Store


@contextmanager
def loading(store: Store) -> Iterator[None]:
    """Write without copies and refreshes as long as the block runs; does nothing in a second one.

    A node that is lost meanwhile takes along what only it held.
    """
    version = versions.live(store)
    if version.loading is not None:
        yield
        return
    client = store.connection.client
    name = "index.number_of_replicas"
    answer = store.connection.call(
        client.indices.get_settings, index=version.index, name=name, flat_settings=True
    )
    replicas = int(answer[version.index]["settings"][name])
    loaded_by = {"owner": new_owner(), "replicas": replicas}
    versions.write_meta(store, replace(version, loading=loaded_by))
    try:
        _set(store, version, replicas=0, refresh_interval="-1")
        yield
    finally:
        end(store)


def end(store: Store) -> None:
    """Bring back copies and refreshes, if a load took them away."""
    for version in versions.versions(store):
        if version.loading is not None:
            _set(store, version, replicas=version.loading["replicas"], refresh_interval=None)
            versions.write_meta(store, replace(version, loading=None))
            store.visible(version.index, always=True)


def end_dead(store: Store) -> None:
    """Undo what processes left that are known to be dead: a load, a replacement that was begun."""
    found = versions.versions(store)
    if any(v.loading is not None and is_dead(v.loading["owner"]) for v in found):
        end(store)
    if any(v.replaced_by is not None and is_dead(v.replaced_by) for v in found):
        rebuilding.unblock_dead(store)


def _set(
    store: Store, version: versions.Version, *, replicas: int, refresh_interval: str | None
) -> None:
    settings: dict[str, Any] = {
        "index.number_of_replicas": replicas,
        "index.refresh_interval": refresh_interval,
    }
    store.connection.call(
        store.connection.client.indices.put_settings, index=version.index, settings=settings
    )
