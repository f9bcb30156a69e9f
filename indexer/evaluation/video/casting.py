"""Who plays: people of a folder of photos, and which of their photos are seen, and which ask."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.errors import UsageError
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np

QUERY_PHOTOS = 2
"""Photos that each person is searched for with, one at a time."""

QUERY_CLIP_PHOTOS = 2
"""Other photos of them in the clip that each person is searched for with."""

LEAST_IN_CLIPS, MOST_IN_CLIPS = 3, 6
"""Photos of a person that are seen in the clips."""


@dataclass(frozen=True)
class Role:
    """A person and their photos, by name, `Name/Name_0001.jpg`; no photo is in two of the lists.

    in_clips: seen in the clips. queries: searched for with, each by itself; in_query_clip: seen in
    the clip searched for with. Both are empty for a stranger, whom nobody asks for.
    """

    person: str
    in_clips: tuple[str, ...]
    queries: tuple[str, ...] = ()
    in_query_clip: tuple[str, ...] = ()


def cast(
    names: Sequence[str], rng: np.random.Generator, *, people: int, strangers: int, folder: Path
) -> tuple[tuple[Role, ...], tuple[Role, ...]]:
    """Return the roles of people who are asked for, and of strangers, in order of name.

    names: of photos. folder: named in the error. Raises UsageError if there are too few people
    with enough photos.
    """
    by_person: Mapping[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        by_person[name.split("/")[0]].append(name)
    needed = QUERY_PHOTOS + QUERY_CLIP_PHOTOS + LEAST_IN_CLIPS
    often = [person for person, photos in by_person.items() if len(photos) >= needed]
    if len(often) < people or len(by_person) < people + strangers:
        raise UsageError(
            f"{shown(folder)} has {len(often)} people with {needed} photos or more, and "
            f"{len(by_person)} in all; the clips need {people}, and {strangers} others. Give a "
            "folder in LFW's layout, NAME/NAME_0001.jpg, with enough of them."
        )
    wanted = sorted(rng.choice(often, people, replace=False).tolist())
    others = [person for person in by_person if person not in wanted]
    unknown = sorted(rng.choice(others, strangers, replace=False).tolist())
    return (
        tuple(_wanted(person, by_person[person], rng) for person in wanted),
        tuple(Role(person, tuple(by_person[person][:MOST_IN_CLIPS])) for person in unknown),
    )


def _wanted(person: str, photos: Sequence[str], rng: np.random.Generator) -> Role:
    mixed = rng.permutation(photos).tolist()
    queries, rest = mixed[:QUERY_PHOTOS], mixed[QUERY_PHOTOS:]
    in_query_clip, rest = rest[:QUERY_CLIP_PHOTOS], rest[QUERY_CLIP_PHOTOS:]
    return Role(person, tuple(rest[:MOST_IN_CLIPS]), tuple(queries), tuple(in_query_clip))
