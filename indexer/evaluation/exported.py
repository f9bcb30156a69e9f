"""The faces of a file of `sightings export` as features: one vector for each photo of a folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.boxes import centre_distance
from indexer.evaluation.records import Features

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Array = np.ndarray[Any, Any]

IS_EXPORTED = "face_id"
"""A column that files of `sightings export` have, and those of features have not."""

COLUMNS = ("path", "box", "frame", "model", "vector")
"""The columns that are read."""


def exported_features(columns: Mapping[str, Array], folder: Path | None) -> Features:
    """Return the vector of the face nearest each photo's centre, as `features_of` takes it.

    columns: COLUMNS of `export_vectors`, each of n rows. folder: whose photos are measured; faces
    of other files are left out. Photos with the same bytes have one path in such a file: the others
    are missing. Raises ValueError if the columns do not fit together, or no folder is given.
    """
    if folder is None:
        raise ValueError("it is of `sightings export`, and no folder of photos is given")
    count = len(columns["path"])
    shapes = {"box": (count, 4), "frame": (count, 2), "model": (count,)}
    fits = all(columns[name].shape == shape for name, shape in shapes.items())
    if not fits or columns["vector"].shape[:1] != (count,):
        raise ValueError("its columns are not of one length")
    root = os.path.abspath(folder)  # noqa: PTH100  # as the index has it: resolve() follows links
    nearest: dict[str, tuple[float, int]] = {}
    for row, path in enumerate(columns["path"].tolist()):
        name = os.path.relpath(path, root)
        if name.count(os.sep) != 1 or name.startswith(os.pardir):
            continue
        width, height = columns["frame"][row].tolist()
        away = centre_distance(tuple(columns["box"][row].tolist()), width, height)
        nearest[name] = min(nearest.get(name, (away, row)), (away, row))
    names = sorted(nearest)
    rows = np.array([nearest[name][1] for name in names], np.int64)
    return Features(
        names=tuple(names),
        persons=tuple(name.partition(os.sep)[0] for name in names),
        vectors=columns["vector"][rows],
        model=str(columns["model"][0]) if count else "",
    )
