"""Files that Sightings makes of a model: arrays, and the identity of the model they belong to."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import EnvironmentFailure, UsageError, WeightsUnavailable
from indexer.records import ModelIdentity, Thresholds

if TYPE_CHECKING:
    from pathlib import Path

    Array = np.ndarray[Any, Any]


def write_model_file(path: Path, base: ModelIdentity, **values: Any) -> None:
    """Write arrays and numbers by name, as NumPy's npz, with the model they were made of.

    Raises UsageError if the file is there already, EnvironmentFailure if it cannot be written.
    """
    # Thresholds that an index was given are its own, and must not make the file another model.
    model = json.dumps(asdict(replace(base, calibrated=None)))
    try:
        # Vectors of an index may rest on the file that is there.
        with path.open("xb") as file:
            try:
                np.savez(file, base=model, **values)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
    except FileExistsError as error:
        raise UsageError(
            f"{path} is there already, and an index may need it: name another file."
        ) from error
    except OSError as error:
        raise EnvironmentFailure(f"{path} cannot be written: {error}.") from error


def read_model_file(
    path: Path, names: tuple[str, ...], made_by: str
) -> tuple[dict[str, Array], ModelIdentity]:
    """Return the values of these names, and the model. made_by: the command that writes them.

    Raises WeightsUnavailable if the file is not there or holds something else.
    """
    from zipfile import BadZipFile

    try:
        with np.load(path, allow_pickle=False) as data:
            values = {name: data[name] for name in names}
            fields = json.loads(str(data["base"]))
        thresholds = fields["thresholds"] and Thresholds(**fields["thresholds"])
        return values, ModelIdentity(**fields | {"thresholds": thresholds})
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
