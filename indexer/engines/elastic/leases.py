"""Leases on a whole collection: one process at a time loads it, or replaces its faces.

A lease is a document beside the segments, and like a claim on those it is written conditionally.
Its holder renews it. One that has run out, or whose holder is known to be dead, anybody may take.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from indexer.engines.elastic.bulk import Action
from indexer.engines.elastic.values import from_date, from_text, now, to_date, to_text
from indexer.errors import IndexFailure
from indexer.workers import is_dead, new_owner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.engines.elastic.store import Document, Store

    Name = Literal["loading", "replacing"]

LEASE_S = 300.0
"""How long a lease lasts that is not renewed: longer than a cluster may be out of reach."""


class Lease:
    """A lease that this process has taken. Threads may share it."""

    def __init__(self, store: Store, document: Document) -> None:
        self._store = store
        self._document: Document | None = document
        self._lock = threading.Lock()

    def renew(self) -> bool:
        """Prolong it; False if somebody else has it now."""
        with self._lock:
            before = self._document
            if before is not None:
                source = {**before.source, "lease_until": _lease_until()}
                segments = self._store.segments
                self._document = self._store.put(segments, before.id, source, before=before)
            return self._document is not None

    def give_back(self) -> None:
        """Let go of it, unless somebody else has it now."""
        with self._lock:
            if held := self._document:
                self._store.write([Action.delete_unchanged(self._store.segments, held)])
            self._document = None


def take(store: Store, name: Name) -> Lease | None:
    """Take a lease, unless another process holds it."""
    before = store.get(store.segments, _id(name))
    return _taken(store, name, before) if before is None or _is_over(before) else None


def take_over(store: Store, name: Name, *, even_held: bool = False) -> Lease | None:
    """Take a lease that was taken and not given back, once it is over; even_held: before, too."""
    before = store.get(store.segments, _id(name))
    if before is None or not (even_held or _is_over(before)):
        return None
    return _taken(store, name, before)


def holder(store: Store, name: Name) -> str:
    """Return who holds a lease, or an empty text."""
    document = store.get(store.segments, _id(name))
    return "" if document is None or _is_over(document) else from_text(document.source["owner"])


@contextmanager
def renewing(lease: Lease) -> Iterator[None]:
    """Renew a lease as long as the block runs."""
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(LEASE_S / 3):
            with suppress(IndexFailure):  # out of reach: there is time for one more attempt
                if not lease.renew():
                    return

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _taken(store: Store, name: Name, before: Document | None) -> Lease | None:
    source: dict[str, Any] = {
        "state": name,
        "owner": to_text(new_owner()),
        "lease_until": _lease_until(),
    }
    document = store.put(store.segments, _id(name), source, before=before)
    return None if document is None else Lease(store, document)


def _is_over(document: Document) -> bool:
    until = from_date(document.source["lease_until"])
    return until is None or until <= now() or is_dead(from_text(document.source["owner"]))


def _lease_until() -> str | None:
    return to_date(now() + timedelta(seconds=LEASE_S))


def _id(name: Name) -> str:
    return f"lease-{name}"
