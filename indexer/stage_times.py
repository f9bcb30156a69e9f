"""How long the stages of the pipeline work, apart from what they wait for."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

Item = TypeVar("Item")
Stage = Literal["decode", "detect", "embed", "store"]
STAGES: tuple[Stage, ...] = ("decode", "detect", "embed", "store")
"""`decode` includes choosing key frames; `detect` looks for faces, `embed` makes their vectors."""

BUCKETS_S = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
"""Bounds of the histograms: from a photo's stages to those of a minute of crowds."""


class StageTimes:
    """Seconds by stage; threads may add at the same time, so they may exceed the time gone by."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: dict[Stage, float] = {}

    @property
    def seconds(self) -> Mapping[Stage, float]:
        """The stages that have worked."""
        with self._lock:
            return dict(self._seconds)

    @contextmanager
    def of(self, stage: Stage) -> Iterator[None]:
        """Add the time that a block takes."""
        begun_s = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - begun_s)

    def add(self, stage: Stage, took_s: float) -> None:
        """Add seconds that were taken elsewhere."""
        with self._lock:
            self._seconds[stage] = self._seconds.get(stage, 0.0) + took_s

    def each(self, stage: Stage, items: Iterable[Item]) -> Generator[Item, None, None]:
        """Yield items, adding the time that each takes to come."""
        iterator = iter(items)
        while True:
            with self.of(stage):
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item


@dataclass(frozen=True)
class Histogram:
    """How long a stage took, of many segments.

    counts: of the segments that took no longer than each of BUCKETS_S, and, last, of all.
    """

    counts: tuple[int, ...] = (0,) * (len(BUCKETS_S) + 1)
    sum_s: float = 0.0

    def with_one(self, seconds: float) -> Histogram:
        """Return it with another segment."""
        more = (*(seconds <= bound for bound in BUCKETS_S), True)
        counts = tuple(count + add for count, add in zip(self.counts, more, strict=True))
        return Histogram(counts, self.sum_s + seconds)


class Histograms:
    """The stages' histograms in memory; threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_stage: dict[Stage, Histogram] = {}

    def add(self, seconds: Mapping[Stage, float]) -> None:
        """Add what the stages of a segment took."""
        with self._lock:
            for stage, took_s in seconds.items():
                self._by_stage[stage] = self._by_stage.get(stage, Histogram()).with_one(took_s)

    def read(self) -> Mapping[Stage, Histogram]:
        """Return what was added so far."""
        with self._lock:
            return dict(self._by_stage)
