"""Both sides on the same pictures, taking turns with the project's faster settings."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from typing import TYPE_CHECKING

from benchmarks.detection.sides import Process
from benchmarks.ingest.equality import Difference, compare_boxes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.detection.material import Pictures
    from benchmarks.detection.sides import Look, Seen, Side

TOLERANCE_PX = 0.01


@dataclass
class Measured:
    """What was seen in some pictures, once for each round.

    default: the project with its default settings; others: with others, by them.
    """

    pictures: Pictures
    default_look: Look
    naive: list[Seen] = field(default_factory=list)
    default: list[Seen] = field(default_factory=list)
    others: dict[Look, list[Seen]] = field(default_factory=lambda: defaultdict(list))
    difference: Difference = Difference()


def other_looks(
    default: Look, min_faces_px: Sequence[int], max_sides_px: Sequence[int], longest_side_px: int
) -> list[Look]:
    """Return each pair of the two settings but the default one.

    max_sides_px: those that the pictures do not exceed change nothing and are left out.
    """
    sides = [0, *(side for side in max_sides_px if 0 < side < longest_side_px)]
    looks = [
        replace(default, min_face_px=face, max_side_px=side)
        for side in sides
        for face in min_faces_px
    ]
    return [look for look in looks if look != default]


def measure(
    pictures: Pictures, default: Look, others: Sequence[Look], naive: Look, rounds: int
) -> Measured:
    """Measure on some pictures, and compare the default settings' faces with facenet-pytorch's.

    naive: what facenet-pytorch looks for.
    """
    measured = Measured(pictures, default)
    spawn = get_context("spawn")
    with Process(ctx=spawn) as theirs, Process(ctx=spawn) as ours:
        facenet, project = theirs.naive(), ours.project()
        facenet.hold(pictures.images)
        project.hold(pictures.images)
        turns: list[tuple[Side, Look, list[Seen]]] = [
            (facenet, naive, measured.naive),
            (project, default, measured.default),
            *((project, look, measured.others[look]) for look in others),
        ]
        for number in range(rounds):
            for side, look, seen in turns[::-1] if number % 2 else turns:
                seen.append(side.look(look))
    measured.difference = sum(_differences(measured), Difference())
    return measured


def _differences(measured: Measured) -> Iterator[Difference]:
    for theirs, ours in zip(measured.naive, measured.default, strict=True):
        for number, (expected, found) in enumerate(zip(theirs.faces, ours.faces, strict=True)):
            where = f"{measured.pictures.name}, picture {number}"
            yield compare_boxes(where, expected, found, TOLERANCE_PX)
