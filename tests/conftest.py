from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with `data` and `models`; see SIGHTINGS_TEST_DATA in the README."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("SIGHTINGS_TEST_DATA", beside)).resolve()
    if not (folder / "data").is_dir():
        reason = f"no test data in {folder}: set SIGHTINGS_TEST_DATA"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
