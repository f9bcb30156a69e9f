"""Opening a collection: the cluster is checked, its indices made or recognised."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from es_mappings import SCHEMA_VERSION, index_template
from indexer.engines.elastic import loading, parts, replacing
from indexer.engines.elastic.connection import Connection
from indexer.engines.elastic.location import parse_location
from indexer.engines.elastic.store import Store
from indexer.engines.elastic.versions import MODELLESS, create_index, wait_until_ready
from indexer.errors import IndexBlocked, IndexFailure, StorageFull

if TYPE_CHECKING:
    from typing import Any

    from indexer.links import PictureLinks
    from indexer.settings import ElasticsearchSettings


def open_store(
    location: str,
    settings: ElasticsearchSettings,
    *,
    create: bool,
    links: PictureLinks | None = None,
) -> Store:
    """Open the collection at a location; `create` makes what of it is missing.

    Raises IndexFailure if the cluster cannot be used, the collection is not there or not whole,
    or another version of Sightings made it.
    """
    store = Store(Connection(parse_location(location), settings), links)
    try:
        store.connection.check()
        found = parts.find(store)
        if missing := parts.missing(store, found):
            found = _completed(store, settings, found, missing, create=create)
        parts.check(location, found)
        # What cannot be written now can be read; the next to open tries again.
        with suppress(IndexBlocked, StorageFull):
            loading.end(store)
            replacing.end_abandoned(store)
    except BaseException:
        store.connection.close()
        raise
    return store


def _completed(
    store: Store,
    settings: ElasticsearchSettings,
    found: list[parts.Part],
    missing: list[str],
    *,
    create: bool,
) -> list[parts.Part]:
    """Return all parts, after making those that nobody has made yet.

    A collection is created before anything is stored in it: one that lacks a part and holds
    something has lost it, unless another process has just created it.
    """
    store.visible(*(part.index for part in found), always=True)
    holds = any(store.count(part.index) for part in found)
    if not holds and create:
        _create(store, settings, missing)
    now_found = parts.find(store)
    if not parts.missing(store, now_found):
        wait_until_ready(store, [part.index for part in now_found], settings)
        return now_found
    if now_found:
        raise parts.incomplete(store, now_found)
    raise IndexFailure(
        f"There is no index {store.connection.location.text}. Create it by indexing: "
        "sightings index PATH..."
    )


def _create(store: Store, settings: ElasticsearchSettings, missing: list[str]) -> None:
    """Create what is missing; two processes that do so at once do the same."""
    client = store.connection.client
    values = {
        "name": store.name,
        "schema_version": SCHEMA_VERSION,
        "shards": settings.shards,
        "replicas": settings.replicas,
    }
    for kind in missing:
        alias = f"{store.name}-{kind}"
        if kind == "faces":
            index, body = f"{alias}-{MODELLESS}", _modelless(values)
        else:
            template = index_template(kind, values)
            store.connection.call(client.indices.put_index_template, name=alias, **template)
            index, body = f"{alias}-1", {}
        # All are waited for together.
        create_index(store, index, aliases={alias: {}}, wait_for_active_shards="0", **body)


def _modelless(values: dict[str, Any]) -> dict[str, Any]:
    """Return the faces index of a collection without model: it has no vectors."""
    no_model: dict[str, Any] = {
        "model_slug": "none",
        "model": None,
        "dimensions": 0,
        "index_options": {},
        "shards": 1,
    }
    template = index_template("faces", values | no_model)["template"]
    del template["mappings"]["properties"]["embedding"]
    return dict(template)
