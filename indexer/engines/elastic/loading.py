"""A first load: the faces are written without copies and refreshes, which come back afterwards.

Who loads holds a lease, so that the next to open the collection can end what a process that was
killed, here or on another machine, has left so. How many copies there are to be is said by the
version itself, since it was made; what the cluster has meanwhile is never taken for it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from indexer.engines.elastic import leases, versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.engines.elastic.store import Store

_NEVER = "-1"


@contextmanager
def loading(store: Store) -> Iterator[None]:
    """Write without copies and refreshes as long as the block runs; does nothing in a second one.

    A node that is lost meanwhile takes along what only it held.
    """
    lease = leases.take(store, "loading")
    if lease is None:
        yield
        return
    with leases.renewing(lease):
        try:
            _set(store, versions.live(store).index, replicas=0, refresh_interval=_NEVER)
            yield
        finally:
            _bring_back(store)
            lease.give_back()


def end(store: Store, *, even_held: bool = False) -> None:
    """Bring back copies and refreshes that a load took away whose lease is over.

    even_held: end the load of a process that may still be at it, too.
    """
    lease = leases.take_over(store, "loading", even_held=even_held)
    if lease is not None:
        _bring_back(store)
        lease.give_back()


def _bring_back(store: Store) -> None:
    found = versions.versions(store)
    name = "index.refresh_interval"
    answer = store.connection.call(
        store.connection.client.indices.get_settings,
        index=[version.index for version in found],
        name=name,
        flat_settings=True,
    )
    for version in found:
        settings = answer.get(version.index, {}).get("settings", {})
        if settings.get(name) == _NEVER:
            _set(store, version.index, replicas=version.replicas, refresh_interval=None)
            store.visible(version.index, always=True)


def _set(store: Store, index: str, *, replicas: int, refresh_interval: str | None) -> None:
    settings: dict[str, Any] = {
        "index.number_of_replicas": replicas,
        "index.refresh_interval": refresh_interval,
    }
    store.connection.call(
        store.connection.client.indices.put_settings, index=index, settings=settings
    )
