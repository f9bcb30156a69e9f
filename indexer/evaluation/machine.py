"""What figures were measured on; nothing that tells whose it is."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil


def describe(*packages: str) -> dict[str, str]:
    """Return the machine and the versions of Python and some packages, each by its name.

    Packages that are not installed are left out.
    """
    versions = {name: version(name) for name in packages if _is_installed(name)}
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GB",
        "load": f"{os.getloadavg()[0]:.1f} in the minute before",
        "system": f"{platform.system()} {platform.machine()}",
        "versions": f"Python {platform.python_version()}, "
        + ", ".join(f"{name} {number}" for name, number in versions.items()),
    }


def _is_installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


def _processor() -> str:
    """Return the processor's name, as Linux tells it."""
    told = Path("/proc/cpuinfo")
    for line in told.read_text(encoding="utf-8").splitlines() if told.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
