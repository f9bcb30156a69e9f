from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engines.conftest import (  # noqa: F401
    elasticsearch_location,
    embedded_location,
    index,
    open_again,
)
from tests.evaluation.neighbours import made_up_vectors, queries_near

if TYPE_CHECKING:
    import numpy as np


@pytest.fixture(scope="session")
def vectors() -> np.ndarray:
    return made_up_vectors()


@pytest.fixture(scope="session")
def queries(vectors: np.ndarray) -> np.ndarray:
    return queries_near(vectors)
