"""Faces as rows, with their thumbnails and vectors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from indexer.engines.embedded.filters import face_conditions
from indexer.engines.embedded.values import (
    batches,
    from_blob,
    from_micros,
    from_vector_blob,
    marks,
    now_micros,
    parts,
    to_vector_blob,
)
from indexer.records import Face

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Sequence

    from indexer.records import Box, Filters, Landmarks

_INSERT = f"""INSERT INTO faces (id, media_id, segment, frame_index, timestamp_s, x1, y1, x2, y2,
  landmarks, frame_width, frame_height, probability, face_px, sharpness, model, indexed_at)
  VALUES ({marks(17)})"""

_ORDER = "ORDER BY faces.media_id, faces.timestamp_s, faces.id"


def insert(
    connection: sqlite3.Connection, faces: Iterable[Face], *, version: int, dimensions: int
) -> None:
    """Insert faces with vector and thumbnail, in place of any that have their ids; no names."""
    now = now_micros()
    for face in faces:
        vector = to_vector_blob(face.vector, dimensions)
        connection.execute("DELETE FROM faces WHERE id = ?", (face.id,))
        number = connection.execute(_INSERT, (*_values(face), now)).lastrowid
        connection.execute("INSERT INTO thumbnails VALUES (?, ?)", (number, face.thumbnail))
        connection.execute(
            "INSERT INTO vectors (face, version, embedding) VALUES (?, ?, ?)",
            (number, version, vector),
        )


def _values(face: Face) -> tuple[object, ...]:
    return (
        face.id,
        face.media_id,
        int(face.segment),
        int(face.frame_index),
        float(face.timestamp_s),
        *(float(edge) for edge in face.box_xyxy),
        json.dumps([[float(x), float(y)] for x, y in face.landmarks_xy]),
        int(face.frame_width),
        int(face.frame_height),
        float(face.probability),
        float(face.face_px),
        float(face.sharpness),
        face.model,
    )


def matching(
    connection: sqlite3.Connection, filters: Filters | None, *, in_order: bool = False
) -> list[int]:
    """Return the numbers of the faces that pass; in the order of `iter_faces`, if asked."""
    conditions = face_conditions(filters)
    order = _ORDER if in_order else ""
    query = f"SELECT number FROM faces {conditions.where} {order}"
    return [row[0] for part in parts(connection, query, conditions.values) for row in part]


def count(connection: sqlite3.Connection, filters: Filters | None) -> int:
    """Return how many faces pass."""
    conditions = face_conditions(filters)
    row = connection.execute(
        f"SELECT count(*) FROM faces {conditions.where}", conditions.values
    ).fetchone()
    return cast("int", row[0])


def without_vector(connection: sqlite3.Connection, version: int) -> list[int]:
    """Return the numbers of the faces that have no vector in a version, in order."""
    rows = connection.execute(
        f"""SELECT number FROM faces WHERE NOT EXISTS (
              SELECT 1 FROM vectors WHERE face = faces.number AND version = ?) {_ORDER}""",
        (version,),
    )
    return [row[0] for row in rows]


def fetch(
    connection: sqlite3.Connection, numbers: Sequence[int], *, version: int | None = None
) -> dict[int, Face]:
    """Return those faces that exist by number; with the vectors of a version, if given."""
    found: dict[int, Face] = {}
    for part in batches(numbers):
        rows = connection.execute(
            f"""SELECT faces.*, vectors.embedding FROM faces
                LEFT JOIN vectors ON vectors.face = faces.number AND vectors.version = ?
                WHERE faces.number IN ({marks(len(part))})""",
            (version, *part),
        )
        found.update((row["number"], _face(row)) for row in rows)
    return found


def of_media(
    connection: sqlite3.Connection, media_id: str, *, version: int | None = None
) -> list[Face]:
    """Return a media's faces in order of time; with the vectors of a version, if given."""
    rows = connection.execute(
        f"""SELECT faces.*, vectors.embedding FROM faces
            LEFT JOIN vectors ON vectors.face = faces.number AND vectors.version = ?
            WHERE faces.media_id = ? {_ORDER}""",
        (version, media_id),
    )
    return [_face(row) for row in rows]


def by_id(connection: sqlite3.Connection, face_id: str, *, version: int | None) -> Face | None:
    """Return a face, or None."""
    row = connection.execute("SELECT number FROM faces WHERE id = ?", (face_id,)).fetchone()
    if row is None:
        return None
    return fetch(connection, [row["number"]], version=version)[row["number"]]


def thumbnail(connection: sqlite3.Connection, face_id: str) -> bytes | None:
    """Return a face's thumbnail, or None."""
    row = connection.execute(
        """SELECT jpeg FROM thumbnails JOIN faces ON faces.number = thumbnails.face
           WHERE faces.id = ?""",
        (face_id,),
    ).fetchone()
    return None if row is None else cast("bytes", row["jpeg"])


def media_of(connection: sqlite3.Connection, face_ids: Iterable[str]) -> dict[str, set[str]]:
    """Return, by media, those of the faces that exist."""
    found: dict[str, set[str]] = {}
    for face_id in face_ids:
        row = connection.execute("SELECT media_id FROM faces WHERE id = ?", (face_id,)).fetchone()
        if row is not None:
            found.setdefault(row["media_id"], set()).add(face_id)
    return found


def delete(connection: sqlite3.Connection, face_ids: Collection[str]) -> None:
    """Delete faces with vectors and thumbnails."""
    connection.executemany("DELETE FROM faces WHERE id = ?", [(face_id,) for face_id in face_ids])


def delete_within(
    connection: sqlite3.Connection, media_id: str, start_s: float, end_s: float
) -> None:
    """Delete a media's faces with start_s <= timestamp_s < end_s."""
    connection.execute(
        "DELETE FROM faces WHERE media_id = ? AND timestamp_s >= ? AND timestamp_s < ?",
        (media_id, start_s, end_s),
    )


def _face(row: sqlite3.Row) -> Face:
    box: Box = (row["x1"], row["y1"], row["x2"], row["y2"])
    landmarks: Landmarks = tuple((x, y) for x, y in json.loads(row["landmarks"]))
    return Face(
        id=row["id"],
        media_id=row["media_id"],
        segment=row["segment"],
        frame_index=row["frame_index"],
        timestamp_s=row["timestamp_s"],
        box_xyxy=box,
        landmarks_xy=landmarks,
        frame_width=row["frame_width"],
        frame_height=row["frame_height"],
        probability=row["probability"],
        face_px=row["face_px"],
        sharpness=row["sharpness"],
        model=row["model"],
        person=None if row["person"] is None else from_blob(row["person"]),
        appearance_id=row["appearance_id"],
        appearance_start_s=row["appearance_start_s"],
        appearance_end_s=row["appearance_end_s"],
        indexed_at=from_micros(row["indexed_at"]),
        embedding=None if row["embedding"] is None else from_vector_blob(row["embedding"]),
    )
