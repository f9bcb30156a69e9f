"""Opening a collection: the cluster is checked, its indices made or recognised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from es_mappings import KINDS, SCHEMA_VERSION, index_template
from indexer.engines.elastic.connection import Connection
from indexer.engines.elastic.loading import end_dead
from indexer.engines.elastic.location import parse_location
from indexer.engines.elastic.store import Store
from indexer.engines.elastic.versions import MODELLESS
from indexer.errors import IndexFailure

if TYPE_CHECKING:
    from typing import Any

    from indexer.settings import ElasticsearchSettings


def open_store(location: str, settings: ElasticsearchSettings, *, create: bool) -> Store:
    """Open the collection at a location; `create` makes what of it is missing.

    Raises IndexFailure if the cluster cannot be used, the collection is not there, or another
    version of Sightings made it.
    """
    store = Store(Connection(parse_location(location), settings))
    try:
        store.connection.check()
        found = _schema_versions(store)
        if create and len(found) < len(KINDS):
            _create(store, settings, missing=[kind for kind in KINDS if kind not in found])
        elif len(found) < len(KINDS):
            raise IndexFailure(
                f"There is no index {location}. Create it by indexing: sightings index PATH..."
            )
        _check_schema(location, found)
        end_dead(store)
    except BaseException:
        store.connection.close()
        raise
    return store


def _schema_versions(store: Store) -> dict[str, int]:
    """Return the schema version of each kind of index that has its alias."""
    aliases = {f"{store.name}-{kind}": kind for kind in KINDS}
    answer = store.connection.call(
        store.connection.client.indices.get,
        index=list(aliases),
        ignore_unavailable=True,
        allow_no_indices=True,
        filter_path="*.aliases,*.mappings._meta",
    )
    found: dict[str, int] = {}
    for index, content in answer.body.items():
        meta = content.get("mappings", {}).get("_meta", {}).get("sightings")
        for alias in content.get("aliases", {}):
            if alias in aliases:
                if not meta or meta.get("collection") != store.name:
                    raise IndexFailure(
                        f"The index {index} on the cluster has the alias {alias}, but Sightings "
                        f"did not make it as a part of {store.name}. Use another name."
                    )
                found[aliases[alias]] = int(meta["schema_version"])
    return found


def _check_schema(location: str, found: dict[str, int]) -> None:
    newer = [version for version in found.values() if version > SCHEMA_VERSION]
    if newer:
        raise IndexFailure(
            f"The index {location} was made by a newer version of Sightings (schema {max(newer)}; "
            f"this one knows {SCHEMA_VERSION}). Update Sightings."
        )
    older = [version for version in found.values() if version < SCHEMA_VERSION]
    if older:
        raise IndexFailure(
            f"The index {location} has the older schema {min(older)}, which this version of "
            f"Sightings ({SCHEMA_VERSION}) cannot migrate. Index the media again under another "
            "name, or use the version that made it."
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
        store.connection.call(
            client.indices.create, expect=(400,), index=index, aliases={alias: {}}, **body
        )
    store.connection.call(
        client.cluster.health,
        index=[f"{store.name}-{kind}" for kind in KINDS],
        wait_for_status="yellow",
    )


def _modelless(values: dict[str, Any]) -> dict[str, Any]:
    """Return the faces index of a collection without model: it has no vectors."""
    no_model: dict[str, Any] = {
        "model_slug": "none",
        "model": None,
        "dimensions": 0,
        "index_options": {},
    }
    template = index_template("faces", values | no_model)["template"]
    del template["mappings"]["properties"]["embedding"]
    return dict(template)
