"""What it costs to open a collection, in a new process, and to take over what was added to it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil

if TYPE_CHECKING:
    from benchmarks.search.people import Crowd
    from benchmarks.search.ways import Sightings, Way


@dataclass(frozen=True)
class Opened:
    """Until the first answer is there: time, and how much larger the process then is.

    on_disk_mb: Sightings' file holds all records and thumbnails (3 KB) besides the vectors.
    """

    faces: int
    way: str
    opened_s: float
    cpu_s: float
    rss_mb: float
    on_disk_mb: float


@dataclass(frozen=True)
class Refreshed:
    """What `refresh` takes after another connection added a photo of five faces.

    A search does the same before it looks for anything.
    """

    faces: int
    refresh_median_ms: float
    refresh_most_ms: float
    cpu_median_ms: float


def measure_opening(crowd: Crowd, way: Way, times: int = 3) -> Opened:
    """Open a collection in new processes; files are in the system's cache, as after writing."""
    command = [sys.executable, "-m", __spec__.name, type(way).__name__, str(way.folder)]
    runs = []
    for _ in range(times):
        query = crowd.queries[0].tobytes()
        done = subprocess.run(command, input=query, stdout=subprocess.PIPE, check=True)
        runs.append(json.loads(done.stdout))
    wall_s, cpu_s, rss_mb = np.median(runs, axis=0).tolist()
    files = [file for file in way.folder.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files) / 1e6
    return Opened(len(crowd), way.name, wall_s, cpu_s, rss_mb, size)


def measure_refresh(crowd: Crowd, sightings: Sightings, times: int = 20) -> Refreshed:
    """Add photos by another connection to the file, and time until this one has taken them over."""
    from benchmarks.search.collection import add_photo
    from indexer.engines.embedded.index import open_embedded

    wall_ms, cpu_ms = [], []
    with open_embedded(str(sightings.folder / "faces.sightings")) as other:
        for number in range(times):
            add_photo(other, f"added {number}", crowd.queries[:5])
            start, start_cpu = time.perf_counter(), time.process_time()
            sightings.index.refresh()
            cpu_ms.append(1e3 * (time.process_time() - start_cpu))
            wall_ms.append(1e3 * (time.perf_counter() - start))
    median, most = float(np.median(wall_ms)), max(wall_ms)
    return Refreshed(len(crowd), median, most, float(np.median(cpu_ms)))


def _rss_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


def main(name: str, folder: str) -> None:
    """Open a collection, answer the query that comes in, and print what that took."""
    from benchmarks.search import ways

    way = getattr(ways, name)(Path(folder))
    query = np.frombuffer(sys.stdin.buffer.read(), np.float32)
    _warm_up(name)
    before, start, start_cpu = _rss_mb(), time.perf_counter(), time.process_time()
    way.open()
    way.nearest(query, 20)
    took = time.perf_counter() - start, time.process_time() - start_cpu
    print(json.dumps([*took, _rss_mb() - before]))


def _warm_up(name: str) -> None:
    """Import what a way needs: that is no part of opening."""
    from importlib import import_module

    modules = {
        "Sightings": (
            "indexer.engines.embedded.index",
            "numkong",
            "benchmarks.search.collection",  # which tells the rows of hits
        ),
        "FaissFlat": ("faiss",),
        "LanceDB": ("lancedb",),
    }
    for module in modules.get(name, ()):
        import_module(module)


if __name__ == "__main__":
    main(*sys.argv[1:])
