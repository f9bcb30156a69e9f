"""The command: python -m benchmarks.startup --json figures.json."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import Report
from benchmarks.startup.processes import Took, imports_torch, parts_of_a_search, run
from indexer.embeddings.facenet import VGGFACE2
from indexer.evaluation.machine import describe
from indexer.weights import find_weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HELP, COLD, WARM, NOTHING = (
    "sightings --help",
    "sightings search, empty cache",
    "sightings search",
    "sightings index, nothing to do",
)


@dataclass(frozen=True)
class Started:
    """A command from its start to its end; cpu_s: processor time of all its threads.

    imports_torch: None where it was not looked at, as what converts networks needs it.
    """

    command: str
    median_s: float
    least_s: float
    most_s: float
    cpu_s: float
    imports_torch: bool | None
    every_s: list[float]


@dataclass(frozen=True)
class Part:
    """One step of a search of the same photo in a process of its own."""

    part: str
    median_ms: float
    least_ms: float
    most_ms: float
    cpu_ms: float
    every_ms: list[float]


@dataclass(frozen=True)
class Case:
    """What is searched: index and photo, and the paths that `sightings index` is given."""

    index: Path
    photo: Path
    paths: tuple[Path, ...]
    cache: Path

    def command(self, name: str) -> list[str]:
        """Return a command's arguments."""
        if name == HELP:
            return ["--help"]
        if name == NOTHING:
            return ["index", *map(str, self.paths), f"--index={self.index}"]
        return ["search", str(self.photo), f"--index={self.index}"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the options say, and print it; exit with 1 if a warm search imports torch."""
    options = _parsed(arguments)
    report = Report(describe("sightings", "openvino", "torch", "numpy"), options.json)
    with (
        tempfile.TemporaryDirectory(prefix="sightings-benchmark-") as folder,
        _case(options, Path(folder)) as case,
    ):
        names = [HELP, COLD, WARM, *([NOTHING] if case.paths else ())]
        commands: dict[str, list[Took]] = {name: [] for name in names}
        parts: dict[str, list[Took]] = {}
        for _ in range(options.rounds):
            for name, took in commands.items():
                with _cache(name, case) as cache:
                    took.append(run(case.command(name), cache))
            for name, one in parts_of_a_search(case.index, case.photo, case.cache).items():
                parts.setdefault(name, []).append(one)
        rows = [_started(name, took, case) for name, took in commands.items()]
        report.add(f"Commands, {options.rounds} rounds", rows)
        report.add("A search's parts", [_part(name, took) for name, took in parts.items()])
    if any(row.imports_torch for row in rows if row.command == WARM):
        sys.exit("A search whose networks are in the cache imports torch.")


@contextmanager
def _case(options: argparse.Namespace, folder: Path) -> Iterator[Case]:
    """Make the index, unless one is given, and fill the cache by one search."""
    cache = folder / "cache"
    paths: tuple[Path, ...] = ()
    if options.index is None:
        paths = tuple(sorted(options.faces.rglob("*.jpg"))[: options.photos])
        index = folder / "faces.sightings"
        given = ["index", *map(str, paths), f"--index={index}", f"--model={options.model}"]
        run(given, cache)
    case = Case(options.index or index, options.photo or paths[0], paths, cache)
    run(case.command(WARM), cache)
    yield case


@contextmanager
def _cache(name: str, case: Case) -> Iterator[Path]:
    """Lend the cache folder that a command finds."""
    if name != COLD:
        yield case.cache
        return
    with tempfile.TemporaryDirectory(prefix="sightings-benchmark-") as empty:
        yield Path(empty)


def _started(name: str, took: list[Took], case: Case) -> Started:
    seconds = [one.wall_s for one in took]
    return Started(
        command=name,
        median_s=statistics.median(seconds),
        least_s=min(seconds),
        most_s=max(seconds),
        cpu_s=statistics.median(one.cpu_s for one in took),
        imports_torch=None if name == COLD else imports_torch(case.command(name), case.cache),
        every_s=seconds,
    )


def _part(name: str, took: list[Took]) -> Part:
    times_ms = [1e3 * one.wall_s for one in took]
    return Part(
        part=name,
        median_ms=statistics.median(times_ms),
        least_ms=min(times_ms),
        most_ms=max(times_ms),
        cpu_ms=1e3 * statistics.median(one.cpu_s for one in took),
        every_ms=times_ms,
    )


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    data = Path(os.environ["SIGHTINGS_TEST_DATA"]) if "SIGHTINGS_TEST_DATA" in os.environ else None
    faces = data / "data" / "lfw" if data else None
    weights = data / "models" / "facenet-vggface2.pt" if data else find_weights(VGGFACE2, None)
    model = f"facenet:{weights}" if weights else None
    add = parser.add_argument
    add("--faces", type=Path, default=faces, metavar="DIR", help="photos of faces, *.jpg")
    add("--photos", type=int, default=10, metavar="N", help="of them are indexed")
    add("--model", default=model, help="of the index that is made")
    add("--index", type=Path, help="search this one instead; --photo says for whom")
    add("--photo", type=Path, help="is searched for; by default the first that is indexed")
    add("--rounds", type=int, default=7, help="in each, every command once")
    add("--json", type=Path, metavar="FILE", help="write all figures here, too")
    options = parser.parse_args(arguments)
    if options.index is None:
        if not options.model:
            parser.error("--model has to name the model of the index that is made")
        if options.faces is None or not next(options.faces.rglob("*.jpg"), None):
            parser.error("--faces has to name a folder of photos of faces")
    elif options.photo is None:
        parser.error("--index needs --photo")
    return options


if __name__ == "__main__":
    main()
