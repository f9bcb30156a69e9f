"""Which names are known, and which unnamed faces look like a person's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.errors import NotFound, UsageError

if TYPE_CHECKING:
    from indexer.engines.base import Index


def is_known(index: Index, name: str) -> bool:
    """Whether a face or a label has the name."""
    named = {person.name for person in index.list_people()}
    return name in named or bool(index.list_labels(persons=[name]))


def require_known(index: Index, name: str) -> None:
    """Raise NotFound if nobody has the name."""
    if not is_known(index, name):
        raise NotFound(
            f"Nobody in the index is named {name!r}; `sightings people list` shows the names."
        )


def require_name(name: str) -> None:
    """Raise UsageError for a name that nobody could read."""
    if not name.strip():
        raise UsageError("A name needs at least one character that is not blank.")


def alike_faces(index: Index, name: str) -> list[str]:
    """Return the ids of unnamed faces that look like a person, with their whole appearances."""
    from indexer.query import person_query
    from indexer.records import Filters
    from indexer.searching import alike_unnamed

    try:
        hits = alike_unnamed(index, person_query(index, name))
    except NotFound:
        return []
    found = {hit.face.id for hit in hits}
    appearances = {hit.face.appearance_id for hit in hits if hit.face.appearance_id}
    media_ids = tuple({hit.face.media_id for hit in hits})
    faces = index.iter_faces(Filters(media_ids=media_ids, unnamed=True)) if hits else ()
    return sorted(found | {face.id for face in faces if face.appearance_id in appearances})
