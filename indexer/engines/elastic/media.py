"""Media as documents.

A media's document holds its paths, so that what is asked of paths is answered without a join. It
may be there before the media is known, with nothing but paths: then it has no kind.
"""

from __future__ import annotations

import heapq
import random
import time
from typing import TYPE_CHECKING, Any

from indexer.engines.elastic import filters as queries
from indexer.engines.elastic.values import (
    batches,
    exact_key,
    file_name_keys,
    folder_keys,
    from_date,
    from_text,
    order_key,
    to_date,
    to_micros,
    to_text,
)
from indexer.errors import IndexFailure
from indexer.records import Media

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from indexer.engines.elastic.store import Document, Store
    from indexer.records import Filters, State

ATTEMPTS = 100
"""Of a change that others keep coming between."""

NAMED_TOGETHER = 20_000
"""Media that one query names: 0.7 MB, sent again for each page."""

_FIRST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 1.0

OF_FACES = (
    "media_path",
    "media_kind",
    "file_name_keys",
    "folder_keys",
    "recorded_at",
    "recorded_us",
)
"""Fields of a media that its faces carry too, to be filtered by."""


def to_document(media: Media) -> dict[str, Any]:
    """Return what is stored of a media that begins, in its state, less its paths."""
    return {
        "media_id": media.id,
        "media_kind": media.kind,
        "size_bytes": media.size_bytes,
        "width": media.width,
        "height": media.height,
        "duration_s": media.duration_s,
        "recorded_at": to_date(media.recorded_at),
        "recorded_us": None if media.recorded_at is None else to_micros(media.recorded_at),
        "state": media.state,
        "options": to_text(media.options),
        "batch": media.batch,
        "queued_at": to_date(media.queued_at),
    }


def with_paths(media_id: str, paths: Sequence[str]) -> dict[str, Any]:
    """Return the fields of a media's document that its paths decide."""
    in_order = sorted(set(paths))
    return {
        "paths": [to_text(path) for path in in_order],
        "media_path": to_text(in_order[0]) if in_order else None,
        "order_key": order_key(in_order[0]) if in_order else media_id,
        "file_name_keys": file_name_keys(in_order),
        "folder_keys": folder_keys(in_order),
    }


def paths_of(document: Document | None) -> list[str]:
    """Return the paths that a media's document holds."""
    return [] if document is None else [from_text(path) for path in document.source["paths"]]


def is_known(document: Document | None) -> bool:
    """Whether a document is of a media that was started, not of mere paths."""
    return document is not None and "state" in document.source


def from_document(document: Document) -> Media:
    """Return a media as it is stored."""
    source = document.source
    error = source.get("error")
    return Media(
        id=document.id,
        kind=source["media_kind"],
        size_bytes=source["size_bytes"],
        width=source["width"],
        height=source["height"],
        duration_s=source["duration_s"],
        recorded_at=from_date(source["recorded_at"]),
        paths=tuple(paths_of(document)),
        state=source["state"],
        error=None if error is None else from_text(error),
        warnings=tuple(from_text(warning) for warning in source.get("warnings", ())),
        options=from_text(source["options"]),
        indexed_at=from_date(source.get("indexed_at")),
        batch=source["batch"],
        queued_at=from_date(source["queued_at"]),
    )


def ended_document(media: Media) -> dict[str, Any]:
    """Return the fields that a media has besides those of `to_document` when it is ended."""
    return {
        "error": None if media.error is None else to_text(media.error),
        "warnings": [to_text(warning) for warning in media.warnings],
        "indexed_at": to_date(media.indexed_at),
        "linked": True,
    }


def get_many(store: Store, media_ids: Sequence[str]) -> dict[str, Media]:
    """Return those media that are known, by id."""
    found = store.get_many(store.media, media_ids)
    return {
        media_id: from_document(document)
        for media_id, document in found.items()
        if is_known(document)
    }


def matching(
    store: Store,
    filters: Filters | None,
    states: Sequence[State] = (),
    batch: str | None = None,
    after: tuple[str, str] | None = None,
) -> Iterator[str]:
    """Return the ids of the media that pass, in the order of `iter_media`, page by page."""
    store.visible(store.media, store.faces)
    query = queries.of_media(filters)
    if states or batch is not None:
        # Other processes change what is asked for: workers, above all.
        store.visible(store.media, always=True)
        query = queries.all_of(
            query,
            *([queries.any_of("state", list(states))] if states else []),
            *([queries.any_of("batch", [batch])] if batch is not None else []),
        )
    if filters is None or not filters.persons:
        return _ids(_in_order(store, query, after))
    # One query cannot name all media of somebody who is seen everywhere.
    parts = batches(_with_persons(store, filters), NAMED_TOGETHER)
    scans = [
        _in_order(store, queries.all_of(query, queries.any_of("media_id", part)), after)
        for part in parts
    ]
    return _ids(heapq.merge(*scans, key=lambda hit: hit["sort"]))


def _in_order(
    store: Store, query: queries.Query, after: tuple[str, str] | None
) -> Iterator[dict[str, Any]]:
    begin = None if after is None else [order_key(after[0]), to_text(after[1])]
    return store.scan(store.media, query, ["order_key", "media_id"], after=begin, source=False)


def _ids(hits: Iterable[dict[str, Any]]) -> Iterator[str]:
    return (hit["_id"] for hit in hits)


def _with_persons(store: Store, filters: Filters) -> list[str]:
    named = queries.any_of("person_key", [exact_key(person) for person in filters.persons])
    buckets = store.composite(store.faces, [{"media": {"terms": {"field": "media_id"}}}], named)
    return [bucket["key"]["media"] for bucket in buckets]


def change(
    store: Store,
    media_id: str,
    change_source: Callable[[dict[str, Any]], dict[str, Any] | None],
) -> Document | None:
    """Change a media's document, whoever else does at the same time.

    change_source: from the present source ({} if there is none) to the new one; None: no change.
    Returns the document as it is then, None if there is none.
    """
    for _ in attempts():
        before = store.get(store.media, media_id)
        source = change_source({} if before is None else dict(before.source))
        if source is None:
            return before
        if after := store.put(store.media, media_id, source, before=before):
            return after
    raise contended(media_id)


def attempts() -> Iterator[int]:
    """Count the attempts of a change that others may come between, with growing pauses.

    The pauses are drawn by chance, so that those who met once do not meet again.
    """
    for number in range(ATTEMPTS):
        yield number
        longest_s = min(_FIRST_PAUSE_S * 2.0 ** min(number, 30), _LONGEST_PAUSE_S)
        time.sleep(random.uniform(0.0, longest_s))


def contended(media_id: str) -> IndexFailure:
    """Return the error for a media that others never stopped changing."""
    return IndexFailure(
        f"Others keep changing media {media_id}; nothing was lost. Try again when they are done."
    )
