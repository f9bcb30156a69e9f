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
from indexer.placing import make_folder, place_text
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


def embedded(
    photos: Photos, networks: Networks, folder: Path, watcher: Watcher
) -> tuple[Features, float]:
    """Return the features of photos, and how many seconds it takes to embed so many.

    Those that an earlier run has embedded are not done again, so times come from the mean of all
    photos that the index has ever embedded. stage_s of the features: stages run side by side, and
    may add up to more.
    folder: of the indexes, one for each model and settings that decide which faces there are.
    Raises IndexFailure, and EnvironmentFailure if another process has some of the photos in hand.
    """
    identity, options = networks.embedder.identity, networks.settings.options_for("photo")
    place = folder / f"{re.sub(r'[^A-Za-z0-9._-]', '_', identity.key)}-{options}.sightings"
    make_folder(folder)
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
    count = len(photos.names)
    return replace(features, stage_s=times.stage_s(count)), times.took_s(count)


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
    """Seconds, by stage and in all, of the photos that were embedded into an index, in a file."""

    def __init__(self, file: Path) -> None:
        """Go on from what the file says; one that cannot be read begins anew."""
        self._file = file
        self._turn = threading.Lock()
        self._saved_s = self._latest_s = time.monotonic()
        self._photos, self._in_all_s, self._seconds = 0, 0.0, dict[str, float]()
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            self._photos, self._in_all_s = int(told["photos"]), float(told["in_all_s"])
            self._seconds = dict(told["stage_s"])
        except (OSError, ValueError, KeyError, TypeError):
            pass

    def add(self, seconds: Mapping[Stage, float]) -> None:
        """Add what the stages of one photo took, and the time since the last one; in any thread."""
        with self._turn:
            now_s = time.monotonic()
            self._photos += 1
            self._in_all_s += now_s - self._latest_s
            self._latest_s = now_s
            for stage, took_s in seconds.items():
                self._seconds[stage] = self._seconds.get(stage, 0.0) + took_s
            is_due = now_s - self._saved_s > SAVE_EVERY_S
        if is_due:
            self.save()

    def save(self) -> None:
        """Write the times. Raises EnvironmentFailure if they cannot be written."""
        with self._turn:
            told = {"photos": self._photos, "in_all_s": self._in_all_s, "stage_s": self._seconds}
            place_text(self._file, json.dumps(told))
            self._saved_s = time.monotonic()

    def took_s(self, count: int) -> float:
        """Return the seconds by the clock for so many photos, by the mean of all."""
        return self._in_all_s * count / max(self._photos, 1)

    def stage_s(self, count: int) -> dict[str, float]:
        """Return the seconds of each stage for so many photos, by the mean of all."""
        share = count / max(self._photos, 1)
        return {stage: took_s * share for stage, took_s in self._seconds.items()}
