"""Who works on what: names of processes in claims, and whether such a process still lives."""

from __future__ import annotations

import socket
from functools import cache

CLOCK_ERROR_S = 2.0
"""Start times of one process, read by two, may differ by this: they hang on the system's clock."""


@cache
def owner_id() -> str:
    """Return this process's name in claims: HOST/PID/START, unique even when pids are reused."""
    import os

    import psutil

    return f"{socket.gethostname()}/{os.getpid()}/{psutil.Process().create_time():.2f}"


def is_dead(owner: str) -> bool:
    """Whether an owner is a process of this machine that no longer runs.

    Of processes of other machines nothing is known: their leases must run out.
    """
    import psutil

    host, pid, started = owner.rsplit("/", 2)
    if host != socket.gethostname():
        return False
    try:
        process = psutil.Process(int(pid))
        running = process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        return not running or abs(process.create_time() - float(started)) > CLOCK_ERROR_S
    except psutil.NoSuchProcess:
        return True
