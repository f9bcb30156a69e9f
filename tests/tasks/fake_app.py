"""The app of workers under test: the real one, with an embedding model that needs no weights.

Its face detector does what the background of a picture tells: on DEADLY the process dies as from
`kill -9`, on SLOW it takes its time, on HANGING it never ends.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.faces import FaceDetector
from indexer.networks import Networks
from indexer.settings import Settings, load
from tasks.app import make_app
from tests.fake_embedder import FakeEmbedder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.records import Detection, ModelIdentity

DEADLY, SLOW, HANGING = (200, 20, 200), (20, 20, 200), (200, 200, 20)
SLOW_S = 0.15
_TOLERANCE = 40


class ObedientDetector(FaceDetector):
    """Looks at the upper left corner before it looks for faces."""

    def detect(self, images: Sequence[np.ndarray[Any, Any]]) -> list[list[Detection]]:
        for image in images:
            corner = image[:8, :8].reshape(-1, 3).mean(axis=0)
            if np.abs(corner - DEADLY).max() < _TOLERANCE:
                os.kill(os.getpid(), signal.SIGKILL)
            if np.abs(corner - SLOW).max() < _TOLERANCE:
                time.sleep(SLOW_S)
            if np.abs(corner - HANGING).max() < _TOLERANCE:
                time.sleep(3600)
        return super().detect(images)


def fake_networks(model: ModelIdentity | None, settings: Settings) -> Networks:  # noqa: ARG001
    import torch

    torch.set_num_threads(1)
    print(f"Networks see GPU {os.environ.get('CUDA_VISIBLE_DEVICES')}")
    return Networks(ObedientDetector(settings.faces), FakeEmbedder(), settings)


def __getattr__(name: str) -> Any:
    """Make the app only for `celery -A tests.tasks.fake_app`: others import the colours."""
    if name != "app":
        raise AttributeError(name)
    globals()[name] = made = make_app(load(), fake_networks)
    return made
