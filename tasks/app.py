"""A Celery app for settings: how messages travel, and the tasks that answer them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import Celery

from indexer.errors import UsageError
from indexer.library_threads import shared_by
from indexer.networks import load_networks
from tasks.process import Process
from tasks.stopping import Stopping, stopper
from tasks.sweeping import sweeper
from tasks.work import add_tasks

if TYPE_CHECKING:
    from indexer.settings import Settings
    from tasks.process import LoadNetworks

SOCKET_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 5.0


def make_app(settings: Settings, load: LoadNetworks = load_networks) -> Celery:
    """Return an app with all tasks; nothing is connected, opened or loaded yet.

    load: loads the networks in each process that works, at its first task.
    Raises UsageError without a broker in the settings.
    """
    if not settings.tasks.broker_url:
        raise UsageError(
            "Workers need a Redis that carries their messages: set SIGHTINGS_TASKS_BROKER_URL, for "
            "example redis://localhost:6379/0. Without one, `sightings serve` works by itself."
        )
    app = Celery("sightings", broker=settings.tasks.broker_url, set_as_current=False)
    app.conf.update(_configuration(settings))
    stopping = Stopping(settings.tasks.stop_s)
    process = Process(shared_by(settings.tasks.concurrency, settings), load)
    add_tasks(app, settings, process, stopping)
    app.steps["worker"].update((sweeper(settings.tasks), stopper(stopping)))
    return app


def _configuration(settings: Settings) -> dict[str, Any]:
    visibility = {"visibility_timeout": settings.tasks.visibility_timeout_s}
    return {
        # Media and segments are the job state: no result is stored anywhere.
        "result_backend": None,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_default_queue": settings.tasks.queue,
        # A message is answered for when its work is done, and comes back if its process dies; the
        # attempts of its segment say when that has happened too often.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "worker_concurrency": settings.tasks.concurrency,
        "task_time_limit": settings.tasks.time_limit_s,
        "broker_transport_options": {
            **visibility,
            "socket_timeout": SOCKET_TIMEOUT_S,
            "socket_connect_timeout": CONNECT_TIMEOUT_S,
        },
        # Celery asks for it in three places, and the shortest counts.
        "visibility_timeout": settings.tasks.visibility_timeout_s,
        "result_backend_transport_options": visibility,
        "broker_connection_retry_on_startup": True,
        # What still runs goes on: its claim keeps others away, and stores what it gives.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # SIGTERM has given time to what is in hand: whoever sends SIGQUIT will not wait.
        "worker_soft_shutdown_timeout": 0.0,
    }
