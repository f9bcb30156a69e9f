"""The settings of the workers that Celery runs: section `tasks` of the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from indexer.errors import UsageError
from indexer.settings_fields import Count, NonNegative, Positive, secret, setting


@dataclass(frozen=True)
class TaskSettings:
    """Where work is queued and how workers take it. Raises UsageError for contradictions."""

    broker_url: str = secret(
        "Redis that carries the messages, `redis://HOST:6379/0`; empty: `serve` works by itself"
    )
    queue: str = setting("sightings", "queue of the messages")
    gpu_queue: str = setting(
        "",
        "queue of the work itself, for workers that have a GPU (`-Q`); empty: the same queue",
    )
    concurrency: Count = setting(1, "processes of a worker; with GPUs, each takes one of its own")
    time_limit_s: Positive = setting(
        3600.0,
        "how long a task may take; what hangs is killed then, and given up at the third time",
    )
    visibility_timeout_s: Positive = setting(
        7200.0, "when Redis delivers again what nobody answered for; longer than any task"
    )
    sweep_s: Annotated[float, Ge(1)] = setting(
        30.0, "how often a worker looks for work that was lost"
    )

    stop_s: NonNegative = setting(
        30.0, "how long a worker that is told to end may still take for the segment in hand"
    )

    def __post_init__(self) -> None:
        if self.visibility_timeout_s <= self.time_limit_s:
            raise UsageError(
                f"tasks.visibility_timeout_s ({self.visibility_timeout_s:g}) must be longer than "
                f"tasks.time_limit_s ({self.time_limit_s:g}): Redis would deliver tasks again that "
                "still run."
            )
        if self.broker_url and not self.broker_url.startswith(("redis://", "rediss://")):
            raise UsageError(
                "tasks.broker_url must begin with redis:// or rediss://; no other broker is "
                "supported."
            )
