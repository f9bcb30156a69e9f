"""The named faces of an index as evidence: one of each appearance, a few of each person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.appearances import quality
from indexer.records import Filters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from indexer.engines.base import Index
    from indexer.records import Face

NAMES_AT_ONCE = 200


def named_faces(index: Index, *, per_person: int) -> list[Face]:
    """Return faces that carry a name, with embeddings, in order of name.

    Of an appearance only the best by `appearances.quality`: its faces are of one moment and one
    light, and were linked for being alike, so that they are no independent evidence. Of a person
    the first `per_person` in order of media ids, which are digests of the media: as good as drawn.
    """
    names = [person.name for person in index.list_people()]
    taken: dict[str, list[Face]] = {name: [] for name in names}
    for start in range(0, len(names), NAMES_AT_ONCE):
        asked = Filters(persons=tuple(names[start : start + NAMES_AT_ONCE]))
        for face in _one_per_appearance(index.iter_faces(asked, embeddings=True)):
            faces = taken.get(face.person or "")
            if faces is not None and len(faces) < per_person:
                faces.append(face)
    return [face for name in names for face in taken[name]]


def _one_per_appearance(faces: Iterable[Face]) -> Iterator[Face]:
    """Yield the best face of each appearance, and every face without one, media by media."""
    best: dict[str, Face] = {}
    media_id = None
    for face in faces:
        if face.media_id != media_id:
            yield from best.values()
            best, media_id = {}, face.media_id
        key = face.appearance_id or face.id
        if key not in best or quality(face) > quality(best[key]):
            best[key] = face
    yield from best.values()
