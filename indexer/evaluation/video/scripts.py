"""Scripts of shots: what happens in each kind of them, drawn within its bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.evaluation.video.plan import FRAMES_PER_S, HEIGHT, WIDTH, Actor, Pose, Shot, View

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

    from indexer.evaluation.video.casting import Role

    Script = Callable[["Draws"], Shot]

_OUTSIDE_PX = 110
"""How far beyond the frame's edge the centre of a face is when nothing of it is seen."""


class Draws:
    """Draws what a script leaves open; all lengths and times come rounded, so that plans compare.

    people: who may be in the clip.
    """

    def __init__(self, rng: np.random.Generator, people: Sequence[Role]) -> None:
        self._rng = rng
        self._people = people

    def between(self, low: float, high: float) -> float:
        """Return a number of the range."""
        return round(float(self._rng.uniform(low, high)), 3)

    def chance(self, share: float) -> bool:
        """Return true in a share of all cases."""
        return bool(self._rng.random() < share)

    def people(self, count: int) -> list[Role]:
        """Return different people of the clip, at most `count`."""
        chosen = self._rng.permutation(len(self._people))[:count]
        return [self._people[i] for i in chosen.tolist()]

    def actor(self, role: Role, path: tuple[Pose, ...], seconds: float) -> Actor:
        """Return a person on a path, who turns into another of their photos now and then."""
        changes, at_s = [], self.between(1.0, 4.0)
        while at_s < seconds - 0.5:
            changes.append(round(at_s, 3))
            at_s += self.between(1.2, 4.0)
        order = self._rng.permutation(len(role.in_clips)).tolist()
        photos = tuple(role.in_clips[order[i % len(order)]] for i in range(len(changes) + 1))
        return Actor(
            role.person,
            photos,
            path,
            tuple(changes),
            sway_px=self.between(1.0, 5.0),
            phase=self.between(0.0, 6.2),
        )

    def standing(
        self, role: Role, seconds: float, x: float, y: float, face_px: tuple[float, float]
    ) -> Actor:
        """Return a person who stays about a place."""
        here = Pose(
            0.0,
            round(x + self.between(-15, 15), 3),
            round(y + self.between(-12, 12), 3),
            self.between(*face_px),
        )
        return self.actor(role, (here,), seconds)


def _frames(seconds: float) -> int:
    return max(1, round(seconds * FRAMES_PER_S))


def _side_by_side(
    draws: Draws, count: int, seconds: float, face_px: tuple[float, float], width: float = WIDTH
) -> tuple[Actor, ...]:
    people = draws.people(count)
    return tuple(
        draws.standing(role, seconds, (i + 0.5) * width / len(people), 0.45 * HEIGHT, face_px)
        for i, role in enumerate(people)
    )


def interview(draws: Draws) -> Shot:
    """One person, close, on a tripod."""
    seconds = draws.between(3, 7)
    (role,) = draws.people(1)
    x = draws.between(0.35, 0.65) * WIDTH
    actor = draws.standing(role, seconds, x, 0.45 * HEIGHT, (85, 140))
    return Shot("interview", _frames(seconds), (actor,))


def conversation(draws: Draws) -> Shot:
    """Two or three side by side, on a tripod."""
    seconds, count = draws.between(3, 7), 3 if draws.chance(0.4) else 2
    return Shot("conversation", _frames(seconds), _side_by_side(draws, count, seconds, (55, 85)))


def handheld(draws: Draws) -> Shot:
    """One or two before a camera that is held by hand."""
    seconds, count = draws.between(3, 6), 2 if draws.chance(0.5) else 1
    actors = _side_by_side(draws, count, seconds, (65, 110))
    return Shot("handheld", _frames(seconds), actors, shake_px=draws.between(4, 9))


def pan(draws: Draws) -> Shot:
    """Three or four, past whom the camera moves: that is how they come into the frame and go."""
    seconds, room = draws.between(3, 6), draws.between(0.4, 1.0) * WIDTH
    actors = _side_by_side(draws, 4 if draws.chance(0.5) else 3, seconds, (55, 85), WIDTH + room)
    ways = [0.0, round(room, 3)]
    start, end = ways if draws.chance(0.5) else ways[::-1]
    camera = View(0.0, start, 0.0), View(seconds, end, 0.0)
    return Shot("pan", _frames(seconds), actors, camera, shake_px=draws.between(0, 3))


