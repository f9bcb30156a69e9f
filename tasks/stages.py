"""How long the stages of ingest took, of all workers: counted in the Redis that they share."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from indexer.errors import BrokerFailure
from indexer.stage_times import BUCKETS_S, STAGES, Histogram

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from indexer.settings_tasks import TaskSettings
    from indexer.stage_times import Stage

LOG = logging.getLogger(__name__)

TIMEOUT_S = 5.0


class SharedHistograms:
    """The stages' histograms, which live as long as Redis keeps them; it connects when asked."""

    def __init__(self, settings: TaskSettings) -> None:
        from redis import Redis

        self._redis = Redis.from_url(
            settings.broker_url,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            decode_responses=True,
        )
        self._key = f"{settings.queue}-stages"

    def add(self, seconds: Mapping[Stage, float]) -> None:
        """Add what the stages of a segment took; the work is done, so failing is but logged."""
        try:
            with _translated_errors(), self._redis.pipeline() as pipeline:
                for stage, took_s in seconds.items():
                    pipeline.hincrbyfloat(self._key, f"{stage}:sum", took_s)
                    for field, count in zip(
                        _fields(stage), Histogram().with_one(took_s).counts, strict=True
                    ):
                        pipeline.hincrby(self._key, field, count)
                pipeline.execute()
        except BrokerFailure as error:
            LOG.warning("What the stages took is not counted: %s", error)

    def read(self) -> Mapping[Stage, Histogram]:
        """Return what all workers have added. Raises BrokerFailure."""
        with _translated_errors():
            found = cast("dict[str, str]", self._redis.hgetall(self._key))
        return {
            stage: Histogram(
                tuple(int(found.get(field, 0)) for field in _fields(stage)),
                float(found[f"{stage}:sum"]),
            )
            for stage in STAGES
            if f"{stage}:sum" in found
        }


def _fields(stage: Stage) -> list[str]:
    return [f"{stage}:{bound}" for bound in (*BUCKETS_S, "all")]


@contextmanager
def _translated_errors() -> Iterator[None]:
    from redis import RedisError

    try:
        yield
    except (RedisError, OSError) as error:
        # The URL may hold a password, and so may what the client says of it.
        raise BrokerFailure(
            f"The Redis of the setting tasks.broker_url cannot be reached ({type(error).__name__})."
        ) from None
