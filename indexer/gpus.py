"""The GPUs of this machine, and which process takes which."""

from __future__ import annotations

import os
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


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
