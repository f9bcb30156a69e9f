"""The command: python -m benchmarks.service."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.report import Report
from benchmarks.service.archive import make_archive
from benchmarks.service.clients import answers_alone, put_load
from benchmarks.service.server import serving
from indexer.evaluation.machine import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.service.clients import Load

UNLIMITED = {"api.rate": "100000/second", "api.search_rate": "100000/second"}
"""All clients come from one address, which may not ask as often by default."""

REFUSED = (429, 503)


@dataclass(frozen=True)
class Searches:
    """What clients that ask all the time get in one stretch of the run.

    refused: answers with 429 or 503. errors: every other status than 200, and requests that were
    not answered. other: answers that differ from those given while nobody else asked.
    """

    stretch: str
    clients: int
    took_s: float
    found: int
    found_per_s: float
    p50_ms: float | None
    p99_ms: float | None
    with_429: int
    with_503: int
    refused_p99_ms: float | None
    errors: int
    other: int


@dataclass(frozen=True)
class Memory:
    """What the server's process held in memory in one stretch of the run."""

    stretch: str
    first_mb: float
    last_mb: float
    most_mb: float
    every_second_mb: list[float]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the options say, and print it."""
    options = _parsed(arguments)
    report = Report(describe("waitress", "flask", "numpy"), options.json)
    with tempfile.TemporaryDirectory(prefix="sightings-benchmark-") as folder:
        index = Path(folder) / "faces.sightings"
        asked = make_archive(index, options.faces, asked=options.asked)
        loads = _without_rates(index, asked, options)
        loads["load, default rates, ask at once"] = _with_rates(index, asked, options)
    title = f"Searches by stored face id in {options.faces} faces"
    report.add(title, [_searches(*load) for load in loads.items()])
    report.add("Memory of the service", [_memory(*load) for load in loads.items()])


def _without_rates(index: Path, asked: list[str], options: argparse.Namespace) -> dict[str, Load]:
    """Put on the load, then too much of it in two ways, then the load again, on one server."""
    loads: dict[str, Load] = {}
    with serving(index, UNLIMITED) as server:
        expected, loads["nobody else"] = answers_alone(server, asked)
        for stretch, clients, impatient in (
            ("load", options.clients, False),
            ("overload, refused wait as told", options.overload, False),
            ("overload, refused ask at once", options.overload, True),
            ("load after overload", options.clients, False),
        ):
            loads[stretch] = put_load(
                server, expected, clients, options.seconds, impatient=impatient
            )
    return loads


def _with_rates(index: Path, asked: list[str], options: argparse.Namespace) -> Load:
    """Put the load on a server that limits how often one address may ask."""
    with serving(index, {}) as server:
        expected, _ = answers_alone(server, asked)
        return put_load(server, expected, options.clients, options.seconds, impatient=True)


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description=__doc__)
    parser.add_argument("--faces", type=int, default=10_000, help="made-up faces in the index")
    parser.add_argument("--asked", type=int, default=100, help="of them are searched for, in turn")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--overload", type=int, default=400, help="clients that are too many")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each stretch")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures here, too")
    return parser.parse_args(arguments)


def _searches(stretch: str, load: Load) -> Searches:
    found = load.times_ms.get(200, [])
    refused = [took_ms for status in REFUSED for took_ms in load.times_ms.get(status, ())]
    return Searches(
        stretch=stretch,
        clients=load.clients,
        took_s=load.took_s,
        found=len(found),
        found_per_s=len(found) / load.took_s,
        p50_ms=_percentile(found, 50),
        p99_ms=_percentile(found, 99),
        with_429=load.number(429),
        with_503=load.number(503),
        refused_p99_ms=_percentile(refused, 99),
        errors=load.number(*(set(load.times_ms) - {200, *REFUSED})),
        other=load.other,
    )


def _percentile(times_ms: list[float], percent: float) -> float | None:
    return float(np.percentile(times_ms, percent)) if times_ms else None


def _memory(stretch: str, load: Load) -> Memory:
    held = load.memory_mb
    return Memory(stretch, held[0], held[-1], max(held), held)


if __name__ == "__main__":
    main()
