"""Contact sheets: a query photo and the 20 photos found for it, right or wrong."""

from __future__ import annotations

import base64
import io
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from indexer.evaluation.report.measures import number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from indexer.evaluation.records import Outcome
    from indexer.evaluation.report.runs import Curve

BEST, WORST, TOP = 2, 3, 20
TILE_PX, JPEG_QUALITY = 96, 68
PICTURES_BYTES = 10_000_000
"""How much of the page pictures may take; configurations after the best ones go without then."""
_ENOUGH_PHOTOS = 5
_KEPT_PICTURES = 4096


@dataclass(frozen=True)
class Tile:
    """A photo on a sheet. picture: data URI, None if it cannot be read. right: None: the query."""

    photo: str
    person: str
    score: float | None
    right: bool | None
    picture: str | None


@dataclass(frozen=True)
class Sheet:
    """A query and what was found.

    existing: right photos there are; at most 20 can be shown. problem: why there are no tiles.
    """

    title: str
    query: Tile | None
    tiles: tuple[Tile, ...] = ()
    existing: int = 0
    average_precision: float | None = None
    problem: str = ""

    @property
    def right(self) -> int:
        """How many of those found show the person."""
        return sum(bool(tile.right) for tile in self.tiles)


@dataclass(frozen=True)
class Sheets:
    """The sheets of a configuration; none where the page would become too large."""

    curve: Curve
    sheets: tuple[Sheet, ...]


def make_sheets(
    curves: Sequence[Curve], photos: Path, queries: Sequence[str]
) -> tuple[list[Sheets], list[str]]:
    """Return the sheets of the configurations with neighbours, best first, within the size.

    Names of those left out for the page's size come second. photos: the folder that names in
    outcomes are relative to. queries: photos, or people, whose first photo is taken.
    """
    read = picture_reader(photos)
    made: list[Sheets] = []
    left_out: list[str] = []
    taken = 0
    for curve in curves:
        if not {"names", "persons", "neighbours"} <= set(curve.outcome.arrays):
            continue
        if taken > PICTURES_BYTES:
            left_out.append(curve.name)
            continue
        sheets = tuple(_sheets(curve.outcome, read, queries))
        taken += sum(len(t.picture or "") for s in sheets for t in (s.query, *s.tiles) if t)
        made.append(Sheets(curve, sheets))
    return made, left_out


def extremes(outcome: Outcome) -> tuple[list[int], list[int]]:
    """Return rows of the best and the worst queries, each of another person.

    The best are those of highest average precision among people with five photos or more, if
    there are any, since one right photo is soon found; with more photos first. The worst are those
    of lowest average precision, with more photos first, since more of them could have been found.
    """
    persons = [str(each) for each in outcome.arrays["persons"]]
    precision = np.asarray(outcome.arrays.get("average_precision", ()), float)
    photos = Counter(persons)
    known = [row for row in range(len(precision)) if np.isfinite(precision[row])]
    many = [row for row in known if photos[persons[row]] >= _ENOUGH_PHOTOS] or known
    best = sorted(many, key=lambda row: (-precision[row], -photos[persons[row]], row))
    worst = sorted(known, key=lambda row: (precision[row], -photos[persons[row]], row))
    chosen = _of_different_people(best, persons, BEST)
    return chosen, _of_different_people([r for r in worst if r not in chosen], persons, WORST)


def _sheets(
    outcome: Outcome, read: Callable[[str], str | None], queries: Sequence[str]
) -> Iterator[Sheet]:
    names = [str(each) for each in outcome.arrays["names"]]
    persons = [str(each) for each in outcome.arrays["persons"]]
    for query in queries:
        row = names.index(query) if query in names else None
        if row is None and query in persons:
            row = persons.index(query)
        if row is None:
            problem = "It has no vector in this run: not in the folder, or no face was found."
            yield Sheet(f"Chosen: {query}", None, problem=problem)
        else:
            yield _sheet("Chosen", outcome, row, read)
    best, worst = extremes(outcome)
    for title, rows in (("Best", best), ("Worst", worst)):
        for row in rows:
            yield _sheet(title, outcome, row, read)


def _sheet(title: str, outcome: Outcome, row: int, read: Callable[[str], str | None]) -> Sheet:
    arrays = outcome.arrays
    names, persons = arrays["names"], arrays["persons"]
    person = str(persons[row])
    scores = arrays.get("neighbour_scores")
    tiles = []
    for place, found in enumerate(arrays["neighbours"][row][:TOP]):
        if found < 0:  # fewer photos than 20
            continue
        photo, whose = str(names[found]), str(persons[found])
        score = number({"score": scores[row][place]}, "score") if scores is not None else None
        tiles.append(Tile(photo, whose, score, whose == person, read(photo)))
    precision = outcome.arrays.get("average_precision")
    return Sheet(
        title,
        Tile(str(names[row]), person, None, None, read(str(names[row]))),
        tuple(tiles),
        existing=int(np.sum(np.asarray(persons) == person)) - 1,
        average_precision=None if precision is None else number({"ap": precision[row]}, "ap"),
    )


def _of_different_people(rows: Sequence[int], persons: Sequence[str], count: int) -> list[int]:
    chosen: dict[str, int] = {}
    for row in rows:
        chosen.setdefault(persons[row], row)
        if len(chosen) == count:
            break
    return list(chosen.values())


def picture_reader(photos: Path) -> Callable[[str], str | None]:
    """Return what reads a photo of the folder as a small JPEG in a data URI; None if it cannot.

    Names come with features that others may have made: none leads out of the folder. Links that
    lie in it are the user's own and are followed, as where the photos were measured.
    """
    folder = photos.absolute()

    @lru_cache(maxsize=_KEPT_PICTURES)
    def read(name: str) -> str | None:
        from PIL import Image, ImageOps

        try:
            path = folder / name
            if ".." in path.parts[len(folder.parts) :] or not path.is_relative_to(folder):
                return None
            with Image.open(path) as opened:
                picture = ImageOps.fit(
                    ImageOps.exif_transpose(opened).convert("RGB"), (TILE_PX, TILE_PX)
                )
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return None
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=JPEG_QUALITY, optimize=True)
        return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"

    return read
