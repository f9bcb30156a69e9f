"""Where torch runs its networks, and which GPU is whose."""

from __future__ import annotations

import os
from itertools import takewhile
from typing import TYPE_CHECKING

from indexer.errors import EnvironmentFailure, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def torch_device(device: str) -> str:
    """Return `cpu` or `cuda` for `auto` (CUDA where there is one), `cpu` or `cuda`.

    Raises UsageError for any other word, EnvironmentFailure for `cuda` where there is none.
    """
    import torch

    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"Unknown device {device!r}: give auto, cpu or cuda.")
    if device == "cpu":
        return "cpu"
    if torch.cuda.is_available():
        return "cuda"
    if device == "cuda":
        raise EnvironmentFailure("torch finds no CUDA device here: use the device auto or cpu.")
    return "cpu"


def visible_gpus() -> tuple[str, ...]:
    """Return the GPUs that this process may use, by the names that CUDA_VISIBLE_DEVICES takes.

    They are counted, but none of them is taken into use.
    """
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        import torch

        return tuple(map(str, range(torch.cuda.device_count())))
    names = (name.strip() for name in named.split(","))
    # CUDA ignores what stands behind the first name that is none.
    return tuple(takewhile(lambda name: name and not name.startswith("-"), names))


def gpu_of(process: int, gpus: Sequence[str]) -> str:
    """Return the GPU of one of several processes, numbered from 0: its own, while there are enough.

    gpus: those of all the processes, at least one.
    """
    return gpus[process % len(gpus)]
