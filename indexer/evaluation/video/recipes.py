"""Recipes of sets of clips, and the plans that they come to with the photos of a folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from indexer.evaluation.video.casting import cast
from indexer.evaluation.video.plan import ClipPlan, Shot
from indexer.evaluation.video.scripts import MIX, Draws, query_shot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from indexer.evaluation.video.casting import Role

Card = TypeVar("Card")

VERSION = 1
"""Of what is planned and drawn: sets of other versions are other sets."""


@dataclass(frozen=True)
class Recipe:
    """A set of clips.

    seed: of all that is drawn. clips, frames: how many, and of how many frames each. people: who
    are searched for; strangers: who are only seen. in_clip, strangers_in_clip: how many of them may
    be in one clip. query_frames: of the clip that each person is searched for with. min_face_px:
    see `truth.truth_of`.
    """

    name: str
    seed: int = 7
    clips: int = 10
    frames: int = 600
    people: int = 20
    strangers: int = 10
    in_clip: int = 6
    strangers_in_clip: int = 2
    query_frames: int = 50
    min_face_px: float = 40.0


MIXED = Recipe("mixed")
"""The mixed set: 10 clips of 24 s, 6,000 frames."""


@dataclass(frozen=True)
class Plans:
    """What a recipe comes to: the clips, the people who are asked for, and a clip of each."""

    clips: tuple[ClipPlan, ...]
    roles: tuple[Role, ...]
    query_clips: tuple[ClipPlan, ...]

    @property
    def photos(self) -> tuple[str, ...]:
        """Names of all photos that are seen or searched for with, sorted."""
        seen = {
            photo
            for clip in (*self.clips, *self.query_clips)
            for shot in clip.shots
            for actor in shot.actors
            for photo in actor.photos
        }
        return tuple(sorted(seen.union(*(role.queries for role in self.roles))))


def plans_of(recipe: Recipe, names: Sequence[str], folder: Path) -> Plans:
    """Return the plans for the photos of a folder, by name; the same ones for the same names.

    Raises UsageError if there are too few people with enough photos.
    """
    rng = np.random.default_rng(recipe.seed)
    roles, strangers = cast(
        names, rng, people=recipe.people, strangers=recipe.strangers, folder=folder
    )
    people, others = _dealt(roles, rng), _dealt(strangers, rng)
    shots = _dealt([name for name, (_, count) in MIX.items() for _ in range(count)], rng)
    clips = []
    for number in range(recipe.clips):
        present = [next(people) for _ in range(min(recipe.in_clip, len(roles)))]
        present += [next(others) for _ in range(min(recipe.strangers_in_clip, len(strangers)))]
        draws = Draws(rng, list(dict.fromkeys(present)))
        seed = recipe.seed * 1000 + number
        clips.append(ClipPlan(f"clip-{number + 1:02d}", _filled(recipe.frames, shots, draws), seed))
    query_clips = tuple(
        ClipPlan(
            f"query-{role.person}",
            (query_shot(Draws(rng, [role]), role, recipe.query_frames),),
            recipe.seed * 1000 + 500 + number,
        )
        for number, role in enumerate(roles)
    )
    return Plans(tuple(clips), roles, query_clips)


def _filled(frames: int, kinds: Iterator[str], draws: Draws) -> tuple[Shot, ...]:
    """Return shots of so many frames together; the last is cut off."""
    shots: list[Shot] = []
    left = frames
    while left > 0:
        shot = MIX[next(kinds)][0](draws)
        shots.append(shot if shot.frames <= left else _cut_off(shot, left))
        left -= shots[-1].frames
    return tuple(shots)


def _cut_off(shot: Shot, frames: int) -> Shot:
    from dataclasses import replace

    return replace(shot, frames=frames)


def _dealt(cards: Sequence[Card], rng: np.random.Generator) -> Iterator[Card]:
    """Yield cards for ever: all of them in mixed order, then all again in another one."""
    while cards:
        for i in rng.permutation(len(cards)).tolist():
            yield cards[i]
