"""Asking for media by filters in all ways that there are; tests name media by letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.engines.builders import axis, photo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.engines.base import Index
    from indexer.records import Filters

NAMES = "abcdefgh"


def names_of(index: Index, filters: Filters, names: Sequence[str] = NAMES) -> set[str]:
    """The names of the media found, which every way of asking must agree on."""
    by_id = {photo(name).id: name for name in names}
    found = {by_id[hit.face.media_id] for hit in index.search(axis(0), 1000, filters)}
    groups = index.search_groups(axis(0)[None], 1000, filters)
    assert {by_id[group.media.id] for group in groups} == found
    assert {by_id[face.media_id] for face in index.iter_faces(filters)} == found
    assert (index.count(filters) > 0) == bool(found)
    return found


def media_names(index: Index, filters: Filters, names: Sequence[str] = NAMES) -> set[str]:
    by_id = {photo(name).id: name for name in names}
    return {by_id[media.id] for media in index.iter_media(filters)}
