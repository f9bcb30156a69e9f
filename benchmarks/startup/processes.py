"""Fresh processes that are timed from the moment before they are started to their end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ENDING = "until the process is gone"


@dataclass(frozen=True)
class Took:
    """Time by the clock, and of the processors."""

    wall_s: float
    cpu_s: float


def run(arguments: Sequence[str], cache: Path) -> Took:
    """Run `sightings` with these arguments and this cache folder.

    Raises RuntimeError, with what it said, unless it ends with 0.
    """
    start, start_cpu = time.perf_counter(), _children_s()
    _done(["-m", "indexer", *arguments], cache)
    return Took(time.perf_counter() - start, _children_s() - start_cpu)


def imports_torch(arguments: Sequence[str], cache: Path) -> bool:
    """Run it again, not timed, and tell whether torch is among what it imports."""
    told = _done(["-X", "importtime", "-m", "indexer", *arguments], cache).stderr
    return "torch" in {line.rsplit("|")[-1].strip() for line in told.splitlines()}


def parts_of_a_search(index: Path, photo: Path, cache: Path) -> dict[str, Took]:
    """Run `benchmarks.startup.inside`, and return the times of its parts in order."""
    start, start_cpu = time.monotonic(), _children_s()
    arguments = ["-m", "benchmarks.startup.inside", str(start), str(index), str(photo)]
    told = json.loads(_done(arguments, cache).stdout)
    wall_s, cpu_s = time.monotonic() - start, _children_s() - start_cpu
    for took_s, took_cpu_s, times in told.values():
        wall_s, cpu_s = wall_s - took_s * times, cpu_s - took_cpu_s * times
    parts = {name: Took(took_s, took_cpu_s) for name, (took_s, took_cpu_s, _) in told.items()}
    return {**parts, ENDING: Took(wall_s, cpu_s)}


def _children_s() -> float:
    """Return the processor time of all processes that were waited for."""
    times = os.times()
    return times.children_user + times.children_system


def _done(arguments: Sequence[str], cache: Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SIGHTINGS_")}
    environment |= {f"XDG_{part}_HOME": str(cache / part) for part in ("DATA", "CONFIG")}
    environment["SIGHTINGS_CACHE"] = str(cache)
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(
            f"{' '.join(arguments[:4])} … ended with {done.returncode}: {done.stderr}"
        )
    return done
