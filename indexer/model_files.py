"""Files that Sightings makes of a model: arrays, and the identity of the model they belong to."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import UsageError, WeightsUnavailable
from indexer.identities import from_document, to_document
from indexer.placing import placed

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.records import ModelIdentity

    Array = np.ndarray[Any, Any]


def write_model_file(path: Path, base: ModelIdentity, **values: Any) -> None:
    """Write arrays and numbers by name, as NumPy's npz, with the model they were made of.

    Thresholds that were measured on an index's own faces stay with that index. Raises UsageError if
    the file is there already, EnvironmentFailure if it cannot be written; then there
    is none, as after a kill.
    """
    document = to_document(replace(base, calibrated=None))
    try:
        # Vectors of an index may rest on the file that is there.
        with placed(path, replace=False) as file:
            np.savez(file, base=json.dumps(document), **values)
    except FileExistsError as error:
        raise UsageError(
            f"{path} is there already, and an index may need it: name another file."
        ) from error


def read_model_file(
    path: Path, names: tuple[str, ...], made_by: str, optional: tuple[str, ...] = ()
) -> tuple[dict[str, Array], ModelIdentity]:
    """Return the values of these names, and the model.

    made_by: the command that writes them. optional: names that may be missing.
    Raises WeightsUnavailable if the file is not there or holds something else.
    """
    from zipfile import BadZipFile

    try:
        with np.load(path, allow_pickle=False) as data:
            there = (name for name in optional if name in data.files)
            values = {name: data[name] for name in (*names, *there)}
            return values, from_document(json.loads(str(data["base"])))
    except FileNotFoundError as error:
        raise WeightsUnavailable(f"There is no file {path}: {made_by} makes one.") from error
    except (
        OSError,
        EOFError,
        BadZipFile,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ) as error:
        raise WeightsUnavailable(f"{path} is not what {made_by} writes.") from error
