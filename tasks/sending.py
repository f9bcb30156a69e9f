"""Messages to workers, how many wait, and who takes them: for those who queue media."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from indexer.errors import BrokerFailure
from tasks.names import MEDIA, workers_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from celery import Celery

    from indexer.jobs import Send
    from indexer.settings import Settings

_RETRY: dict[str, Any] = {
    "max_retries": 2,
    "interval_start": 0.2,
    "interval_step": 0.5,
    "interval_max": 1.0,
}


LIFE_SWEEPS, SHORTEST_LIFE_S = 3, 10
"""A worker that has left no sign of life for so many sweeps, and seconds, counts as gone."""


def sender(settings: Settings, app: Celery | None = None) -> Send:
    """Return what tells workers that media have work: one message each. Threads may share it.

    app: of these settings, if there is one already. Raises UsageError without a broker; what it
    returns raises BrokerFailure if Redis cannot be reached.
    """
    client = app or _client(settings)
    queue = work_queue(settings)

    def send(media_ids: Sequence[str]) -> None:
        with _translated_errors():
            for media_id in media_ids:
                client.send_task(MEDIA, (media_id,), queue=queue, retry_policy=_RETRY)

    return send


def waiting(settings: Settings, app: Celery | None = None) -> int:
    """Return how many messages wait for a worker. Raises BrokerFailure, UsageError."""
    from kombu.exceptions import ChannelError

    with _channel(app or _client(settings)) as channel:

        def length(queue: str) -> int:
            try:
                declared = channel.queue_declare(queue, passive=True)
            except ChannelError:  # a list of Redis is there only while something is in it
                return 0
            return int(declared.message_count)

        return sum(length(queue) for queue in {settings.tasks.queue, work_queue(settings)})


def say_alive(app: Celery, worker: str, queues: Iterable[str], sweep_s: float) -> None:
    """Leave a sign that a worker, by its name, takes messages from queues. Raises BrokerFailure."""
    expires_s = max(SHORTEST_LIFE_S, round(LIFE_SWEEPS * sweep_s))
    with _channel(app) as channel:
        for queue in queues:
            now_s = _now_s(channel)
            channel.client.zremrangebyscore(workers_of(queue), "-inf", now_s)
            channel.client.zadd(workers_of(queue), {worker: now_s + expires_s})


def say_gone(app: Celery, worker: str, queues: Iterable[str]) -> None:
    """Take back a worker's sign: it takes no more messages. Raises BrokerFailure."""
    with _channel(app) as channel:
        for queue in queues:
            channel.client.zrem(workers_of(queue), worker)


def workers_alive(settings: Settings, app: Celery | None = None) -> bool:
    """Return whether a worker takes the messages, by the sign that it leaves with each sweep.

    One that ends takes its sign back; one that was killed is missed after three times
    `tasks.sweep_s` and 10 s at least. Raises BrokerFailure, UsageError.
    """
    with _channel(app or _client(settings)) as channel:
        key = workers_of(work_queue(settings))
        return bool(channel.client.zcount(key, _now_s(channel), "+inf"))


def work_queue(settings: Settings) -> str:
    """Return the queue of the tasks that run networks."""
    return settings.tasks.gpu_queue or settings.tasks.queue


def _now_s(channel: Any) -> float:
    """Return the time of Redis's clock, which is one for all."""
    seconds, microseconds = channel.client.time()
    return float(seconds) + float(microseconds) / 1e6


def _client(settings: Settings) -> Celery:
    from tasks.app import make_app

    return make_app(settings)


@contextmanager
def _channel(client: Celery) -> Iterator[Any]:
    """Give a way to Redis that is there; raise BrokerFailure if it is not, or breaks."""
    with _translated_errors(), client.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0.2, timeout=5)
        yield connection.default_channel


@contextmanager
def _translated_errors() -> Iterator[None]:
    from kombu.exceptions import OperationalError
    from redis.exceptions import RedisError

    try:
        yield
    except (OperationalError, RedisError, OSError) as error:
        # The URL may hold a password, and so may what the client says of it.
        raise BrokerFailure(
            f"The Redis of the setting tasks.broker_url cannot be reached "
            f"({type(error.__cause__ or error).__name__}). What was queued stays in the index, and "
            "workers find it when Redis is back."
        ) from None
