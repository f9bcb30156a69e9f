"""Two real worker processes over a real Redis do what one process does, whatever happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from indexer.engines import open_index
from indexer.jobs import enqueue
from indexer.progress import batch_progress
from tasks.sending import sender, waiting
from tests.clips import documents
from tests.ingest_process import SETTINGS, ingested
from tests.tasks.running import ended, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.settings import Settings
    from tests.tasks.running import Worker

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def undisturbed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What an index holds after one process has done all."""
    location = tmp_path_factory.mktemp("index") / "faces.sightings"
    assert len(ingested(location, folder).done) == 5
    with open_index(str(location)) as index:
        return documents(index)


def test_two_workers_make_the_index_of_a_single_process(
    settings: Settings,
    index: Index,
    folder: Path,
    undisturbed: list[Any],
    start_worker: Callable[..., Worker],
) -> None:
    workers = [start_worker(), start_worker()]
    for worker in workers:
        worker.wait_ready()
    queued = enqueue(index, [folder], settings, send=sender(settings))
    assert (len(queued.queued), queued.failed) == (5, ())
    wait_until(lambda: ended(index, queued.queued))
    assert documents(index) == undisturbed
    assert settings.options_for("video") == SETTINGS.options_for("video")
    progress = batch_progress(index, queued.batch)
    assert (progress.state, progress.media["done"]) == ("done", 5)
    assert (progress.progress.done, progress.progress.failed) == (15, 0)
    assert progress.progress.eta_s == 0.0
    wait_until(lambda: waiting(settings) == 0)
    assert all("sightings.segment" in worker.text for worker in workers)
