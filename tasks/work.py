"""The tasks: each says where to look, and does nothing where nothing is left to do.

So they may come twice, late, or for media that are gone. Their arguments are ids.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from indexer.errors import EnvironmentFailure
from indexer.jobs import no_send, sweep
from indexer.work import work_on_queued
from indexer.workers import is_free, release_dead
from tasks.names import MEDIA, SEGMENT, SWEEP
from tasks.sending import sender, waiting, work_queue
from tasks.stages import SharedHistograms

if TYPE_CHECKING:
    from celery import Celery, Task

    from indexer.settings import Settings
    from tasks.process import Process

BUDGET_S = 60.0
"""A task that has done a segment begins another one for this long: a video is read whole when it is
opened, so that one who has it open does more with less."""

WELL_WITHIN = 0.9
"""What is not done after this part of the time limit fails by itself, before it is killed."""

SHORT_QUEUE = 100
"""Lost work is looked for when fewer messages wait: what then waits in the index waits nowhere
else, or comes twice, which does no harm."""

RETRIES: dict[str, Any] = {
    "autoretry_for": (EnvironmentFailure,),
    "max_retries": 6,
    "retry_backoff": 2,
    "retry_backoff_max": 300,
    "retry_jitter": True,
}
"""Of what is wrong around the work, not with it: after these few minutes the sweeper takes over."""


def add_tasks(app: Celery, settings: Settings, process: Process) -> None:
    """Give an app the tasks."""
    queue, stages = work_queue(settings), SharedHistograms(settings.tasks)

    def after_loss(task: Task) -> None:
        """Give back the claim of a process that died with this very message."""
        if (task.request.delivery_info or {}).get("redelivered"):
            release_dead(process.index())

    def work(media_id: str) -> None:
        begun_s = time.monotonic()
        networks = process.networks()
        # Loading them counts, as the limit does not care what the time went into.
        left_s = WELL_WITHIN * settings.tasks.time_limit_s - (time.monotonic() - begun_s)
        work_on_queued(
            process.index(),
            media_id,
            networks,
            on_times=stages.add,
            budget_s=BUDGET_S,
            longest_s=left_s,
        )

    def work_on_media(self: Task, media_id: str) -> None:
        """Work on a media; tell one worker for each segment if it has several."""
        after_loss(self)
        free = [s for s in process.index().list_segments(media_id) if is_free(s)]
        if len(free) > 1:
            for _ in free:
                self.app.send_task(SEGMENT, (media_id,), queue=queue)
        else:
            work(media_id)

    def work_on_segments(self: Task, media_id: str) -> None:
        """Work on a media's next free segments; the last one ends the media."""
        after_loss(self)
        work(media_id)

    def sweep_index(self: Task) -> None:
        """Give back what dead workers have, and send anew what no message waits for."""
        few = waiting(settings, self.app) < SHORT_QUEUE
        sweep(process.index(), send=sender(settings, self.app) if few else no_send)

    app.task(name=MEDIA, bind=True, **RETRIES)(work_on_media)
    app.task(name=SEGMENT, bind=True, **RETRIES)(work_on_segments)
    app.task(name=SWEEP, bind=True)(sweep_index)
