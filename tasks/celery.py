"""The app of `celery -A tasks worker`, by the settings of the environment and the settings file."""

from __future__ import annotations

import os

from indexer.settings import load
from tasks.app import make_app

# Networks' threads that spin while they wait are eight times slower on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

app = make_app(load())
