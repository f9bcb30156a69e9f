"""The vectors of an index as a file for other programs: `sightings export`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import IndexFailure, NotFound, UsageError
from indexer.placing import placed
from indexer.records import Filters
from indexer.text import shown
from indexer.vector_files import arrow, format_of, rows_column

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.records import Face

BATCH = 2000
"""Faces held at a time, if the file is Parquet: 4 MB at 512 dimensions."""


@dataclass(frozen=True)
class Rows:
    """Faces as columns, each of the same length.

    person: None for faces without a name. box: (n, 4) float64. frame: (n, 2) int64. vector:
    (n, dimensions) float32.
    """

    face_id: list[str]
    media_id: list[str]
    path: list[str]
    person: list[str | None]
    timestamp_s: list[float]
    box: np.ndarray
    frame: np.ndarray
    probability: list[float]
    model: list[str]
    vector: np.ndarray


def export_vectors(
    index: Index, file: Path, filters: Filters | None = None, *, batch: int = BATCH
) -> int:
    """Write the faces that pass the filters, with their vectors, to a file; return how many.

    Columns: face_id, media_id, path (the media's first), person, timestamp_s (0 for photos), box
    (x1, y1, x2, y2 in pixels of the displayed picture), frame (that picture's width and height),
    probability (of the detector), model (key of what made the vector), vector (float32 of length
    1). The file comes into place in one step, and only the user can read it. `sightings evaluate
    --features` reads it.

    `.parquet` is written batch by batch, so memory stays bounded; it needs pyarrow.
    `frame = pandas.read_parquet(file)`, `vectors = numpy.stack(frame["vector"])`; faces without a
    name have no person there (None or NaN).
    `.npz` holds an array for each column, made in memory; `numpy.load(file)["vector"]` is
    (n, dimensions), and faces without a name have the empty text as person.

    batch: faces read at a time, and in a row group of Parquet.
    Raises NotFound if no face passes, UsageError for another suffix, and for the file of the
    index's model, which would be lost, MissingExtra for Parquet
    without pyarrow, EnvironmentFailure if the file cannot be written, IndexFailure if the index's
    model is replaced meanwhile.
    """
    write = _write_npz if format_of(file) == ".npz" else _write_parquet
    _check_not_needed(index, file)
    batches = _batches(index, filters, batch)
    first = next(batches, None)
    if first is None:
        raise NotFound("The index holds no faces of these, so nothing was written.")
    return write(chain([first], batches), file)


def _check_not_needed(index: Index, file: Path) -> None:
    weights = index.model.weights_path if index.model else ""
    if weights and file.exists() and os.path.realpath(file) == os.path.realpath(weights):
        raise UsageError(f"{shown(file)} is the index's model: name another file.")


def _batches(index: Index, filters: Filters | None, size: int) -> Iterator[Rows]:
    model = index.model
    faces = index.iter_faces(filters, embeddings=True)
    while batch := list(islice(faces, size)):
        if model is None or any(face.model != model.key for face in batch):
            raise IndexFailure(
                "The index was given another model while its vectors were exported: export again."
            )
        media_ids = tuple(dict.fromkeys(face.media_id for face in batch))
        media = index.iter_media(Filters(media_ids=media_ids))
        yield _rows(batch, {one.id: _valid(one.path) for one in media})


def _rows(faces: list[Face], paths: dict[str, str]) -> Rows:
    return Rows(
        face_id=[face.id for face in faces],
        media_id=[face.media_id for face in faces],
        # A media that was deleted meanwhile has its id, as one without any path.
        path=[paths.get(face.media_id, face.media_id) for face in faces],
        person=[None if face.person is None else _valid(face.person) for face in faces],
        timestamp_s=[face.timestamp_s for face in faces],
        box=np.array([face.box_xyxy for face in faces], np.float64),
        frame=np.array([(face.frame_width, face.frame_height) for face in faces], np.int64),
        probability=[face.probability for face in faces],
        model=[face.model for face in faces],
        vector=np.array([face.vector for face in faces], np.float32),
    )


def _valid(text: str) -> str:
    """Return text as valid Unicode: names of files may hold bytes that stand for none."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _write_parquet(batches: Iterator[Rows], file: Path) -> int:
    pyarrow, count = arrow(), 0
    first = next(batches)
    schema = _table(pyarrow, first).schema
    repeated = ["media_id", "path", "person", "model"]
    with (
        placed(file, private=True) as stream,
        pyarrow.parquet.ParquetWriter(stream, schema, use_dictionary=repeated) as writer,
    ):
        for rows in chain([first], batches):
            writer.write_table(_table(pyarrow, rows))
            count += len(rows.face_id)
    return count


def _table(pyarrow: Any, rows: Rows) -> Any:
    text, number = pyarrow.string(), pyarrow.float64()
    return pyarrow.table(
        {
            "face_id": pyarrow.array(rows.face_id, text),
            "media_id": pyarrow.array(rows.media_id, text),
            "path": pyarrow.array(rows.path, text),
            "person": pyarrow.array(rows.person, text),
            "timestamp_s": pyarrow.array(rows.timestamp_s, number),
            "box": rows_column(rows.box),
            "frame": rows_column(rows.frame),
            "probability": pyarrow.array(rows.probability, number),
            "model": pyarrow.array(rows.model, text),
            "vector": rows_column(rows.vector),
        }
    )


def _write_npz(batches: Iterator[Rows], file: Path) -> int:
    parts = [_arrays(rows) for rows in batches]
    columns: dict[str, Any] = {
        name: np.concatenate([part[name] for part in parts]) for name in parts[0]
    }
    with placed(file, private=True) as stream:
        np.savez(stream, **columns)
    return len(columns["face_id"])


def _arrays(rows: Rows) -> dict[str, Any]:
    columns = vars(rows) | {"person": [person or "" for person in rows.person]}
    return {name: np.asarray(values) for name, values in columns.items()}
