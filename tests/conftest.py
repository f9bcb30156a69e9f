from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


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


@pytest.fixture
def without_root() -> Iterator[Path]:
    """A folder, while the test runs as a user whom file permissions hold."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if os.geteuid() != 0:
            yield folder
            return
        nobody = 65534
        os.chown(folder, nobody, nobody)
        os.seteuid(nobody)
        try:
            yield folder
        finally:
            os.seteuid(0)
