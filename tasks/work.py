"""The tasks: each says where to look, and does nothing where nothing is left to do.

So they may come twice, late, or for media that are gone. Their arguments are ids.
"""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from celery.exceptions import Reject

from indexer.errors import Interrupted, SightingsError
from indexer.jobs import no_send, sweep
from indexer.work import work_on_queued
from indexer.workers import is_free, release_dead, unfinished_segments
from tasks.backoff import LONGEST_WAIT_S, Backoff
from tasks.names import MEDIA, SEGMENT, SWEEP
from tasks.sending import sender, waiting, work_queue
from tasks.stages import SharedHistograms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from celery import Celery, Task

    from indexer.settings import Settings
    from tasks.process import Process
    from tasks.stopping import Stopping

LOG = logging.getLogger(__name__)

BUDGET_S = 60.0
"""A task that has done a segment begins another one for this long: a video is read whole when it is
opened, so that one who has it open does more with less."""

WELL_WITHIN = 0.9
"""What is not done after this part of the time limit fails by itself, before it is killed."""

WAITED_AT_MOST = 0.25
"""The part of the time limit that a task may spend on waiting for better times."""

SHORT_QUEUE = 100
"""Lost work is looked for when fewer messages wait: what then waits in the index waits nowhere
else, or comes twice, which does no harm."""

_OPTIONS: dict[str, Any] = {"bind": True, "shared": False, "throws": (SightingsError,)}
"""Tasks belong to one app; expected errors are said in a line, without a traceback. No message is
tried again: the sweeper finds its work."""


def add_tasks(app: Celery, settings: Settings, process: Process, stopping: Stopping) -> None:
    """Give an app the tasks."""
    queue = work_queue(settings)
    work = _Work(settings, process, stopping)

    def after_loss(task: Task) -> None:
        """Give back the claim of a process that died with this very message."""
        if (task.request.delivery_info or {}).get("redelivered"):
            release_dead(process.index())

    def work_on_media(self: Task, media_id: str) -> None:
        """Work on a media; tell one worker for each segment if it has several."""
        with work.trying() as begun_s:
            after_loss(self)
            free = [s for s in unfinished_segments(process.index(), media_id) if is_free(s)]
            if len(free) > 1:
                for _ in free:
                    self.app.send_task(SEGMENT, (media_id,), queue=queue)
            else:
                work.go_on(media_id, begun_s)

    def work_on_segments(self: Task, media_id: str) -> None:
        """Work on a media's next free segments; the last one ends the media."""
        with work.trying() as begun_s:
            after_loss(self)
            work.go_on(media_id, begun_s)

    def sweep_index(self: Task) -> None:
        """Give back what dead workers have, and send anew what no message waits for."""
        few = waiting(settings, self.app) < SHORT_QUEUE
        sweep(process.index(), send=sender(settings, self.app) if few else no_send)

    app.task(name=MEDIA, **_OPTIONS)(work_on_media)
    app.task(name=SEGMENT, **_OPTIONS)(work_on_segments)
    app.task(name=SWEEP, **_OPTIONS)(sweep_index)


class _Work:
    """A process's work: how it waits after failures, and ends with its worker."""

    def __init__(self, settings: Settings, process: Process, stopping: Stopping) -> None:
        self._limit_s = settings.tasks.time_limit_s
        self._process = process
        self._stopping = stopping
        self._stages = SharedHistograms(settings.tasks)
        self._backoff = Backoff(min(LONGEST_WAIT_S, WAITED_AT_MOST * self._limit_s))

    @contextmanager
    def trying(self) -> Iterator[float]:
        """Give when a task began, after what is left of a wait; a failure begins another one."""
        begun_s = time.monotonic()
        if self._stopping.wait(self._backoff.left_s):
            raise _given_back()
        try:
            yield begun_s
        except Interrupted as interrupted:
            raise _given_back() from interrupted
        except Reject:
            raise
        except Exception as error:
            LOG.warning("%s This process tries again in %g s.", error, self._backoff.failed())
            raise

    def go_on(self, media_id: str, begun_s: float) -> None:
        """Work on a media's next free segments, in a task that began then."""
        networks = self._process.networks()
        if self._stopping.begun:
            raise _given_back()
        # Loading them and waiting count, as the limit does not care what the time went into.
        left_s = WELL_WITHIN * self._limit_s - (time.monotonic() - begun_s)
        work_on_queued(
            self._process.index(),
            media_id,
            networks,
            on_times=self._stages.add,
            budget_s=BUDGET_S,
            longest_s=left_s,
            is_last=lambda: self._stopping.begun,
            is_over=lambda: self._stopping.overdue,
        )
        self._backoff.succeeded()


def _given_back() -> Reject:
    """Return what gives a message back to others, since this worker is to end."""
    return Reject("The worker is to end.", requeue=True)
