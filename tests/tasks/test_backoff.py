"""While something around the work is wrong, tries are few, however much is queued."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from indexer.jobs import enqueue
from tasks.backoff import Backoff
from tasks.sending import sender, waiting
from tasks.work import SHORT_QUEUE
from tests.clips import photo, still
from tests.tasks.running import attempts, ended, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.settings import Settings
    from tests.tasks.running import Worker


class Clock:
    """Stands where it is put."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_waits_double_up_to_the_longest_and_begin_anew_after_a_success() -> None:
    clock = Clock()
    backoff = Backoff(20.0, clock)
    assert backoff.left_s == 0.0
    assert [backoff.failed() for _ in range(6)] == [2.0, 4.0, 8.0, 16.0, 20.0, 20.0]
    assert backoff.left_s == 20.0
    clock.now_s += 15.0
    assert backoff.left_s == 5.0
    clock.now_s += 15.0
    assert backoff.left_s == 0.0
    backoff.succeeded()
    assert backoff.failed() == 2.0


@pytest.mark.slow
def test_missing_weights_are_looked_for_ever_less_often_and_work_goes_on_once_they_are_there(
    settings: Settings,
    index: Index,
    tmp_path: Path,
    portraits: Any,
    start_worker: Callable[..., Worker],
) -> None:
    weights, tries = tmp_path / "weights", tmp_path / "weights.tries"
    settings = replace(settings, facenet_weights=str(weights))
    for shift in range(20):
        photo(tmp_path / "media" / f"{shift}.png", still(portraits, "eileen", shift=shift))
    queued = enqueue(index, [tmp_path / "media"], settings, send=sender(settings)).queued
    assert len(queued) == 20
    tries.touch()
    worker = start_worker(app="tests.tasks.app_with_weights", settings=settings)
    wait_until(lambda: len(tries.read_text().split()) == 4)
    times_s = [float(line) for line in tries.read_text().split()]
    for wait_s, (one_s, next_s) in zip((2.0, 4.0, 8.0), pairwise(times_s), strict=True):
        assert next_s - one_s >= wait_s
    # Sweeps, one a second, may have added to what waits, but not without end.
    assert waiting(settings) <= SHORT_QUEUE + 2 * len(queued)
    assert (
        "The weights of these tests are not there. This process tries again in 8 s" in worker.text
    )
    assert "Traceback" not in worker.text
    weights.touch()
    wait_until(lambda: ended(index, queued))
    assert {media.state for media in index.iter_media()} == {"done"}
    assert {number for media in queued for number in attempts(index, media)} == {1}
    assert len(tries.read_text().split()) == 5
