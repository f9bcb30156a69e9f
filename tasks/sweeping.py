"""Every worker asks for sweeps and says that it lives: no process of its own does that."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from celery import bootsteps
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from tasks.names import SWEEP, sign_of_life

if TYPE_CHECKING:
    from indexer.settings_tasks import TaskSettings

LOG = logging.getLogger(__name__)

LIFE_SWEEPS, SHORTEST_LIFE_S = 3, 10
"""A worker that has left no sign of life for so many sweeps, and seconds, counts as gone."""


def sweeper(settings: TaskSettings) -> type[bootsteps.StartStopStep]:
    """Return the part of a worker that sends the message for a sweep, at its start and regularly.

    With it goes the worker's sign of life, for each queue that it takes messages from.
    Messages that nobody took by the next one are dropped, so that they never pile up.
    """

    class Sweeper(bootsteps.StartStopStep):  # type: ignore[misc]
        """Sends from the worker's own loop: no thread, which a fork would cut in two."""

        requires = {"celery.worker.components:Pool", "celery.worker.components:Timer"}  # noqa: RUF012

        def __init__(self, worker: Any, **options: Any) -> None:
            super().__init__(worker, **options)
            self._regularly: Any = None

        def start(self, worker: Any) -> None:
            self._send(worker)
            self._regularly = worker.timer.call_repeatedly(
                settings.sweep_s, self._send, (worker,), priority=10
            )

        def stop(self, worker: Any) -> None:  # noqa: ARG002
            if self._regularly is not None:
                self._regularly.cancel()
                self._regularly = None

        def _send(self, worker: Any) -> None:
            try:
                worker.app.send_task(
                    SWEEP, queue=settings.queue, expires=settings.sweep_s, retry=False
                )
                self._live(worker)
            except (OperationalError, RedisError, OSError) as error:
                LOG.warning("No sweep: Redis cannot be reached (%s).", type(error).__name__)

        def _live(self, worker: Any) -> None:
            expires_s = max(SHORTEST_LIFE_S, round(LIFE_SWEEPS * settings.sweep_s))
            with worker.app.connection_for_write() as connection:
                for queue in worker.app.amqp.queues.consume_from:
                    key = sign_of_life(queue)
                    connection.default_channel.client.set(key, worker.hostname, ex=expires_s)

    return Sweeper
