"""Labels as documents, and the names that they give to faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from indexer.engines.elastic import filters as queries
from indexer.engines.elastic import media as media_documents
from indexer.engines.elastic.bulk import Action
from indexer.engines.elastic.faces import person_fields
from indexer.engines.elastic.values import exact_key, from_date, from_text, to_date
from indexer.records import Label, Person

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from indexer.engines.elastic.store import Store


def store_labels(store: Store, labels: Iterable[Label]) -> None:
    """Store labels, in place of those with their ids."""
    store.write(
        Action("index", store.labels, label.id, {"label_id": label.id, **_fields(label)})
        for label in labels
    )


def _fields(label: Label) -> dict[str, Any]:
    return {
        "media_id": label.media_id,
        "timestamp_s": float(label.timestamp_s),
        "box": [float(edge) for edge in label.box_xyxy],
        **person_fields(label.person),
        "source": label.source,
        "created_at": to_date(label.created_at),
    }


def rename(store: Store, old: str, new: str) -> set[str]:
    """Give the labels of a person another name; return their media.

    A label that others change or delete meanwhile is theirs.
    """
    named = queries.any_of("person_key", [exact_key(old)])
    media_ids: set[str] = set()
    for _ in media_documents.attempts():
        store.visible(store.labels, always=True)
        hits = list(store.scan(store.labels, named, ["label_id"], seq_no_primary_term=True))
        media_ids |= {hit["_source"]["media_id"] for hit in hits}
        conflicts = store.write(
            Action(
                "update",
                store.labels,
                hit["_id"],
                person_fields(new),
                hit["_seq_no"],
                hit["_primary_term"],
                missing_ok=True,
            )
            for hit in hits
        )
        if not conflicts:
            return media_ids
    raise media_documents.contended(min(media_ids))


def from_source(source: Mapping[str, Any]) -> Label:
    """Return a label as it is stored."""
    x1, y1, x2, y2 = source["box"]
    return Label(
        media_id=source["media_id"],
        timestamp_s=source["timestamp_s"],
        box_xyxy=(x1, y1, x2, y2),
        person=from_text(source["person"]),
        source=source["source"],
        created_at=cast("datetime", from_date(source["created_at"])),
    )


def listed(store: Store, media_ids: Sequence[str] = (), persons: Sequence[str] = ()) -> list[Label]:
    """Return labels in order of id, whoever wrote them; of the media and persons where given."""
    clauses = []
    if media_ids:
        clauses.append(queries.any_of("media_id", media_ids))
    if persons:
        clauses.append(queries.any_of("person_key", [exact_key(person) for person in persons]))
    store.visible(store.labels, always=True)
    hits = store.scan(store.labels, queries.all_of(*clauses), ["label_id"])
    return [from_source(hit["_source"]) for hit in hits]


def of_media(store: Store, media_ids: Sequence[str]) -> dict[str, list[Label]]:
    """Return the labels of media by media, whoever wrote them."""
    found: dict[str, list[Label]] = {}
    for label in listed(store, media_ids) if media_ids else ():
        found.setdefault(label.media_id, []).append(label)
    return found


def media_of(store: Store, label_ids: Iterable[str]) -> list[str]:
    """Return the media of those labels that exist."""
    found = store.get_many(store.labels, list(label_ids), includes=["media_id"])
    return sorted({document.source["media_id"] for document in found.values()})


def delete(store: Store, label_ids: Iterable[str]) -> dict[str, int]:
    """Delete labels; return how many there were, by media."""
    found = store.get_many(store.labels, list(label_ids), includes=["media_id"])
    store.write(Action("delete", store.labels, label_id) for label_id in found)
    counts: dict[str, int] = {}
    for document in found.values():
        media_id = document.source["media_id"]
        counts[media_id] = counts.get(media_id, 0) + 1
    return counts


def people(store: Store, index: str) -> list[Person]:
    """Return the names that faces carry, in order, counted exactly."""
    store.visible(store.faces)
    sources = [{field: {"terms": {"field": field}}} for field in ("person_key", "media_id")]
    faces: dict[str, int] = {}
    media: dict[str, int] = {}
    for bucket in store.composite(index, sources, queries.EVERYTHING):
        key = bucket["key"]["person_key"]
        faces[key] = faces.get(key, 0) + bucket["doc_count"]
        media[key] = media.get(key, 0) + 1
    one_of_each = store.scan(
        index,
        {"exists": {"field": "person_key"}},
        ["person_key"],
        collapse={"field": "person_key"},
        source=["person", "person_key"],
    )
    names = {
        hit["_source"]["person_key"]: from_text(hit["_source"]["person"]) for hit in one_of_each
    }
    # Who was named or unnamed between the two searches is counted another time.
    present = faces.keys() & names.keys()
    people = (Person(names[key], faces[key], media[key]) for key in present)
    return sorted(people, key=lambda person: person.name)
