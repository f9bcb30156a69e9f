"""The command: python -m benchmarks.search --faces 100000 --json figures.json."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import Report
from benchmarks.search.measuring import measure_faces, measure_filters, measure_media
from benchmarks.search.opening import measure_opening, measure_refresh
from benchmarks.search.people import made_up, of_index
from benchmarks.search.rescoring import measure_rescoring
from benchmarks.search.ways import WAYS, Numpy, Sightings
from indexer.evaluation.machine import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.search.people import Crowd
    from benchmarks.search.ways import Way

_PACKAGES = {"faiss": "faiss-cpu", "lancedb": "lancedb"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the options say, and print it."""
    options = _parsed(arguments)
    present = [way for way in WAYS if not way.missing()]
    packages = [_PACKAGES[way.needs] for way in present if way.needs]
    report = Report(describe("numpy", "numkong", *packages), options.json)
    for way in WAYS:
        if reason := way.missing():
            print(f"- {reason}")
    for crowd in _crowds(options):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            _measure(report, crowd, [_written(way, Path(folder), crowd) for way in present])


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument(
        "--faces", nargs="*", type=int, default=[10_000, 100_000], help="numbers of made-up faces"
    )
    parser.add_argument(
        "--faces-from", type=Path, metavar="INDEX", help="search the vectors of an index, too"
    )
    parser.add_argument("--queries", type=int, default=100, help="each is one round")
    parser.add_argument(
        "--folder", type=Path, help="where collections are written: 15 KB of room for each face"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures here, too")
    return parser.parse_args(arguments)


def _crowds(options: argparse.Namespace) -> Iterator[Crowd]:
    if options.faces_from:
        yield of_index(options.faces_from, queries=options.queries)
    for faces in options.faces:
        yield made_up(faces, queries=options.queries)


def _written(kind: type[Way], folder: Path, crowd: Crowd) -> Way:
    way = kind(folder / kind.__name__)
    way.folder.mkdir()
    way.write(crowd)
    return way


def _measure(report: Report, crowd: Crowd, ways: Sequence[Way]) -> None:
    report.add(f"Opening: {crowd.name}", [measure_opening(crowd, way) for way in ways])
    for way in ways:
        way.open()
    sightings = next(way for way in ways if isinstance(way, Sightings))
    plain = next(way for way in ways if isinstance(way, Numpy))
    report.add(f"The nearest faces: {crowd.name}", measure_faces(crowd, ways))
    report.add(f"The best media: {crowd.name}", measure_media(crowd, sightings, plain))
    report.add(f"Under filters: {crowd.name}", measure_filters(crowd, sightings))
    index_file = sightings.folder / "faces.sightings"
    report.add(f"Rescored: {crowd.name}", measure_rescoring(crowd, index_file))
    report.add(f"After five more faces: {crowd.name}", [measure_refresh(crowd, sightings)])
    sightings.index.close()


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):  # one core, for this process and those it starts
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    main()
