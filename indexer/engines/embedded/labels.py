"""Labels as rows, and the names that they give to faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from indexer.engines.checks import nobody_named
from indexer.engines.embedded import faces as face_rows
from indexer.engines.embedded import segments as segment_rows
from indexer.engines.embedded.filters import Conditions
from indexer.engines.embedded.values import from_blob, from_micros, to_blob, to_micros
from indexer.labels import find_face, persons_of, unmatched
from indexer.records import Deleted, Label, Person

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from datetime import datetime


def name_faces(connection: sqlite3.Connection, media_id: str) -> None:
    """Give a media's faces the names that its labels give them now."""
    labels = listed(connection, [media_id])
    if not labels:
        connection.execute(
            "UPDATE faces SET person = NULL WHERE media_id = ? AND person IS NOT NULL", (media_id,)
        )
        return
    faces = face_rows.of_media(connection, media_id)
    persons = persons_of(faces, labels)
    connection.executemany(
        "UPDATE faces SET person = ? WHERE id = ?",
        [
            (None if person is None else to_blob(person), face.id)
            for face in faces
            if (person := persons[face.id]) != face.person
        ],
    )


def store(connection: sqlite3.Connection, labels: Iterable[Label]) -> tuple[Label, ...]:
    """Store labels, name faces, and return those that found none in a linked media."""
    by_media: dict[str, list[Label]] = {}
    for label in labels:
        by_media.setdefault(label.media_id, []).append(label)
        connection.execute(
            "INSERT OR REPLACE INTO labels VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                label.id,
                label.media_id,
                float(label.timestamp_s),
                *(float(edge) for edge in label.box_xyxy),
                to_blob(label.person),
                label.source,
                to_micros(label.created_at),
            ),
        )
    lost: list[Label] = []
    for media_id, of_media in by_media.items():
        name_faces(connection, media_id)
        linked = connection.execute(
            "SELECT 1 FROM media WHERE id = ? AND state IN ('done', 'failed')", (media_id,)
        ).fetchone()
        if linked:
            lost.extend(unmatched(face_rows.of_media(connection, media_id), of_media))
    return tuple(lost)


def delete(connection: sqlite3.Connection, label_ids: Iterable[str]) -> int:
    """Delete labels, rename the faces of their media, and return how many there were."""
    deleted, media_ids = 0, set()
    for label_id in label_ids:
        row = connection.execute("SELECT media_id FROM labels WHERE id = ?", (label_id,)).fetchone()
        if row is not None:
            media_ids.add(row["media_id"])
            connection.execute("DELETE FROM labels WHERE id = ?", (label_id,))
            deleted += 1
    for media_id in media_ids:
        name_faces(connection, media_id)
    return deleted


def listed(
    connection: sqlite3.Connection, media_ids: Sequence[str] = (), persons: Sequence[str] = ()
) -> list[Label]:
    """Return labels in order of id, of the media and the persons where given."""
    conditions = Conditions()
    conditions.add_list("media_id", media_ids)
    conditions.add_list("person", [to_blob(person) for person in persons])
    rows = connection.execute(
        f"SELECT * FROM labels {conditions.where} ORDER BY id", conditions.values
    )
    return [
        Label(
            media_id=row["media_id"],
            timestamp_s=row["timestamp_s"],
            box_xyxy=(row["x1"], row["y1"], row["x2"], row["y2"]),
            person=from_blob(row["person"]),
            source=row["source"],
            created_at=cast("datetime", from_micros(row["created_at"])),
        )
        for row in rows
    ]


def people(connection: sqlite3.Connection) -> list[Person]:
    """Return the names that faces carry, in order."""
    rows = connection.execute(
        """SELECT person, count(*), count(DISTINCT media_id) FROM faces
           WHERE person IS NOT NULL GROUP BY person ORDER BY person"""
    )
    return [Person(from_blob(row[0]), row[1], row[2]) for row in rows]


def rename(connection: sqlite3.Connection, old: str, new: str) -> int:
    """Rename a person, or merge it into another; return the number of faces renamed."""
    _require_person(connection, old)
    names = (to_blob(new), to_blob(old))
    connection.execute("UPDATE labels SET person = ? WHERE person = ?", names)
    return connection.execute("UPDATE faces SET person = ? WHERE person = ?", names).rowcount


def forget(connection: sqlite3.Connection, name: str) -> Deleted:
    """Delete a person's faces with the labels on them, and the person's other labels."""
    _require_person(connection, name)
    rows = connection.execute("SELECT id FROM faces WHERE person = ?", (to_blob(name),))
    deleted = delete_faces(connection, [row["id"] for row in rows])
    ids = [label.id for label in listed(connection, persons=[name])]
    return Deleted(faces=deleted.faces, labels=deleted.labels + delete(connection, ids))


def delete_faces(connection: sqlite3.Connection, face_ids: Iterable[str]) -> Deleted:
    """Delete faces and the labels on them; the other faces of their media are named anew."""
    face_count = label_count = 0
    for media_id, gone in face_rows.media_of(connection, face_ids).items():
        faces = face_rows.of_media(connection, media_id)
        on_gone = [
            label.id
            for label in listed(connection, [media_id])
            if (face := find_face(faces, label)) is not None and face.id in gone
        ]
        face_rows.delete(connection, gone)
        segment_rows.drop_tracks(connection, media_id, gone)
        face_count += len(gone)
        label_count += delete(connection, on_gone)
    return Deleted(faces=face_count, labels=label_count)


def _require_person(connection: sqlite3.Connection, name: str) -> None:
    found = connection.execute(
        """SELECT 1 FROM labels WHERE person = :name UNION ALL
           SELECT 1 FROM faces WHERE person = :name""",
        {"name": to_blob(name)},
    ).fetchone()
    if found is None:
        raise nobody_named(name)
