"""The app of `celery -A tasks worker`, by the settings of the environment and the settings file."""

from __future__ import annotations

from indexer.library_threads import ONE_FOR_PRODUCTS, PASSIVE, set_before_imports
from indexer.settings import load
from tasks.app import make_app

set_before_imports(PASSIVE | ONE_FOR_PRODUCTS)

app = make_app(load())
