"""Where the networks run: the one place that chooses, and says what it chose and why."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from indexer.errors import EnvironmentFailure, UsageError

if TYPE_CHECKING:
    from indexer.settings import Settings


@dataclass(frozen=True)
class Runtime:
    """What runs the networks of a process.

    device: always cpu for OpenVINO. threads: of each network on the processor. reason: why it was
    chosen, as a clause.
    """

    name: Literal["openvino", "torch"]
    device: Literal["cpu", "cuda"]
    threads: int
    reason: str

    def __str__(self) -> str:
        """Say what runs where and why, for logs and people."""
        library = {"openvino": "OpenVINO", "torch": "torch"}[self.name]
        count = f"{self.threads} thread{'s' if self.threads != 1 else ''}"
        where = "on CUDA" if self.device == "cuda" else f"on the processor, {count}"
        return f"{library} {where}, fp32 ({self.reason})"


def runtime_of(settings: Settings) -> Runtime:
    """Return the runtime that the settings ask for; see `choose_runtime`."""
    compute = settings.compute
    return choose_runtime(settings.faces.device, compute.runtime, compute.threads)


def choose_runtime(device: str = "auto", wanted: str = "auto", threads: int = 0) -> Runtime:
    """Return torch on CUDA where there is a device, else OpenVINO on the processor.

    device: auto, cpu or cuda. wanted: auto, openvino or torch. threads: 0 for all processors.
    torch is not imported unless it may be chosen. Raises UsageError for other words and for
    OpenVINO on CUDA, EnvironmentFailure for `cuda` where there is none.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"Unknown device {device!r}: give auto, cpu or cuda.")
    if wanted not in ("auto", "openvino", "torch"):
        raise UsageError(f"Unknown runtime {wanted!r}: give auto, openvino or torch.")
    if wanted == "openvino" and device == "cuda":
        raise UsageError("OpenVINO does not run on CUDA: set compute.runtime to torch or auto.")
    threads = threads or processors()
    if wanted == "openvino":
        return Runtime("openvino", "cpu", threads, "set by compute.runtime")
    has_cuda, found = (False, "set by faces.device") if device == "cpu" else _cuda()
    if has_cuda:
        return Runtime("torch", "cuda", threads, found)
    if device == "cuda":
        raise EnvironmentFailure(f"There is no CUDA to use here, {found}: set the device to auto.")
    if wanted == "torch":
        return Runtime("torch", "cpu", threads, "set by compute.runtime")
    return Runtime("openvino", "cpu", threads, found)


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cuda() -> tuple[bool, str]:
    """Return whether torch can use a CUDA device, and how that is known."""
    if not _driver_has_device():
        return False, "no CUDA device"
    import torch

    if torch.cuda.is_available():
        return True, torch.cuda.get_device_name()
    return False, "there is a CUDA device, but the installed torch cannot use it"


def _driver_has_device() -> bool:
    """Ask the driver itself: importing torch for that takes seconds."""
    import ctypes

    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int()
    found = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    return found and count.value > 0
