"""Photos -> features, through an index in the work folder, which is the cache of the vectors."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from indexer.engines import open_index
from indexer.errors import EnvironmentFailure
from indexer.evaluation.features import features_of
from indexer.ingest import ingest
from indexer.text import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from indexer.evaluation.photo_folder import Photos
    from indexer.evaluation.progress import Watcher
    from indexer.evaluation.records import Features
    from indexer.networks import Networks
    from indexer.stage_times import Stage

SAVE_EVERY_S = 5.0
"""How often times are written: what a kill takes is the times of so many seconds, not the mean."""


def embedded(photos: Photos, networks: Networks, folder: Path, watcher: Watcher) -> Features:
    """Return the features of photos; those that an earlier run has embedded are not done again.

    folder: of the indexes, one for each model and settings that decide which faces there are.
    stage_s of the features: what each stage takes for so many photos, from the mean of all that
    this index has ever embedded; stages run side by side, so they may exceed the time gone by.
    Raises IndexFailure, and EnvironmentFailure if another process has some of the photos in hand.
    """
    identity, options = networks.embedder.identity, networks.settings.options_for("photo")
    place = folder / f"{re.sub(r'[^A-Za-z0-9._-]', '_', identity.key)}-{options}.sightings"
    folder.mkdir(parents=True, exist_ok=True)
    times = KeptTimes(place.with_suffix(".times.json"))
    with open_index(str(place), create=True) as index:
        with watcher.files() as progress:
            report = ingest(index, photos.paths, networks, progress=progress, on_times=times.add)
        times.save()
        for failure in report.failed:
            watcher.warn(failure)
        if report.waiting:
            raise EnvironmentFailure(
                f"Another process is embedding {counted(len(report.waiting), 'photo')} into "
                f"{place}. Run this again when it has ended."
            )
        features = only(features_of(index, photos.folder), photos.names)
    return replace(features, stage_s=times.for_photos(len(photos.names)))


def only(features: Features, names: Collection[str]) -> Features:
    """Return the features of some photos; those that are not among them are missing."""
    wanted, known = set(names), set(features.names)
    rows = [row for row, name in enumerate(features.names) if name in wanted]
    return replace(
        features,
        names=tuple(features.names[row] for row in rows),
        persons=tuple(features.persons[row] for row in rows),
        vectors=features.vectors[rows],
        missing=tuple(sorted(wanted - known)),
    )


class KeptTimes:
    """Seconds by stage of all photos that were embedded into an index, in a file beside it."""

    def __init__(self, file: Path) -> None:
        """Go on from what the file says; one that cannot be read begins anew."""
        self._file = file
        self._turn = threading.Lock()
        self._saved_s = time.monotonic()
        self._photos, self._seconds = 0, dict[str, float]()
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            self._photos, self._seconds = int(told["photos"]), dict(told["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            pass

    def add(self, seconds: Mapping[Stage, float]) -> None:
        """Add what the stages of one photo took; several threads may."""
        with self._turn:
            self._photos += 1
            for stage, took_s in seconds.items():
                self._seconds[stage] = self._seconds.get(stage, 0.0) + took_s
            is_due = time.monotonic() - self._saved_s > SAVE_EVERY_S
        if is_due:
            self.save()

    def save(self) -> None:
        """Write the times."""
        with self._turn:
            text = json.dumps({"photos": self._photos, "seconds": self._seconds})
            part = self._file.with_name(f"{self._file.name}.part")
            part.write_text(text, encoding="utf-8")
            part.replace(self._file)
            self._saved_s = time.monotonic()

    def for_photos(self, count: int) -> dict[str, float]:
        """Return the seconds that each stage takes for so many photos, by the mean of all."""
        share = count / self._photos if self._photos else 0.0
        return {stage: took_s * share for stage, took_s in self._seconds.items()}
