"""Ingests of the tests' folders into collections, in processes of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from indexer.engines import open_index
from tests.elasticsearch.collections import SETTINGS
from tests.fake_embedder import FakeEmbedder
from tests.ingest_process import IngestProcess, finished_segments, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.reports import Report
    from indexer.settings import ElasticsearchSettings


def new_index(location: str, settings: ElasticsearchSettings = SETTINGS) -> Index:
    """Make a collection with the model that the ingests use, and nothing else."""
    index = open_index(location, create=True, settings=settings)
    index.adopt_model(FakeEmbedder().identity)
    return index


def ingest_process(location: str, folder: Path, memory: Path, **orders: Any) -> IngestProcess:
    """Start an ingest that names photos by their folders; see `tests.ingest_process.Orders`."""
    given = {"memory": memory, "by_folder": True, "elasticsearch": SETTINGS, **orders}
    return IngestProcess(location, folder, **given)


def run(location: str, folder: Path, memory: Path, **orders: Any) -> Report | Exception | None:
    """Ingest a folder; return the report, what was raised, or None if the process was killed."""
    with ingest_process(location, folder, memory, **orders) as process:
        return process.answer()


def completed(location: str, folder: Path, memory: Path, **orders: Any) -> Report:
    """Ingest a folder, all of it, and return the report."""
    report: Any = run(location, folder, memory, **orders)
    assert (report.failed, report.waiting, report.lost_labels) == ([], [], [])
    return report  # type: ignore[no-any-return]


def wait_for_segments(index: Index, count: int, process: IngestProcess) -> None:
    """Wait until an ingest has finished so many segments, and make sure that it goes on."""
    wait_until(lambda: finished_segments(index) >= count or not process.runs)
    assert process.runs, process.answer()
