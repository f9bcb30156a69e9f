"""The background worker's child; its index has no room for faces until a file `room` is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.background_child import main
from indexer.errors import StorageFull
from tests.tasks.fake_app import ObedientDetector, fake_networks

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from indexer.networks import Networks
    from indexer.records import Detection, ModelIdentity
    from indexer.settings import Settings


def networks(model: ModelIdentity | None, settings: Settings) -> Networks:
    room = Path(settings.index).with_name("room")

    class Detector(ObedientDetector):
        def detect(self, images: Sequence[np.ndarray[Any, Any]]) -> list[list[Detection]]:
            if not room.exists():
                raise StorageFull("There is no room yet.")
            return super().detect(images)

    return replace(fake_networks(model, settings), detector=Detector(settings.faces))


if __name__ == "__main__":
    main(networks)
