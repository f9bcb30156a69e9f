"""How far work is that has ended: nothing is left, and what failed is not done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.engines import open_index
from indexer.jobs import enqueue, no_send
from indexer.progress import batch_progress, media_progress
from indexer.settings import KeyframeSettings, Settings
from indexer.work import claim_next
from tests.clips import clip, shot
from tests.engines.builders import MODEL, finish

if TYPE_CHECKING:
    from pathlib import Path


def test_what_has_ended_has_no_rate_and_failed_parts_are_not_done(
    tmp_path: Path, portraits
) -> None:
    settings = Settings(keyframes=KeyframeSettings(segment_s=1.0))
    path = clip(tmp_path / "v.mp4", shot(portraits, "", 20))
    with open_index(str(tmp_path / "faces.sightings"), create=True) as index:
        index.adopt_model(MODEL)
        queued = enqueue(index, [path], settings, send=no_send)
        (media,) = queued.queued
        for _ in range(3):
            finish(index, claim_next(index, media.id, "a/1/1.0/x"))
        last = claim_next(index, media.id, "a/1/1.0/x")
        assert batch_progress(index, queued.batch).progress.rate_per_s > 0
        index.fail_segment(last, "broken")
        for progress in (
            media_progress(index, media.id).progress,
            batch_progress(index, queued.batch).progress,
        ):
            assert (progress.total, progress.done, progress.failed) == (4, 3, 1)
            assert (progress.rate_per_s, progress.eta_s) == (0.0, 0.0)
