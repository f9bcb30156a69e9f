"""Names of tasks and keys in Redis; they stay, so that workers of two versions can share one."""

from __future__ import annotations

MEDIA = "sightings.media"
SEGMENT = "sightings.segment"
SWEEP = "sightings.sweep"


def sign_of_life(queue: str) -> str:
    """Return the key that is there while a worker takes messages from a queue."""
    return f"sightings.alive.{queue}"
