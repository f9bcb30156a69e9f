"""Vectors of a folder's photos: from an index, which is their cache, and to and from files."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.boxes import centre_distance
from indexer.errors import UsageError
from indexer.evaluation.exported import COLUMNS, IS_EXPORTED, exported_features
from indexer.evaluation.records import Features
from indexer.files import names_in
from indexer.media import PHOTO_SUFFIXES
from indexer.placing import placed
from indexer.records import Filters
from indexer.text import shown
from indexer.vector_files import arrow, format_of, rows_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from indexer.engines.base import Index
    from indexer.records import Face

_METADATA = b"sightings"
"""Key of what a Parquet file of features says beside its columns, as JSON."""

_TEXTS = ("names", "persons", "missing")

_LONGEST = 1e18
"""Of a vector: squares of longer ones, added up and doubled, leave the range of float32."""


def features_of(index: Index, folder: Path) -> Features:
    """Return one vector for each photo in the folders of a folder (LFW's layout).

    It is that of the face nearest the picture's centre. A photo that is not in the index, or
    without a face there, is missing; whether a file has changed since it was indexed is not
    looked at. Files with the same bytes are one media with several paths, and each counts.
    Raises MediaError if the folder cannot be read.
    """
    root = os.path.abspath(folder)  # noqa: PTH100  # resolve() follows links
    photos = photos_in(Path(root))
    within = Filters(path_prefix=root, kind="photo")
    names = {
        media.id: [os.path.relpath(path, root) for path in media.paths]
        for media in index.iter_media(within)
    }
    vectors: dict[str, np.ndarray] = {}
    faces = index.iter_faces(within, embeddings=True)
    for media_id, of_media in groupby(faces, key=attrgetter("media_id")):
        vector = _nearest_centre(of_media).vector
        vectors |= dict.fromkeys(names.get(media_id, ()), vector)
    found = [name for name in photos if name in vectors]
    model = index.model
    dimensions = model.dimensions if model else 0
    return Features(
        names=tuple(found),
        persons=tuple(name.partition(os.sep)[0] for name in found),
        vectors=np.array([vectors[name] for name in found], np.float32).reshape(-1, dimensions)
        if found
        else np.empty((0, dimensions), np.float32),
        missing=tuple(name for name in photos if name not in vectors),
        model=model.key if model else "",
    )


def write_features(features: Features, file: Path) -> None:
    """Write features to a `.npz` or `.parquet` file, in one step, for the user's eyes alone.

    `.npz`: the arrays `names`, `persons`, `missing` (text), `vectors` ((n, dimensions) float32),
    and `model` and `stage_s` as JSON; `numpy.load(file)` reads them.
    `.parquet`: the columns `name`, `person` and `vector`; the rest stands as JSON in the file's
    metadata under `sightings`. `pandas.read_parquet(file)` reads the columns, and
    `numpy.stack(frame["vector"])` makes the array. `read_features` gives all of it back.
    Raises UsageError for another suffix, or a name that Parquet cannot hold, MissingExtra for
    Parquet without pyarrow, EnvironmentFailure if the file cannot be written.
    """
    if format_of(file) == ".npz":
        arrays: dict[str, Any] = {"vectors": features.vectors}
        arrays |= {name: np.array(getattr(features, name), dtype=str) for name in _TEXTS}
        arrays |= {name: np.array(json.dumps(value)) for name, value in _rest(features).items()}
        with placed(file, private=True) as stream:
            np.savez(stream, **arrays)
        return
    pyarrow = arrow()
    rest = {"missing": list(features.missing), **_rest(features)}
    try:
        columns = {
            "name": pyarrow.array(features.names, pyarrow.string()),
            "person": pyarrow.array(features.persons, pyarrow.string()),
            "vector": rows_column(features.vectors),
        }
        metadata = {_METADATA: json.dumps(rest, ensure_ascii=False).encode()}
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{shown(file)}: {shown(error.object)} is not valid Unicode, which Parquet wants. "
            "Write .npz."
        ) from error
    table = pyarrow.table(columns).replace_schema_metadata(metadata)
    with placed(file, private=True) as stream:
        pyarrow.parquet.write_table(table, stream)


def read_features(file: Path, folder: Path | None = None) -> Features:
    """Return features as `write_features` wrote them, or those in a file of `sightings export`.

    folder: the one whose photos are measured, which the latter needs (see `exported_features`).
    Nothing of the file is ever run: pickled objects are refused. Raises UsageError, which names the
    file, for anything that is no such file.
    """
    read = _from_npz if format_of(file) == ".npz" else _from_parquet
    try:
        features = read(file, folder)
        _check(features)
    except FileNotFoundError as error:
        raise UsageError(f"There is no file {shown(file)}.") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError, EOFError,
            zipfile.BadZipFile, zlib.error) as error:  # fmt: skip
        raise UsageError(
            f"{shown(file)} holds no features that can be read: {error}. `write_features` in "
            "indexer/evaluation/features.py says what is to be in such a file; one that `sightings "
            "export` writes is another."
        ) from error
    return features


def photos_in(root: Path) -> list[str]:
    """Return the photos of the folders of a folder, by suffix, as their paths below it, sorted."""
    return sorted(
        os.path.join(person, name)  # noqa: PTH118
        for person in names_in(root)
        if not person.startswith(".") and (root / person).is_dir()
        for name in names_in(root / person)
        if not name.startswith(".") and Path(name).suffix.lower() in PHOTO_SUFFIXES
    )


def _nearest_centre(faces: Iterable[Face]) -> Face:
    return min(
        faces,
        key=lambda face: centre_distance(face.box_xyxy, face.frame_width, face.frame_height),
    )


def _rest(features: Features) -> dict[str, Any]:
    return {"model": features.model, "stage_s": dict(features.stage_s)}


def _from_npz(file: Path, folder: Path | None) -> Features:
    with file.open("rb") as stream, zipfile.ZipFile(stream):
        stream.seek(0)
        with np.load(stream, allow_pickle=False) as arrays:
            if IS_EXPORTED in arrays.files:
                return exported_features({name: arrays[name] for name in COLUMNS}, folder)
            rest = {name: json.loads(str(arrays[name])) for name in ("model", "stage_s")}
            return Features(
                names=_texts("names", arrays),
                persons=_texts("persons", arrays),
                vectors=arrays["vectors"],
                missing=_texts("missing", arrays),
                model=rest["model"],
                stage_s=rest["stage_s"],
            )


def _texts(name: str, arrays: Any) -> tuple[str, ...]:
    array = arrays[name]
    if array.dtype.kind != "U" or array.ndim != 1:
        raise ValueError(f"its {name} are no list of texts")
    return tuple(array.tolist())


def _from_parquet(file: Path, folder: Path | None) -> Features:
    pyarrow = arrow()
    table = pyarrow.parquet.read_table(pyarrow.BufferReader(file.read_bytes()))
    exported = IS_EXPORTED in table.column_names
    column = table.column("vector")
    if column.type != pyarrow.list_(pyarrow.float32(), getattr(column.type, "list_size", 0)):
        raise ValueError(f"its vectors are {column.type}, not lists of float of one length")
    if column.null_count:
        raise ValueError("it has rows without a vector")
    rows = [np.asarray(chunk.flatten()) for chunk in column.chunks]
    flat = np.concatenate([np.empty(0, np.float32), *rows])
    if exported:
        read = {name: np.array(table.column(name).to_pylist()) for name in COLUMNS[:-1]}
        vectors = flat.reshape(len(table), column.type.list_size)
        return exported_features({**read, "vector": vectors}, folder)
    rest = json.loads((table.schema.metadata or {})[_METADATA])
    return Features(
        names=_column(table, "name"),
        persons=_column(table, "person"),
        vectors=flat.reshape(len(table), column.type.list_size),
        missing=tuple(rest["missing"]),
        model=rest["model"],
        stage_s=rest["stage_s"],
    )


def _column(table: Any, name: str) -> tuple[str, ...]:
    return tuple(table.column(name).to_pylist())


def _check(features: Features) -> None:
    vectors, stages = features.vectors, features.stage_s
    if vectors.ndim != 2 or vectors.dtype != np.float32:
        raise ValueError(f"its vectors are {vectors.dtype} of shape {vectors.shape}, not (n, d)")
    if not len(features.names) == len(features.persons) == len(vectors):
        raise ValueError("it has not as many names and persons as vectors")
    if not np.isfinite(vectors).all():
        raise ValueError("its vectors are not all finite")
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    if not ((lengths > 0) & (lengths < _LONGEST)).all():
        raise ValueError(
            "some of its vectors are all zero, or too long; a photo without a face has no vector"
        )
    texts: Sequence[Any] = (*features.names, *features.persons, *features.missing, features.model)
    if not all(isinstance(text, str) for text in texts) or len(set(features.names)) != len(vectors):
        raise ValueError("its names are not texts that differ")
    if not all(isinstance(value, (int, float)) for value in dict(stages).values()):
        raise ValueError("its times of stages are no numbers")
