"""Wrong pairs on the page: those of each run, and those that several networks share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.evaluation.photo_folder import person_of
from indexer.evaluation.report.measures import cosine
from indexer.evaluation.report.runs import done
from indexer.evaluation.wrong_pairs import missed_by_several, voters, wrong_pairs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from indexer.evaluation.records import Outcome
    from indexer.evaluation.report.runs import Curve
    from indexer.evaluation.wrong_pairs import WrongPair

    Read = Callable[[str], str | None]

SHOWN = 24
"""Of each run, the worst; report.json has all."""
PICTURES_BYTES = 4_000_000
"""How much of the page these pictures may take; later ones are left out."""


@dataclass(frozen=True)
class Side:
    """A photo of a pair. picture: data URI, None if it cannot be read."""

    photo: str
    person: str
    picture: str | None


@dataclass(frozen=True)
class Shown:
    """A pair with its two photos. lines: what is said of it below them."""

    same: bool
    first: Side
    second: Side
    lines: tuple[str, ...]


@dataclass(frozen=True)
class RunsWrong:
    """The wrong pairs of a run, the worst first; refused and accepted count all of them."""

    name: str
    pairs: tuple[Shown, ...]
    refused: int
    accepted: int


@dataclass(frozen=True)
class WrongPairs:
    """What the page shows: pairs that several of the networks miss, and those of each run.

    shared_count: how many there are, also those not shown.
    """

    networks: tuple[str, ...]
    shared: tuple[Shown, ...]
    shared_count: int
    runs: tuple[RunsWrong, ...]


def wrong_pairs(
    outcomes: Sequence[Outcome], distinct: Sequence[Curve], read: Read | None
) -> WrongPairs:
    """Return the wrong pairs of the runs that verified.

    distinct: the runs that tell different things. read: what reads a photo by its name as a data
    URI; without it there are no pictures.
    """
    pictures = _Pictures(read)
    voting = voters(done(outcomes, "photos"))
    missed = missed_by_several(voting) if len(voting) > 1 else []
    shared = []
    for each in missed[:SHOWN]:
        seen = (f"{name} {_told(pair)}" for name, pair in each.missed_by.items())
        count = f"missed by {len(each.missed_by)} of {len(voting)}"
        shared.append(_shown(each.pair, pictures, count, *seen))
    runs = []
    for curve in distinct:
        if found := wrong_pairs_of(curve.outcome):
            pairs = tuple(_shown(pair, pictures, _told(pair)) for pair in found[:SHOWN])
            refused = sum(pair.same for pair in found)
            runs.append(RunsWrong(curve.name, pairs, refused, len(found) - refused))
    return WrongPairs(tuple(run.name for run in voting), tuple(shared), len(missed), tuple(runs))


def _shown(pair: WrongPair, pictures: _Pictures, *lines: str) -> Shown:
    first, second = (
        Side(name, person_of(name), pictures.of(name)) for name in (pair.first, pair.second)
    )
    return Shown(pair.same, first, second, lines)


def _told(pair: WrongPair) -> str:
    return f"{cosine(pair.cosine)} {'<' if pair.same else '≥'} {cosine(pair.threshold)}"


class _Pictures:
    """Photos as data URIs, as long as the page does not become too large."""

    def __init__(self, read: Read | None) -> None:
        self._read = read
        self._taken = 0

    def of(self, name: str) -> str | None:
        if self._read is None or self._taken > PICTURES_BYTES:
            return None
        picture = self._read(name)
        self._taken += len(picture or "")
        return picture
