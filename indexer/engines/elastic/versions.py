"""Embedding models as faces indices: the alias NAME-faces is on the live one, and decides.

Every faces index says in its mapping which model made its vectors. A new collection's alias is on
an empty index without vectors, so that adopting a first model, too, is one conditional swap.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from es_mappings import SCHEMA_VERSION, index_template
from indexer.engines.checks import mismatch
from indexer.engines.elastic.failures import cause_of
from indexer.errors import IndexFailure, ModelMismatch, UsageError
from indexer.records import ModelIdentity, Thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.engines.elastic.store import Store
    from indexer.settings import ElasticsearchSettings

MODELLESS = "none-0"
"""How the faces index of a collection without model ends."""


@dataclass(frozen=True)
class Version:
    """A faces index: `number` counts up, the model is None in a new collection.

    loading: who loads it, and the number of copies it is to have then; see `loading`. replaced_by:
    who has begun to put another version in its place, and so made it read-only.
    """

    index: str
    number: int
    model: ModelIdentity | None
    loading: dict[str, Any] | None = None
    replaced_by: str | None = None


def versions(store: Store, alias: str = "") -> list[Version]:
    """Return the faces indices of the collection, or those that an alias is on, by number."""
    answer = store.connection.call(
        store.connection.client.indices.get_mapping,
        expect=(404,),
        index=alias or f"{store.faces}-*",
        filter_path="*.mappings._meta,error.type",
    )
    found = []
    for index, content in ({} if answer.meta.status == 404 else answer.body).items():
        meta = content.get("mappings", {}).get("_meta", {}).get("sightings", {})
        if meta.get("collection") == store.name and meta.get("kind") == "faces":
            number = re.search(r"-([0-9]+)$", index)
            if number is None:
                continue  # a copy that somebody restored under another name
            model = _identity(meta["model"])
            found.append(
                Version(index, int(number[1]), model, meta.get("loading"), meta.get("replaced_by"))
            )
    return sorted(found, key=lambda version: version.number)


def live(store: Store) -> Version:
    """Return the version that is searched. Raises IndexFailure if the collection is gone."""
    found = versions(store, store.faces)
    if len(found) != 1:
        raise IndexFailure(
            f"There is no index {store.connection.location.text}, or its alias {store.faces} is "
            "damaged. Create it by indexing: sightings index PATH..."
        )
    return found[0]


def live_with_model(store: Store) -> tuple[Version, ModelIdentity]:
    """Return the live version and its model. Raises ModelMismatch if it has none yet."""
    version = live(store)
    if version.model is None:
        raise ModelMismatch("The index has no model yet; adopt one first.")
    return version, version.model


def building(store: Store) -> Version:
    """Return the version being built. Raises UsageError if there is none."""
    found = versions(store, building_alias(store))
    if not found:
        raise UsageError("No other model is being built in this index; call begin_version first.")
    return found[0]


def building_alias(store: Store) -> str:
    """Return the alias that is on the version being built."""
    return f"{store.name}-building"


def old(store: Store) -> list[Version]:
    """Return the versions that are neither live nor being built: those replaced and kept."""
    used = {version.index for version in (live(store), *versions(store, building_alias(store)))}
    return [version for version in versions(store) if version.index not in used]


def adopt(store: Store, model: ModelIdentity, settings: ElasticsearchSettings) -> None:
    """Make a model the live one of a collection without any. Raises ModelMismatch."""
    version = live(store)
    if version.model is None:
        created = create(store, model, 1, settings)
        if swap(store, version, created):
            return
        version = live(store)
        if version.index != created.index:
            store.connection.call(
                store.connection.client.indices.delete, expect=(404,), index=created.index
            )
    if version.model is None or version.model.key != model.key:
        raise ModelMismatch(mismatch(version.model, model.key) if version.model else "No model.")
    if version.model != model:
        remember(store, version, model)


def create(
    store: Store,
    model: ModelIdentity,
    number: int,
    settings: ElasticsearchSettings,
    *,
    aliases: Sequence[str] = (),
) -> Version:
    """Create a faces index for a model, if it is not there."""
    slug = re.sub(r"[^a-z0-9_.]+", "-", model.key.lower()).strip("-._")[-100:]
    index = f"{store.faces}-{slug}-{number}"
    template = index_template(
        "faces",
        {
            "name": store.name,
            "schema_version": SCHEMA_VERSION,
            "shards": settings.shards,
            "replicas": settings.replicas,
            "model_slug": slug,
            "model": _document(model),
            "dimensions": model.dimensions,
            "index_options": {"type": settings.vector_type},
        },
    )
    client = store.connection.client
    store.connection.call(
        client.indices.put_index_template, name=f"{store.faces}-{slug}", **template
    )
    create_index(store, index, aliases={alias: {} for alias in aliases})
    store.connection.call(client.cluster.health, index=index, wait_for_status="yellow")
    return Version(index, number, model)


def create_index(store: Store, index: str, **body: Any) -> None:
    """Create an index unless it is there already."""
    answer = store.connection.call(
        store.connection.client.indices.create, expect=(400,), index=index, **body
    )
    if cause_of(answer.body)[0] not in ("", "resource_already_exists_exception"):
        raise store.connection.failure(answer.meta.status, answer.body)


def swap(store: Store, before: Version, after: Version) -> bool:
    """Make another version the live one, in one step; False if `before` no longer is.

    A version without model, which holds nothing, is deleted in the same step.
    """
    actions: list[dict[str, Any]] = [{"add": {"index": after.index, "alias": store.faces}}]
    if before.model is None:
        actions.append({"remove_index": {"index": before.index}})
    else:
        gone = {"index": before.index, "alias": store.faces, "must_exist": True}
        actions.append({"remove": gone})
    if any(version.index == after.index for version in versions(store, building_alias(store))):
        actions.append({"remove": {"index": after.index, "alias": building_alias(store)}})
    answer = store.connection.call(
        store.connection.client.indices.update_aliases, expect=(404,), actions=actions
    )
    return bool(answer.meta.status != 404)


def remember(store: Store, version: Version, model: ModelIdentity) -> None:
    """Store where a version's weights lie now."""
    write_meta(store, replace(version, model=model))


def write_meta(store: Store, version: Version) -> None:
    """Store what a faces index says of itself."""
    meta = {
        "schema_version": SCHEMA_VERSION,
        "collection": store.name,
        "kind": "faces",
        "model": None if version.model is None else _document(version.model),
        "loading": version.loading,
        "replaced_by": version.replaced_by,
    }
    store.connection.call(
        store.connection.client.indices.put_mapping, index=version.index, meta={"sightings": meta}
    )


def _document(model: ModelIdentity) -> dict[str, Any]:
    return asdict(model)


def _identity(document: dict[str, Any] | None) -> ModelIdentity | None:
    if document is None:
        return None
    fields = dict(document)
    if fields["thresholds"] is not None:
        fields["thresholds"] = Thresholds(**cast("dict[str, Any]", fields["thresholds"]))
    return ModelIdentity(**fields)
