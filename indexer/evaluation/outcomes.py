"""Outcomes in the work folder: what is done once under the same conditions is not done again."""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from indexer.evaluation.records import Outcome
from indexer.evaluation.report.flat import plain
from indexer.placing import make_folder, not_written, place_text, placed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def key_of(deciding: Mapping[str, Any]) -> str:
    """Return a key for all that decides an outcome: equal for equal values, 24 hex digits."""
    text = json.dumps(plain(deciding), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


class KeptOutcomes:
    """Outcomes in a folder: KEY.json, and KEY.npz for the arrays, without any pickle."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, which is made if it is not there. Raises EnvironmentFailure."""
        self._folder = folder
        make_folder(folder)

    def find(self, key: str) -> Outcome | None:
        """Return the outcome that is kept under a key; None if there is none that can be read."""
        import numpy as np

        try:
            fields = json.loads(self._path(key, ".json").read_text(encoding="utf-8"))
            with np.load(self._path(key, ".npz"), allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            return Outcome(**fields, arrays=arrays)
        except (OSError, EOFError, ValueError, TypeError, KeyError, BadZipFile, zlib.error):
            return None

    def keep(self, key: str, outcome: Outcome) -> None:
        """Keep an outcome; it is there as a whole, or not at all, however the process ends.

        Raises EnvironmentFailure if it cannot be written.
        """
        import numpy as np

        fields = {name: plain(value) for name, value in vars(outcome).items() if name != "arrays"}
        if pickled := [name for name, each in outcome.arrays.items() if each.dtype.hasobject]:
            raise TypeError(f"Arrays of objects cannot be kept: {', '.join(pickled)}.")
        json_path, arrays_path = self._path(key, ".json"), self._path(key, ".npz")
        # The JSON last: it says that the outcome is there.
        try:
            json_path.unlink(missing_ok=True)
        except OSError as error:
            raise not_written(json_path, error) from error
        arrays: dict[str, Any] = {**outcome.arrays}
        with placed(arrays_path) as stream:
            np.savez_compressed(stream, **arrays)
        place_text(json_path, json.dumps(fields, indent=1))

    def _path(self, key: str, suffix: str) -> Path:
        return self._folder / f"{key}{suffix}"
