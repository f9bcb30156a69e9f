"""What a search gives: hits, grouped by media, as results with spans."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.records import Face, Media, Verdict


@dataclass(frozen=True)
class Hit:
    """A face that a search found, with its raw cosine to the query."""

    face: Face
    score: float

    @property
    def euclidean(self) -> float:
        """Distance of the two unit vectors."""
        return math.sqrt(max(2.0 - 2.0 * self.score, 0.0))


@dataclass(frozen=True)
class Group:
    """A media's hits, best first: one for each appearance (each face of a photo)."""

    media: Media
    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class Sighting:
    """One appearance in a result: when the person is seen, and how well its best face matches.

    timestamp_s: when that face is seen.
    """

    start_s: float
    end_s: float
    score: float
    verdict: Verdict | None
    timestamp_s: float
    face_id: str


@dataclass(frozen=True)
class Result:
    """A media in which the person appears."""

    media: Media
    score: float
    verdict: Verdict | None
    best: Hit
    appearances: tuple[Sighting, ...]

    @property
    def person(self) -> str | None:
        """The name of the best hit's face, if it has one."""
        return self.best.face.person
