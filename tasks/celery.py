"""The app of `celery -A tasks worker`, by the settings of the environment and the settings file."""

from __future__ import annotations

from indexer.settings import load
from tasks.app import make_app

app = make_app(load())
