"""What of a collection is on the cluster, and whether this version of Sightings can use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from es_mappings import KINDS, SCHEMA_VERSION, index_template
from indexer.engines.elastic.versions import building_alias
from indexer.errors import IndexFailure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from indexer.engines.elastic.store import Store


@dataclass(frozen=True)
class Part:
    """An index with an alias of the collection; `fields` is from its mapping."""

    alias: str
    index: str
    kind: str
    schema_version: int
    model: Mapping[str, Any] | None
    fields: Mapping[str, Any]


def find(store: Store) -> list[Part]:
    """Return the parts that are there. Raises IndexFailure if something else has their names."""
    aliases = [*store.aliases, building_alias(store)]
    answer = store.connection.call(
        store.connection.client.indices.get,
        index=aliases,
        ignore_unavailable=True,
        allow_no_indices=True,
        filter_path="*.aliases,*.mappings",
    )
    found: dict[str, Part] = {}
    parts: list[Part] = []
    for index, content in answer.body.items():
        meta = content.get("mappings", {}).get("_meta", {}).get("sightings") or {}
        for alias in [index, *content.get("aliases", ())]:
            if alias not in aliases:
                continue
            kind = alias.removeprefix(f"{store.name}-").replace("building", "faces")
            if alias == index or (meta.get("collection"), meta.get("kind")) != (store.name, kind):
                raise IndexFailure(
                    f"The index {index} on the cluster has the name or alias {alias}, but "
                    f"Sightings did not make it as a part of {store.name}. Use another name."
                )
            # Several may be built: those of processes that began at the same moment.
            if alias in found and alias != building_alias(store):
                raise IndexFailure(
                    f"The alias {alias} is on several indices, {found[alias].index} and {index}; "
                    "only one can be meant. Take it from the other."
                )
            found[alias] = Part(
                alias,
                index,
                kind,
                int(meta["schema_version"]),
                meta.get("model"),
                content["mappings"].get("properties", {}),
            )
            parts.append(found[alias])
    return parts


def missing(store: Store, parts: Sequence[Part]) -> list[str]:
    """Return the kinds of index that a collection has and this one has not."""
    present = {part.alias for part in parts}
    return [kind for kind in KINDS if f"{store.name}-{kind}" not in present]


def incomplete(store: Store, parts: Sequence[Part]) -> IndexFailure:
    """Return the error for a collection of which some indices are gone."""
    gone = ", ".join(f"{store.name}-{kind}" for kind in missing(store, parts))
    return IndexFailure(
        f"The index {store.connection.location.text} is not whole: {gone} is missing on the "
        "cluster, deleted or without its alias. Put it back or restore a snapshot; or delete the "
        f"other {store.name}-* too, and index again."
    )


def check(location: str, parts: Sequence[Part]) -> None:
    """Raise IndexFailure unless this version of Sightings made the parts as they are."""
    newer = [part.schema_version for part in parts if part.schema_version > SCHEMA_VERSION]
    if newer:
        raise IndexFailure(
            f"The index {location} was made by a newer version of Sightings (schema {max(newer)}; "
            f"this one knows {SCHEMA_VERSION}). Update Sightings."
        )
    older = [part.schema_version for part in parts if part.schema_version < SCHEMA_VERSION]
    if older:
        raise IndexFailure(
            f"The index {location} has the older schema {min(older)}, which this version of "
            f"Sightings ({SCHEMA_VERSION}) cannot migrate. Index the media again under another "
            "name, or use the version that made it."
        )
    for part in parts:
        if conflicts := _conflicts(part):
            raise IndexFailure(
                f"The mapping of {part.index} is not what Sightings made: {'; '.join(conflicts)}. "
                "It was changed on the cluster: restore a snapshot of it, or index under another "
                "name."
            )


def _conflicts(part: Part) -> list[str]:
    """Say in which fields a part's mapping differs from the template's in what they take."""
    of_model: dict[str, Any] = {"model_slug": "", "model": part.model, "index_options": {}}
    values = dict.fromkeys(("name", "schema_version", "shards", "replicas"), "") | of_model
    values["dimensions"] = part.model["dimensions"] if part.model else 0
    expected = index_template(part.kind, values)["template"]["mappings"]["properties"]
    if part.kind == "faces" and part.model is None:
        del expected["embedding"]
    return [
        f"{name} is {_taking(part.fields.get(name))}, not {_taking(field)}"
        for name, field in expected.items()
        if _taking(part.fields.get(name)) != _taking(field)
    ]


def _taking(field: Mapping[str, Any] | None) -> str:
    """Say what values a field takes."""
    if field is None:
        return "missing"
    dimensions = f" of {field['dims']} dimensions" if "dims" in field else ""
    return f"{field.get('type', 'object')}{dimensions}"