def walk(draws: Draws) -> Shot:
    """Somebody walks through the frame; at times past somebody who stands there."""
    seconds = draws.between(2.5, 4.5)
    walker, bystander = (draws.people(2) * 2)[:2]
    ends = [-float(_OUTSIDE_PX), float(WIDTH + _OUTSIDE_PX)]
    start, end = ends if draws.chance(0.5) else ends[::-1]
    y, px = draws.between(0.4, 0.5) * HEIGHT, draws.between(60, 100)
    path = Pose(0.0, start, round(y, 3), px), Pose(seconds, end, round(y, 3), px)
    actors = [draws.actor(walker, path, seconds)]
    if draws.chance(0.5) and bystander is not walker:
        x = draws.between(0.25, 0.75) * WIDTH
        actors.insert(0, draws.standing(bystander, seconds, x, 0.42 * HEIGHT, (50, 70)))
    return Shot("walk", _frames(seconds), tuple(actors))


def leave_and_return(draws: Draws) -> Shot:
    """Somebody leaves the frame and comes back."""
    away_s, move_s = draws.between(0.8, 3.5), draws.between(0.5, 1.0)
    stays_s = draws.between(1.5, 2.5)
    seconds = round(2 * stays_s + 2 * move_s + away_s, 3)
    (role,) = draws.people(1)
    x, y, px = draws.between(0.4, 0.6) * WIDTH, 0.45 * HEIGHT, draws.between(70, 110)
    outside = float(WIDTH + _OUTSIDE_PX) if draws.chance(0.5) else -float(_OUTSIDE_PX)
    knots = (
        (0.0, x),
        (stays_s, x),
        (stays_s + move_s, outside),
        (stays_s + move_s + away_s, outside),
        (seconds - stays_s, x),
    )
    path = tuple(Pose(round(at_s, 3), round(where, 3), y, px) for at_s, where in knots)
    return Shot("leave and return", _frames(seconds), (draws.actor(role, path, seconds),))


def approach(draws: Draws) -> Shot:
    """Somebody comes nearer, from a face below what is looked for to a large one, or goes away."""
    seconds = draws.between(3, 5)
    (role,) = draws.people(1)
    x, sizes = draws.between(0.3, 0.7) * WIDTH, [draws.between(28, 36), draws.between(90, 120)]
    first_px, last_px = sizes if draws.chance(0.6) else sizes[::-1]
    path = (
        Pose(0.0, round(x, 3), 0.4 * HEIGHT, first_px),
        Pose(seconds, round(x, 3), 0.48 * HEIGHT, last_px),
    )
    return Shot("approach", _frames(seconds), (draws.actor(role, path, seconds),))


def crowd(draws: Draws) -> Shot:
    """Five or six small faces, at the limit of what is looked for."""
    seconds = draws.between(3, 5)
    people = draws.people(6 if draws.chance(0.5) else 5)
    actors = []
    for i, role in enumerate(people):
        x, y = (0.17 + 0.33 * (i % 3)) * WIDTH, (0.27 + 0.46 * (i // 3)) * HEIGHT
        actors.append(draws.standing(role, seconds, x, y, (39, 54)))
    return Shot("crowd", _frames(seconds), tuple(actors))


def dark(draws: Draws) -> Shot:
    """One or two with little light."""
    seconds, count = draws.between(3, 5), 2 if draws.chance(0.5) else 1
    actors = _side_by_side(draws, count, seconds, (65, 100))
    return Shot("dark", _frames(seconds), actors, light=draws.between(0.18, 0.35))


def nobody(draws: Draws) -> Shot:
    """Nobody, on a tripod or by hand."""
    shake_px = draws.between(3, 8) if draws.chance(0.5) else 0.0
    return Shot("nobody", _frames(draws.between(1.5, 4)), shake_px=shake_px)


def glimpse(draws: Draws) -> Shot:
    """One person for less than a second."""
    seconds = draws.between(0.3, 0.8)
    (role,) = draws.people(1)
    x = draws.between(0.35, 0.65) * WIDTH
    actor = draws.standing(role, seconds, x, 0.45 * HEIGHT, (70, 120))
    return Shot("glimpse", _frames(seconds), (actor,))


MIX: Mapping[str, tuple[Script, int]] = {
    "interview": (interview, 4),
    "conversation": (conversation, 3),
    "handheld": (handheld, 2),
    "pan": (pan, 2),
    "walk": (walk, 2),
    "leave and return": (leave_and_return, 1),
    "approach": (approach, 1),
    "crowd": (crowd, 1),
    "dark": (dark, 1),
    "nobody": (nobody, 2),
    "glimpse": (glimpse, 1),
}
"""The kinds of shots, and how many of each are among twenty: mostly people who talk before a camera
that stands still, as in what is broadcast and filmed at home, with all that is harder besides."""


def query_shot(draws: Draws, role: Role, frames: int) -> Shot:
    """Return a shot of one person, close, with the photos that are for searching with a clip."""
    face_px, half_s = draws.between(90, 130), round(frames / FRAMES_PER_S / 2, 3)
    here = Pose(0.0, WIDTH / 2, 0.45 * HEIGHT, face_px)
    actor = Actor(role.person, role.in_query_clip, (here,), (half_s,), sway_px=3.0)
    return Shot("query", frames, (actor,))
