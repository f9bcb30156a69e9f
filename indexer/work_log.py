"""What the log of a worker tells: which file is in hand, what came of it, and how long it took."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.errors import ClaimLost
from indexer.text import clock, counted, said_of, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from indexer.records import Media, Segment

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What came of a segment: how many faces are stored of it, or in words why it failed."""

    faces: int = 0
    error: str | None = None


@contextmanager
def logged(media: Media, segment: Segment) -> Iterator[Callable[[Outcome], None]]:
    """Log that work on a segment began, and how it ended: as is told, or by what it raises."""
    name, begun_s = _name(media, segment), time.monotonic()
    LOG.info("%s: begun, attempt %d.", name, segment.attempts)

    def ended(outcome: Outcome) -> None:
        took_s = time.monotonic() - begun_s
        if outcome.error is None:
            faces = counted(outcome.faces, "face")
            LOG.info("%s: done in %.1f s, %s stored.", name, took_s, faces)
        else:
            LOG.warning(
                "%s: failed after %.1f s: %s", name, took_s, said_of(media.path, outcome.error)
            )

    try:
        yield ended
    except ClaimLost:
        LOG.info("%s: cancelled, or taken over by another worker; nothing is stored.", name)
        raise
    except BaseException as error:
        took_s = time.monotonic() - begun_s
        LOG.info("%s: given back after %.1f s (%s).", name, took_s, type(error).__name__)
        raise


def log_end(media: Media) -> None:
    """Log what a media has become, if it is ended."""
    for warning in media.warnings:
        LOG.warning("%s", shown(warning))
    if media.state == "done":
        LOG.info("%s: all of it is done.", shown(media.path))
    elif media.state == "failed":
        LOG.warning("%s: it failed: %s", shown(media.path), said_of(media.path, media.error or ""))


def _name(media: Media, segment: Segment) -> str:
    if media.kind == "photo":
        return shown(media.path)
    span = segment.span
    return f"{shown(media.path)}, segment {span.number + 1} (from {clock(span.start_s)})"
