"""The app of `celery -A tasks worker`, by the settings of the environment and the settings file."""

from __future__ import annotations

from indexer.library_threads import PASSIVE, set_before_imports
from indexer.settings import load
from tasks.app import make_app

set_before_imports(PASSIVE)

app = make_app(load())
