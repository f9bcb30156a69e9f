"""Who works on what: names of workers in claims, and whether their process still lives."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.engines.base import Index
    from indexer.records import Segment

CLOCK_ERROR_S = 2.0
"""Start times of one process, read by two, may differ by this: they hang on the system's clock."""


def new_owner() -> str:
    """Return a name for claims, HOST/PID/START/NONCE: one for each run, also within a process."""
    import os
    import secrets

    import psutil

    started_s = psutil.Process().create_time()
    return f"{socket.gethostname()}/{os.getpid()}/{started_s:.2f}/{secrets.token_hex(4)}"


def is_dead(owner: str) -> bool:
    """Whether an owner is a process of this machine that no longer runs.

    Of processes of other machines, and of names of another form, nothing is known: their leases
    must run out.
    """
    import psutil

    try:
        host, pid, started_s, _ = owner.rsplit("/", 3)
        if host != socket.gethostname():
            return False
        process = psutil.Process(int(pid))
        running = process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        return not running or abs(process.create_time() - float(started_s)) > CLOCK_ERROR_S
    except ValueError:
        return False
    except psutil.NoSuchProcess:
        return True


def is_free(segment: Segment) -> bool:
    """Whether a segment can be claimed now."""
    from datetime import datetime, timezone

    if segment.state != "claimed":
        return segment.state == "pending"
    return segment.lease_until is None or segment.lease_until <= datetime.now(timezone.utc)


def unfinished_segments(index: Index, media_id: str) -> list[Segment]:
    """Return a media's segments that are free or being worked on, in order of number."""
    return index.list_segments(media_id, states=("pending", "claimed"))


def release_dead(index: Index) -> int:
    """Give back what dead processes of this machine have claimed; return how many segments."""
    return sum(index.release_claims(owner) for owner in index.claim_owners() if is_dead(owner))
