"""Every worker asks for sweeps and says that it lives: no process of its own does that."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from celery import bootsteps
from kombu.exceptions import OperationalError

from indexer.errors import BrokerFailure
from tasks.names import SWEEP
from tasks.sending import say_alive, say_gone

if TYPE_CHECKING:
    from indexer.settings_tasks import TaskSettings

LOG = logging.getLogger(__name__)


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

        def close(self, worker: Any) -> None:
            self._stop_timer()
            try:
                say_gone(worker.app, worker.hostname, worker.app.amqp.queues.consume_from)
            except (BrokerFailure, OSError) as error:
                LOG.warning("Redis cannot be told of the end (%s).", type(error).__name__)

        def stop(self, worker: Any) -> None:  # noqa: ARG002
            self._stop_timer()

        def _stop_timer(self) -> None:
            if self._regularly is not None:
                self._regularly.cancel()
                self._regularly = None

        def _send(self, worker: Any) -> None:
            try:
                worker.app.send_task(
                    SWEEP, queue=settings.queue, expires=settings.sweep_s, retry=False
                )
                queues = worker.app.amqp.queues.consume_from
                say_alive(worker.app, worker.hostname, queues, settings.sweep_s)
            except (OperationalError, BrokerFailure, OSError) as error:
                LOG.warning("No sweep: Redis cannot be reached (%s).", type(error).__name__)

    return Sweeper
