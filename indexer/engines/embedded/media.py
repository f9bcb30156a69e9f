"""Media and the files that hold them, as rows."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import TYPE_CHECKING

from indexer.engines.embedded.filters import media_conditions
from indexer.engines.embedded.values import (
    batches,
    from_blob,
    from_micros,
    marks,
    to_blob,
    to_id,
    to_micros,
)
from indexer.records import Deleted, Media, MediaFile

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from indexer.records import Filters, State


def put(connection: sqlite3.Connection, media: Media, *, before: str | None) -> None:
    """Store a media as one that begins, in its state; its paths are not stored.

    before: what it was, if it begins anew.
    """
    connection.execute(
        """INSERT INTO media (id, kind, size_bytes, width, height, duration_s, recorded_at, state,
             options, batch, queued_at, before)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, size_bytes = excluded.size_bytes,
             width = excluded.width, height = excluded.height, duration_s = excluded.duration_s,
             recorded_at = excluded.recorded_at, state = excluded.state, error = NULL,
             warnings = '[]', options = excluded.options, indexed_at = NULL,
             batch = excluded.batch, queued_at = excluded.queued_at, before = excluded.before""",
        (
            media.id,
            media.kind,
            media.size_bytes,
            media.width,
            media.height,
            media.duration_s,
            to_micros(media.recorded_at),
            media.state,
            to_blob(media.options),
            media.batch,
            to_micros(media.queued_at),
            before,
        ),
    )


def put_back(connection: sqlite3.Connection, media: Media) -> None:
    """Store a media as it was before it began anew."""
    connection.execute(
        """UPDATE media SET state = ?, error = ?, warnings = ?, options = ?, indexed_at = ?,
             batch = ?, queued_at = ?, before = NULL WHERE id = ?""",
        (
            media.state,
            None if media.error is None else to_blob(media.error),
            json.dumps(media.warnings),
            to_blob(media.options),
            to_micros(media.indexed_at),
            media.batch,
            to_micros(media.queued_at),
            media.id,
        ),
    )


def before(connection: sqlite3.Connection, media_id: str) -> str | None:
    """Return what is kept of a media that began anew, or None."""
    row = connection.execute("SELECT before FROM media WHERE id = ?", (media_id,)).fetchone()
    return None if row is None else row["before"]


def get(connection: sqlite3.Connection, media_id: str) -> Media | None:
    """Return a media, or None."""
    return get_many(connection, [media_id]).get(media_id)


def get_many(connection: sqlite3.Connection, media_ids: Sequence[str]) -> dict[str, Media]:
    """Return those media that exist, by id."""
    found: dict[str, Media] = {}
    for part in batches(media_ids):
        listed = marks(len(part))
        paths: dict[str, list[str]] = {}
        for row in connection.execute(
            f"SELECT media_id, path FROM files WHERE media_id IN ({listed}) ORDER BY path", part
        ):
            paths.setdefault(row["media_id"], []).append(from_blob(row["path"]))
        for row in connection.execute(f"SELECT * FROM media WHERE id IN ({listed})", part):
            found[row["id"]] = _media(row, paths.get(row["id"], ()))
    return found


def _media(row: sqlite3.Row, paths: Iterable[str]) -> Media:
    return Media(
        id=row["id"],
        kind=row["kind"],
        size_bytes=row["size_bytes"],
        width=row["width"],
        height=row["height"],
        duration_s=row["duration_s"],
        recorded_at=from_micros(row["recorded_at"]),
        paths=tuple(paths),
        state=row["state"],
        error=None if row["error"] is None else from_blob(row["error"]),
        warnings=tuple(json.loads(row["warnings"])),
        options=from_blob(row["options"]),
        indexed_at=from_micros(row["indexed_at"]),
        batch=row["batch"],
        queued_at=from_micros(row["queued_at"]),
    )


def matching(
    connection: sqlite3.Connection,
    filters: Filters | None,
    states: Sequence[State],
    batch: str | None,
    after: tuple[str, str] | None,
) -> list[str]:
    """Return the ids of the media that pass, in the order of `iter_media`."""
    conditions = media_conditions(filters)
    conditions.add_list("media.state", states)
    if batch is not None:
        conditions.add("media.batch = ?", batch)
    order = "coalesce(min(files.path), CAST(media.id AS BLOB)), media.id"
    begin = "" if after is None else f"HAVING ({order}) > (?, ?)"
    begin_values = [] if after is None else [to_blob(after[0]), to_id(after[1])]
    rows = connection.execute(
        f"""SELECT media.id FROM media LEFT JOIN files ON files.media_id = media.id
            {conditions.where} GROUP BY media.id {begin} ORDER BY {order}""",
        [*conditions.values, *begin_values],
    )
    return [row["id"] for row in rows]


def delete(connection: sqlite3.Connection, media_ids: Sequence[str]) -> Deleted:
    """Delete media with all that belongs to them."""
    deleted = Deleted()
    for media_id in media_ids:
        faces = connection.execute("SELECT count(*) FROM faces WHERE media_id = ?", (media_id,))
        face_count = faces.fetchone()[0]
        connection.execute("DELETE FROM files WHERE media_id = ?", (media_id,))
        labels = connection.execute("DELETE FROM labels WHERE media_id = ?", (media_id,))
        media = connection.execute("DELETE FROM media WHERE id = ?", (media_id,))
        deleted = Deleted(
            deleted.media + media.rowcount,
            deleted.faces + face_count,
            deleted.labels + labels.rowcount,
        )
    return deleted


def find_file(connection: sqlite3.Connection, path: str) -> MediaFile | None:
    """Return what is known of a path."""
    row = connection.execute("SELECT * FROM files WHERE path = ?", (to_blob(path),)).fetchone()
    return None if row is None else _file(row)


def put_file(connection: sqlite3.Connection, file: MediaFile) -> None:
    """Record what a path holds."""
    connection.execute(
        "INSERT OR REPLACE INTO files (path, name, size_bytes, mtime_ns, media_id)"
        " VALUES (?, ?, ?, ?, ?)",
        (
            to_blob(file.path),
            to_blob(PurePath(file.path).name),
            file.size_bytes,
            file.mtime_ns,
            file.media_id,
        ),
    )


def remove_file(connection: sqlite3.Connection, path: str) -> None:
    """Forget a path."""
    connection.execute("DELETE FROM files WHERE path = ?", (to_blob(path),))


def files_after(connection: sqlite3.Connection, path: bytes, count: int) -> list[MediaFile]:
    """Return the next `count` files whose stored path sorts after `path`."""
    rows = connection.execute(
        "SELECT * FROM files WHERE path > ? ORDER BY path LIMIT ?", (path, count)
    )
    return [_file(row) for row in rows]


def _file(row: sqlite3.Row) -> MediaFile:
    return MediaFile(from_blob(row["path"]), row["size_bytes"], row["mtime_ns"], row["media_id"])
