"""Embedding models as rows: the live one, and at most one more that is being built."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from indexer.engines.checks import calibrated, mismatch, not_being_built
from indexer.engines.embedded.values import to_vector_blob
from indexer.errors import IndexFailure, ModelMismatch, UsageError
from indexer.identities import from_document, to_document

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from typing import Literal

    import numpy as np

    from indexer.records import ModelIdentity, Thresholds


@dataclass(frozen=True)
class Version:
    """A set of vectors, one for each face: `number` keys them."""

    number: int
    model: ModelIdentity


def live(connection: sqlite3.Connection) -> Version | None:
    """Return the version that is searched, or None in an index that never had a model."""
    return _find(connection, "live")


def building(connection: sqlite3.Connection, model_key: str) -> Version:
    """Return the version being built of a model. Raises UsageError if there is none."""
    version = _find(connection, "building")
    if version is None or version.model.key != model_key:
        raise UsageError(not_being_built(model_key))
    return version


def adopt(connection: sqlite3.Connection, model: ModelIdentity) -> None:
    """Make a model the live one of an index without any. Raises ModelMismatch."""
    version = live(connection)
    if version is None:
        _insert(connection, replace(model, calibrated=None), "live")
    elif version.model.key != model.key:
        raise ModelMismatch(mismatch(version.model, model.key))
    elif version.model != (kept := replace(model, calibrated=version.model.calibrated)):
        _update(connection, version, kept)


def set_thresholds(
    connection: sqlite3.Connection, model_key: str, thresholds: Thresholds | None
) -> None:
    """Keep thresholds of the index with its live model, or take them away."""
    version = live(connection)
    model = calibrated(version.model if version else None, model_key, thresholds)
    if version is not None:
        _update(connection, version, model)


def begin(connection: sqlite3.Connection, model: ModelIdentity) -> None:
    """Start a version, or go on with it; another unfinished one is dropped."""
    version = live(connection)
    if version is not None and version.model.key == model.key:
        raise UsageError(f"The index was made with {model.key} already; nothing is to be done.")
    unfinished = _find(connection, "building")
    if unfinished is not None and unfinished.model.key == model.key:
        _update(connection, unfinished, replace(model, calibrated=None))
        return
    if unfinished is not None:
        _drop(connection, unfinished)
    _insert(connection, replace(model, calibrated=None), "building")


def put_vectors(
    connection: sqlite3.Connection, model_key: str, vectors: Mapping[str, np.ndarray]
) -> None:
    """Store vectors of the version being built, by face id."""
    version = building(connection, model_key)
    connection.executemany(
        """INSERT OR REPLACE INTO vectors (face, version, embedding)
           SELECT number, ?, ? FROM faces WHERE id = ?""",
        [
            (version.number, to_vector_blob(vector, version.model.dimensions), face_id)
            for face_id, vector in vectors.items()
        ],
    )


def activate(connection: sqlite3.Connection, model_key: str) -> None:
    """Make the version being built the live one; media in progress begin again.

    What their segments left for linking was made with the old model.
    """
    version = building(connection, model_key)
    missing = connection.execute(
        """SELECT count(*) FROM faces WHERE NOT EXISTS (
             SELECT 1 FROM vectors WHERE face = faces.number AND version = ?)""",
        (version.number,),
    ).fetchone()[0]
    if missing:
        raise IndexFailure(
            f"{missing} faces have no vector of {version.model.key} yet, so it cannot replace the "
            "live model. Run the re-indexing again; it goes on where it stopped."
        )
    old = live(connection)
    if old is not None:
        _drop(connection, old)
    connection.execute("UPDATE versions SET state = 'live' WHERE number = ?", (version.number,))
    connection.execute("UPDATE faces SET model = ?", (version.model.key,))
    connection.execute(
        """UPDATE segments SET state = 'pending', attempts = 0, owner = NULL, lease_until = NULL,
             tracks = x'', finished_at = NULL
           WHERE media_id IN (SELECT id FROM media WHERE state = 'working')"""
    )


def _find(connection: sqlite3.Connection, state: str) -> Version | None:
    row = connection.execute(
        "SELECT number, identity FROM versions WHERE state = ?", (state,)
    ).fetchone()
    if row is None:
        return None
    return Version(row["number"], from_document(json.loads(row["identity"])))


def _insert(
    connection: sqlite3.Connection, model: ModelIdentity, state: Literal["live", "building"]
) -> None:
    connection.execute(
        "INSERT INTO versions (state, identity) VALUES (?, ?)",
        (state, json.dumps(to_document(model))),
    )


def _update(connection: sqlite3.Connection, version: Version, model: ModelIdentity) -> None:
    connection.execute(
        "UPDATE versions SET identity = ? WHERE number = ?",
        (json.dumps(to_document(model)), version.number),
    )


def _drop(connection: sqlite3.Connection, version: Version) -> None:
    for table in ("blocks", "vectors"):  # in this order the triggers of vectors find no block
        connection.execute(f"DELETE FROM {table} WHERE version = ?", (version.number,))
    connection.execute("DELETE FROM versions WHERE number = ?", (version.number,))
