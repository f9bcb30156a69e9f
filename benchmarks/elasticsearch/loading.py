"""What a first load gains from `elasticsearch.first_load`, and what merging costs after it."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.elasticsearch.collections import fill, merge, new_collection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.elasticsearch.collections import Collection
    from benchmarks.elasticsearch.gallery import Gallery

SEARCHES_PER_S = 10
WAYS = [(first_load, searched) for searched in (False, True) for first_load in (False, True)]


@dataclass(frozen=True)
class Load:
    """Medians of loads of one kind. searched: ten times a second, as long as it lasts."""

    vectors: str
    faces: int
    first_load: bool
    searched: bool
    rows_per_s: float
    segments: float
    merge_s: float


def measure_loading(url: str, gallery: Gallery, vector_type: str, repetitions: int) -> list[Load]:
    """Load collections in each way in turn, as often as is said, after one that warms up."""
    figures: dict[tuple[bool, bool], list[tuple[float, int, float]]] = {way: [] for way in WAYS}
    with new_collection(url, gallery, vector_type) as collection:
        _load(collection, gallery, searched=True)
    for _ in range(repetitions):
        for first_load, searched in WAYS:
            with new_collection(url, gallery, vector_type, first_load=first_load) as collection:
                figures[first_load, searched].append(_load(collection, gallery, searched=searched))
    return [
        Load(
            vector_type,
            len(gallery),
            *way,
            *(median(of_all) for of_all in zip(*of_way, strict=True)),
        )
        for way, of_way in figures.items()
    ]


def _load(collection: Collection, gallery: Gallery, *, searched: bool) -> tuple[float, int, float]:
    """Return rows/s, segments and the seconds of the merge."""
    start_s = time.perf_counter()
    with ExitStack() as during:
        if searched:
            during.enter_context(_searching(collection, gallery))
        during.enter_context(collection.index.loading())
        fill(collection, gallery)
    collection.index.refresh()
    loaded_s = time.perf_counter()
    segments = collection.segments
    merge(collection)
    return len(gallery) / (loaded_s - start_s), segments, time.perf_counter() - loaded_s


@contextmanager
def _searching(collection: Collection, gallery: Gallery) -> Iterator[None]:
    ended = threading.Event()

    def search() -> None:
        while not ended.wait(1 / SEARCHES_PER_S):
            collection.index.search(gallery.queries[0], 20)

    thread = threading.Thread(target=search)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
