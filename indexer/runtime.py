"""Where the networks run: the one place that chooses, and says what it chose and why."""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from indexer.errors import EnvironmentFailure, UsageError

if TYPE_CHECKING:
    from indexer.settings import Settings


@dataclass(frozen=True)
class Runtime:
    """What runs the networks of a process.

    device: always cpu for OpenVINO. threads: of each network on the processor. reason: why it was
    chosen, as a clause. half: embeddings are computed in float16 (with torch alone). passed_over:
    there is a CUDA device that cannot be used.
    """

    name: Literal["openvino", "torch"]
    device: Literal["cpu", "cuda"]
    threads: int
    reason: str
    half: bool = False
    passed_over: bool = False

    def __str__(self) -> str:
        """Say what runs where and why, for logs and people."""
        library = {"openvino": "OpenVINO", "torch": "torch"}[self.name]
        count = f"{self.threads} thread{'s' if self.threads != 1 else ''}"
        where = "on CUDA" if self.device == "cuda" else f"on the processor, {count}"
        kind = "fp32, embeddings in fp16" if self.half else "fp32"
        return f"{library} {where}, {kind} ({self.reason})"

    @property
    def calls_at_once(self) -> int:
        """How many threads should call a network at the same time."""
        # torch shares each call among as many threads of its own.
        return 1 if self.name == "torch" and self.device == "cpu" else self.threads

    def in_full(self) -> Runtime:
        """Return the same in float32."""
        return replace(self, half=False)


def runtime_of(settings: Settings) -> Runtime:
    """Return the runtime that the settings ask for; see `choose_runtime`."""
    compute = settings.compute
    chosen = choose_runtime(settings.faces.device, compute.runtime, compute.threads)
    if not compute.half_precision:
        return chosen
    if chosen.name != "torch":
        raise UsageError(
            f"compute.half_precision is for torch, and networks would run on {chosen}: unset it, "
            "or set compute.runtime to torch (which is slow in half precision without CUDA)."
        )
    return replace(chosen, half=True)


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
    is_there = device != "cpu" and _driver_has_device()
    usable_name = _torch_device() if is_there else None
    if usable_name is not None:
        return Runtime("torch", "cuda", threads, usable_name)
    found = "set by faces.device" if device == "cpu" else "no CUDA device"
    if is_there:
        found = "there is a CUDA device, but the installed torch cannot use it"
    if device == "cuda":
        raise EnvironmentFailure(f"There is no CUDA to use here, {found}: set the device to auto.")
    if wanted == "torch":
        return Runtime("torch", "cpu", threads, "set by compute.runtime")
    return Runtime("openvino", "cpu", threads, found, passed_over=is_there)


def processors(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Return how many processors this process may use.

    cgroup: where Linux says what share a container has, as `docker run --cpus=2` limits it: files
    of the kernel's documentation of control groups, version 2 or 1.
    """
    count = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    return math.ceil(min(count, _share(cgroup)))


def _share(cgroup: Path) -> float:
    """Return how many processors' time this container may take; infinite without a limit."""
    try:
        if (together := cgroup / "cpu.max").exists():
            allowed, period = together.read_text().split()
        else:
            allowed, period = (
                (cgroup / "cpu" / name).read_text()
                for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")
            )
        return int(allowed) / int(period) if int(allowed) > 0 else math.inf
    except (OSError, ValueError):  # none of these files, or "max"
        return math.inf


def _torch_device() -> str | None:
    """Return the name of the CUDA device that torch uses, None if it can use none."""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


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
