"""How many threads the libraries beneath may start: all of it is said here.

`Runtime.threads` counts the processors that a process may use. Media, segments and batches are
worked on side by side in as many threads of ours (`indexer.networks`), so libraries get one thread
for each call; OpenVINO is given as many calls at once (`indexer.openvino_net`). Exceptions are
torch, which shares each call among its own threads and so is called by one at a time, and decoders
where fewer segments than processors are worked on.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from indexer.runtime import processors

if TYPE_CHECKING:
    from indexer.runtime import Runtime
    from indexer.settings import Settings

MOST_AT_ONCE = 4
"""Each segment that is worked on holds a decoder and pictures: about 120 MB for 1080p."""

PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE"}
"""For the environment before libraries load: threads that spin while they wait are eight times
slower on a busy machine."""

ONE_FOR_PRODUCTS = {"OPENBLAS_NUM_THREADS": "1"}
"""For the environment of who answers several at once: threads of one small product wait for each
other and keep cores busy (with two, a search took nearly five times as long)."""

ONE_FOR_ALL = ONE_FOR_PRODUCTS | {"OMP_NUM_THREADS": "1"}


def set_before_imports(variables: dict[str, str]) -> None:
    """Put variables into this process's environment, but for those that somebody has set."""
    for name, value in variables.items():
        os.environ.setdefault(name, value)


def limit_opencv() -> None:
    """Let OpenCV work in the thread that calls it."""
    import cv2

    cv2.setNumThreads(1)


def limit_heif() -> None:
    """Let HEIC photos be decoded in the thread that asks for it."""
    from pillow_heif import options

    options.DECODE_THREADS = 1


def limit_torch(runtime: Runtime) -> None:
    """Let torch use the processors it may."""
    import torch

    if runtime.device == "cpu":
        torch.set_num_threads(runtime.threads)


def shared_by(processes: int, settings: Settings) -> Settings:
    """Return settings for one of several processes: its share of the processors, if none is set."""
    if settings.compute.threads or processes == 1:
        return settings
    threads = max(1, processors() // processes)
    return replace(settings, compute=replace(settings.compute, threads=threads))


def segments_at_once(settings: Settings) -> int:
    """Return how many segments, and photos, a run in one process works on side by side."""
    return settings.compute.at_once or min(_threads(settings), MOST_AT_ONCE)


def decoder_threads(settings: Settings) -> int:
    """Return how many threads each of the decoders gets that work side by side.

    Two at least, if there are two processors: of a short video only one segment is decoded.
    """
    threads = _threads(settings)
    return min(threads, max(2, threads // segments_at_once(settings)))


def _threads(settings: Settings) -> int:
    return settings.compute.threads or processors()
