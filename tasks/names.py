"""The names of the tasks in messages; they stay, so that workers of two versions can share one."""

from __future__ import annotations

MEDIA = "sightings.media"
SEGMENT = "sightings.segment"
SWEEP = "sightings.sweep"
