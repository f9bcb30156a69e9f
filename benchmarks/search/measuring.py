"""Times of searches, every way in turn, and whether all find the same."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.search.collection import media_numbers
from benchmarks.search.ways import Numpy, Sightings
from indexer.records import Filters

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from benchmarks.search.people import Crowd
    from benchmarks.search.ways import Found, Way
    from indexer.results import Group

    Answer = TypeVar("Answer")

K = 20
POSSIBLE = 0.56
"""Cosine from which a face counts in a search for media; FaceNet's for a false-accept of 0.001."""

_ROUNDING = 2e-6


class Difference(Exception):
    """Two ways found different faces or media."""


@dataclass(frozen=True)
class Times:
    """Of one kind of search in one way: wall time, this process's time, how often Sightings'."""

    faces: int
    asked_for: str
    way: str
    median_ms: float
    p99_ms: float
    cpu_median_ms: float
    times_sightings: float
    cpu_times_sightings: float
    each_ms: list[float]


class Stopwatch:
    """Wall and process times of calls, by name."""

    def __init__(self) -> None:
        self.wall_ms: dict[str, list[float]] = defaultdict(list)
        self.cpu_ms: dict[str, list[float]] = defaultdict(list)

    def time(self, name: str, call: Callable[[], Answer]) -> Answer:
        """Return a call's answer."""
        start, start_cpu = time.perf_counter(), time.process_time()
        answer = call()
        self.cpu_ms[name].append(1e3 * (time.process_time() - start_cpu))
        self.wall_ms[name].append(1e3 * (time.perf_counter() - start))
        return answer

    def rows(self, faces: int, asked_for: str) -> list[Times]:
        """Return what was measured; ratios are medians over the rounds."""
        mine, mine_cpu = self.wall_ms[Sightings.name], self.cpu_ms[Sightings.name]
        return [
            Times(
                faces,
                asked_for,
                name,
                float(np.median(wall)),
                float(np.quantile(wall, 0.99)),
                float(np.median(self.cpu_ms[name])),
                float(np.median(np.divide(wall, mine))),
                float(np.median(np.divide(self.cpu_ms[name], mine_cpu))),
                wall,
            )
            for name, wall in self.wall_ms.items()
        ]


def measure_faces(crowd: Crowd, ways: Sequence[Way]) -> list[Times]:
    """Time the search for the 20 nearest faces; each query is a round.

    Raises Difference unless all find the same.
    """
    watch = Stopwatch()
    for number, query in enumerate(crowd.queries):
        turn = number % len(ways)
        found: dict[str, Found] = {}
        for way in [*ways[turn:], *ways[:turn]]:
            found[way.name] = watch.time(way.name, lambda w=way, q=query: w.nearest(q, K))  # type: ignore[misc]
        exact = crowd.vectors.astype(np.float64) @ query if number == 0 else None
        for name, answer in found.items():
            _compare(name, answer, found[Sightings.name], crowd, query, exact)
    return watch.rows(len(crowd), f"{K} faces")


def _compare(
    name: str,
    answer: Found,
    mine: Found,
    crowd: Crowd,
    query: np.ndarray,
    exact: np.ndarray | None,
) -> None:
    """Raise Difference unless an answer is as good as Sightings', row by row, but for rounding."""
    rows, cosines = answer
    of_rows = crowd.vectors[rows].astype(np.float64) @ query
    best = mine[1] if exact is None else np.sort(exact)[::-1][:K]
    distinct = len(set(rows.tolist())) == len(mine[0])
    if not distinct or max(abs(of_rows - best).max(), abs(cosines - best).max()) > _ROUNDING:
        raise Difference(f"{name} found other faces than are nearest.")


def measure_media(crowd: Crowd, sightings: Sightings, plain: Numpy) -> list[Times]:
    """Time the search for the 20 best media, which in numpy leaves out all appearances; in turns.

    Raises Difference unless both find the same media, of those that count.
    """
    watch = Stopwatch()
    media = media_numbers(len(crowd))
    for number, query in enumerate(crowd.queries):
        searches: dict[str, Callable[[], np.ndarray]] = {
            Sightings.name: lambda q=query: _scores(sightings.media(q[None], K, POSSIBLE)),  # type: ignore[misc]
            Numpy.name: lambda q=query: plain.media(q, media, K)[1],  # type: ignore[misc]
        }
        turn = reversed(searches) if number % 2 else iter(searches)
        found = {name: watch.time(name, searches[name]) for name in turn}
        if not are_best(found[Sightings.name], found[Numpy.name]):
            raise Difference("Sightings found other media than numpy.")
    return watch.rows(len(crowd), f"{K} media")


def _scores(groups: Sequence[Group]) -> np.ndarray:
    return np.array([group.hits[0].score for group in groups])


def are_best(scores: np.ndarray, best: np.ndarray) -> bool:
    """Whether scores are those of the best media that count, but for rounding.

    scores, best: best first; `best` of more media than count, or as many as are asked for.
    """
    counting, others = best[: len(scores)], best[len(scores) :]
    return bool(
        len(counting) == len(scores)
        and (abs(scores - counting) <= _ROUNDING).all()
        and (scores >= POSSIBLE - _ROUNDING).all()
        and (others < POSSIBLE + _ROUNDING).all()
    )


@dataclass(frozen=True)
class Filtered:
    """Searches for 20 faces under a filter; without one, its first line."""

    faces: int
    filter: str
    passing: int
    median_ms: float
    p99_ms: float
    cpu_median_ms: float
    first_ms: float


def measure_filters(crowd: Crowd, sightings: Sightings) -> list[Filtered]:
    """Time searches under filters from wide to narrow; the first one of each kind apart."""
    rows = []
    for name, filters in _filters(len(crowd)).items():
        watch = Stopwatch()
        for query in crowd.queries:
            watch.time(name, lambda q=query, f=filters: sightings.nearest(q, K, f))  # type: ignore[misc]
        first, *wall = watch.wall_ms[name]
        median, p99 = float(np.median(wall)), float(np.quantile(wall, 0.99))
        cpu = float(np.median(watch.cpu_ms[name]))
        passing = sightings.index.count(filters)
        rows.append(Filtered(len(crowd), name, passing, median, p99, cpu, first))
    return rows


def _filters(faces: int) -> dict[str, Filters | None]:
    video = f"{int(media_numbers(faces)[-1]):032x}"
    return {
        "none": None,
        "all but one video": Filters(exclude_media_ids=(video,)),
        "unnamed": Filters(unnamed=True),
        "videos": Filters(kind="video"),
        "200 px and more": Filters(min_face_px=200.0),
        "380 px and more": Filters(min_face_px=380.0),
        "from 1:00 to 1:30": Filters(from_s=60.0, to_s=90.0),
        "a folder of all photos": Filters(path_prefix="/photos"),
        "a folder of a hundredth": Filters(path_prefix="/photos/17"),
        "one person": Filters(persons=("Person 7",)),
        "one video": Filters(media_ids=(video,)),
    }
