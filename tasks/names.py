"""Names of tasks and keys in Redis; they stay, so that workers of two versions can share one."""

from __future__ import annotations

MEDIA = "sightings.media"
SEGMENT = "sightings.segment"
SWEEP = "sightings.sweep"


def workers_of(queue: str) -> str:
    """Return the key of the workers that take messages from a queue: until when each counts."""
    return f"sightings.workers.{queue}"
