from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib import cbook
from PIL import Image
from skimage import data

from indexer.faces import FaceDetector
from indexer.networks import Networks
from indexer.settings import Settings
from tests.fake_embedder import FakeEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["tests.elasticsearch_fixtures", "tests.redis_fixtures"]

# Threads of torch that wait in a loop slow each other down by a factor of eight on busy machines.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


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


@pytest.fixture(scope="session")
def networks() -> Networks:
    """The real detector with an embedding model that needs no weights, on default settings."""
    settings = Settings()
    return Networks(FaceDetector(settings.faces), FakeEmbedder(), settings)


@pytest.fixture(scope="session")
def portraits() -> dict[str, np.ndarray]:
    """Two freely licensed photos of faces, and one without, (h, w, 3) uint8 RGB."""
    with Image.open(cbook.get_sample_data("grace_hopper.jpg")) as grace:
        hopper = np.asarray(grace.convert("RGB").resize((256, 300)))
    astronaut = np.asarray(Image.fromarray(data.astronaut()).resize((300, 300)))
    return {"eileen": astronaut, "grace": hopper, "coffee": data.coffee()[:300, :300]}
