"""Python code in a process of its own, for what a process does only once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def in_new_process(code: str, cache: Path) -> list[str]:
    """Run Python code with a cache folder of its own, as outside of CI; return its lines."""
    environment = {key: value for key, value in os.environ.items() if key != "CI"}
    environment |= {"SIGHTINGS_CACHE": str(cache), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout.splitlines()
