"""Disks that take no more, as far as a process is concerned."""

from __future__ import annotations

import resource
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """Let no file that is written in the block become larger than so many bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    passed_over = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, passed_over)
