"""Two real worker processes over a real Redis do what one process does, in both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from indexer.engines import open_index
from indexer.jobs import enqueue
from indexer.progress import batch_progress
from tasks.sending import sender, waiting
from tests.clips import documents
from tests.ingest_process import SETTINGS, ingested
from tests.tasks.running import attempts, ended, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.settings import Settings
    from tests.tasks.running import Worker

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("engine", ["embedded", "elasticsearch"]),
]


@pytest.fixture(scope="module")
def undisturbed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What an index holds after one process has done all."""
    location = tmp_path_factory.mktemp("index") / "faces.sightings"
    assert len(ingested(location, folder).done) == 5
    with open_index(str(location)) as index:
        return documents(index)


def holds_a_claim(index: Index, worker: Worker) -> bool:
    pids = {str(child.pid) for child in worker.children()}
    return any(owner.split("/")[1] in pids for owner in index.claim_owners())


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


def test_a_killed_worker_costs_at_most_one_segment_and_changes_nothing(
    settings: Settings,
    index: Index,
    folder: Path,
    undisturbed: list[Any],
    start_worker: Callable[..., Worker],
) -> None:
    doomed, other = start_worker(), start_worker()
    queued = enqueue(index, [folder], settings, send=sender(settings))
    wait_until(lambda: holds_a_claim(index, doomed))
    doomed.kill()
    wait_until(lambda: ended(index, queued.queued))
    assert documents(index) == undisturbed
    tried = [number for media in queued.queued for number in attempts(index, media)]
    assert sum(tried) <= len(tried) + 1
    assert index.claim_owners() == ()
    assert other.process.poll() is None
