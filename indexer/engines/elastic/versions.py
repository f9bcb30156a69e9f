"""Embedding models as faces indices: the alias NAME-faces is on the live one, and decides.

Every faces index says in its mapping which model made its vectors. A new collection's alias is on
an empty index without vectors, so that adopting a first model, too, is one conditional swap.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from es_mappings import SCHEMA_VERSION, index_template
from indexer.engines.checks import calibrated, mismatch, not_being_built
from indexer.engines.elastic.failures import cause_of
from indexer.errors import IndexFailure, ModelMismatch, UsageError
from indexer.identities import from_document, to_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.engines.elastic.store import Store
    from indexer.records import ModelIdentity, Thresholds
    from indexer.settings import ElasticsearchSettings

MODELLESS = "none-0"
"""How the faces index of a collection without model ends."""


@dataclass(frozen=True)
class Version:
    """A faces index: `number` counts up, the model is None in a new collection.

    aliases: those that were on it when it was read. replicas: the copies of each shard that it was
    made to have, whatever a load has taken away for now. vector_type: how it keeps vectors, as
    elasticsearch.vector_type has it for new ones; empty without a model.
    """

    index: str
    number: int
    model: ModelIdentity | None
    aliases: frozenset[str]
    replicas: int
    vector_type: str


def versions(store: Store) -> list[Version]:
    """Return the faces indices of the collection, by number, as they were at one moment."""
    answer = store.connection.call(
        store.connection.client.indices.get,
        expect=(404,),
        index=f"{store.faces}-*",
        features=["aliases", "mappings"],
        filter_path="*.aliases,*.mappings._meta,*.mappings.properties.embedding.index_options.type",
    )
    found = []
    for index, content in ({} if answer.meta.status == 404 else answer.body).items():
        mappings = content.get("mappings", {})
        meta = mappings.get("_meta", {}).get("sightings", {})
        vectors = mappings.get("properties", {}).get("embedding", {}).get("index_options", {})
        number = re.search(r"-([0-9]+)$", index)  # none: a copy restored under another name
        if number and meta.get("collection") == store.name and meta.get("kind") == "faces":
            found.append(
                Version(
                    index,
                    int(number[1]),
                    from_document(meta["model"]) if meta["model"] else None,
                    frozenset(content.get("aliases", ())),
                    int(meta.get("replicas", 1)),
                    vectors.get("type", ""),
                )
            )
    return sorted(found, key=lambda version: version.number)


def live(store: Store) -> Version:
    """Return the version that is searched. Raises IndexFailure if the collection is gone."""
    found = [version for version in versions(store) if store.faces in version.aliases]
    if len(found) != 1:
        raise IndexFailure(
            f"There is no index {store.connection.location.text}, or its alias {store.faces} is "
            "damaged. Create it by indexing: sightings index PATH..."
        )
    return found[0]


def building(store: Store, model_key: str) -> tuple[Version, ModelIdentity]:
    """Return the version being built of a model. Raises UsageError if there is none."""
    for version in unfinished(store):
        if version.model is not None and version.model.key == model_key:
            return version, version.model
    raise UsageError(not_being_built(model_key))


def unfinished(store: Store) -> list[Version]:
    """Return the versions being built; several only if processes began them at the same moment."""
    return [
        version
        for version in versions(store)
        if building_alias(store) in version.aliases and store.faces not in version.aliases
    ]


def building_alias(store: Store) -> str:
    """Return the alias that is on the version being built."""
    return f"{store.name}-building"


def old(store: Store) -> list[Version]:
    """Return the versions that are neither live nor being built: those replaced and kept."""
    used = {store.faces, building_alias(store)}
    return [v for v in versions(store) if v.model is not None and not v.aliases & used]


def adopt(store: Store, model: ModelIdentity, settings: ElasticsearchSettings) -> None:
    """Make a model the live one of a collection without any. Raises ModelMismatch."""
    version = live(store)
    if version.model is None:
        created = create(store, replace(model, calibrated=None), 1, settings)
        if swap(store, version, created):
            return
        version = live(store)
        if version.index != created.index:
            store.connection.call(
                store.connection.client.indices.delete, expect=(404,), index=created.index
            )
    if version.model is None or version.model.key != model.key:
        raise ModelMismatch(mismatch(version.model, model.key) if version.model else "No model.")
    kept = replace(model, calibrated=version.model.calibrated)
    if version.model != kept:
        remember(store, version, kept)


def set_thresholds(store: Store, model_key: str, thresholds: Thresholds | None) -> None:
    """Keep thresholds of the collection with its live model, or take them away.

    A mapping has no conditional write: an ingest that finds the model's weights at another place
    (`adopt`) and has read them just before puts the thresholds back that it read.
    """
    version = live(store)
    model = calibrated(version.model, model_key, thresholds)
    if version.model != model:
        remember(store, version, model)


def create(
    store: Store,
    model: ModelIdentity,
    number: int,
    settings: ElasticsearchSettings,
) -> Version:
    """Create a faces index for a model, if it is not there, as one that is being built."""
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
            "model": to_document(model),
            "dimensions": model.dimensions,
            "index_options": {"type": settings.vector_type},
        },
    )
    client = store.connection.client
    store.connection.call(
        client.indices.put_index_template, name=f"{store.faces}-{slug}", **template
    )
    aliases: dict[str, Any] = {building_alias(store): {}}
    if not create_index(store, index, aliases=aliases, timeout=_patience(settings)):
        wait_until_ready(store, [index], settings)
    on_it = frozenset([building_alias(store)])
    return Version(index, number, model, on_it, settings.replicas, settings.vector_type)


def create_index(store: Store, index: str, **body: Any) -> bool:
    """Create an index unless it is there already; return whether it is known to be ready."""
    answer = store.connection.call(
        store.connection.client.indices.create, expect=(400,), index=index, **body
    )
    if cause_of(answer.body)[0] not in ("", "resource_already_exists_exception"):
        raise store.connection.failure(answer.meta.status, answer.body)
    return bool(answer.body.get("shards_acknowledged"))


def wait_until_ready(store: Store, indices: Sequence[str], settings: ElasticsearchSettings) -> None:
    """Wait until indices can be read and written. Raises IndexFailure if they find no node."""
    store.connection.call(
        store.connection.client.cluster.health,
        index=list(indices),
        wait_for_status="yellow",
        timeout=_patience(settings),
    )


def _patience(settings: ElasticsearchSettings) -> str:
    """Return for how long the cluster may wait: it answers before nobody listens any more."""
    return f"{0.8 * settings.timeout_s * 1000:.0f}ms"


def swap(store: Store, before: Version, after: Version) -> bool:
    """Make a version that is being built the live one, in one step.

    False if `before` is not live any more, or somebody has dropped `after`.

    The index of a collection without model stays: one who comes late to create it finds it there.
    """
    building = building_alias(store)
    actions: list[dict[str, Any]] = [
        {"remove": {"index": before.index, "alias": store.faces, "must_exist": True}},
        # Earlier versions of Sightings may have left it there.
        {"remove": {"index": before.index, "alias": building, "must_exist": False}},
        {"remove": {"index": after.index, "alias": building, "must_exist": True}},
        {"add": {"index": after.index, "alias": store.faces}},
    ]
    answer = store.connection.call(
        store.connection.client.indices.update_aliases, expect=(404,), actions=actions
    )
    # An attempt whose answer was lost may have done it.
    return bool(answer.meta.status != 404) or live(store).index == after.index


def remember(store: Store, version: Version, model: ModelIdentity) -> None:
    """Store a version's model anew: where its weights lie now, and the thresholds of verdicts."""
    meta = {
        "schema_version": SCHEMA_VERSION,
        "collection": store.name,
        "kind": "faces",
        "model": to_document(model),
        "replicas": version.replicas,
    }
    store.connection.call(
        store.connection.client.indices.put_mapping, index=version.index, meta={"sightings": meta}
    )
