"""The tables of an index file, and the marks by which one is recognised."""

from __future__ import annotations

APPLICATION_ID = 0x53474854
"""`SGHT`, in the header of every index file (SQLite's application_id)."""

SCHEMA_VERSION = 4
"""Kept as SQLite's user_version; raise it with every change of the tables, with a migration."""

PAGE_BYTES = 8192
"""Two or three 512-d vectors fit a page; with SQLite's usual 4096 only one, half of it empty."""

REMOVED_KEPT = 100_000
"""Length of the log of removed faces; an open index that missed more loads all vectors anew."""

CHANGED_KEPT = 100_000
"""Length of the log of changed faces; who missed more reads all columns of filters anew."""

BLOCK_FACES = 1024
"""Face numbers of a block. The triggers hold it, so another one takes a migration.

0.5 MB of 512 dimensions: few rows for a million faces, and a change takes few others along.
"""

# Any change of a face's vector, number or media drops the block it is in, whatever program makes
# it: older ones that have the file open know no blocks.
_BLOCKS = f"""
CREATE TABLE blocks (
  version INTEGER NOT NULL,
  block INTEGER NOT NULL,
  crc32 INTEGER NOT NULL,
  faces BLOB NOT NULL,
  media_ids BLOB NOT NULL,
  media BLOB NOT NULL,
  scales BLOB NOT NULL,
  errors BLOB NOT NULL,
  codes BLOB NOT NULL,
  PRIMARY KEY (version, block)
);
CREATE TRIGGER drop_block_of_new_vector AFTER INSERT ON vectors BEGIN
  DELETE FROM blocks WHERE version = new.version AND block = (new.face - 1) / {BLOCK_FACES};
END;
CREATE TRIGGER drop_block_of_old_vector AFTER DELETE ON vectors BEGIN
  DELETE FROM blocks WHERE version = old.version AND block = (old.face - 1) / {BLOCK_FACES};
END;
CREATE TRIGGER drop_blocks_of_changed_vector AFTER UPDATE ON vectors BEGIN
  DELETE FROM blocks WHERE version = old.version AND block = (old.face - 1) / {BLOCK_FACES};
  DELETE FROM blocks WHERE version = new.version AND block = (new.face - 1) / {BLOCK_FACES};
END;
CREATE TRIGGER drop_blocks_of_removed_face AFTER DELETE ON faces BEGIN
  DELETE FROM blocks WHERE version IN (SELECT number FROM versions)
    AND block = (old.number - 1) / {BLOCK_FACES};
END;
CREATE TRIGGER drop_blocks_of_changed_face AFTER UPDATE OF number, media_id ON faces BEGIN
  DELETE FROM blocks WHERE version IN (SELECT number FROM versions)
    AND block IN ((old.number - 1) / {BLOCK_FACES}, (new.number - 1) / {BLOCK_FACES});
END;
"""

_CHANGES = f"""
CREATE TABLE changed (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  face INTEGER NOT NULL
);
CREATE TRIGGER log_changed_face
AFTER UPDATE OF person, appearance_start_s, appearance_end_s ON faces
WHEN (old.person IS NULL) != (new.person IS NULL)
  OR old.appearance_start_s IS NOT new.appearance_start_s
  OR old.appearance_end_s IS NOT new.appearance_end_s
BEGIN
  INSERT INTO changed (face) VALUES (new.number);
  DELETE FROM changed WHERE seq <= (SELECT max(seq) FROM changed) - {CHANGED_KEPT};
END;
CREATE TRIGGER log_changed_media AFTER UPDATE OF kind, recorded_at ON media
WHEN old.kind != new.kind OR old.recorded_at IS NOT new.recorded_at
BEGIN
  INSERT INTO changed (face) SELECT number FROM faces WHERE media_id = new.id;
  DELETE FROM changed WHERE seq <= (SELECT max(seq) FROM changed) - {CHANGED_KEPT};
END;
"""

# Free text (paths, names, errors) is stored as UTF-8 blobs, dates as microseconds since 1970 UTC.
# Files and labels do not refer to media by key: both may be known before their media is.
TABLES = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};

CREATE TABLE versions (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  state TEXT NOT NULL UNIQUE CHECK (state IN ('live', 'building')),
  identity TEXT NOT NULL
);

CREATE TABLE media (
  id TEXT PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  duration_s REAL,
  recorded_at INTEGER,
  state TEXT NOT NULL,
  error BLOB,
  warnings TEXT NOT NULL DEFAULT '[]',
  options BLOB NOT NULL,
  indexed_at INTEGER,
  batch TEXT,
  queued_at INTEGER,
  before TEXT
);
CREATE INDEX media_of_batch ON media (batch) WHERE batch IS NOT NULL;
CREATE INDEX media_unfinished ON media (state) WHERE state IN ('queued', 'working');

CREATE TABLE files (
  path BLOB PRIMARY KEY NOT NULL,
  name BLOB NOT NULL,
  size_bytes INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  media_id TEXT NOT NULL
);
CREATE INDEX files_of_media ON files (media_id, path);
CREATE INDEX files_by_name ON files (name);

CREATE TABLE segments (
  media_id TEXT NOT NULL REFERENCES media (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  start_s REAL NOT NULL,
  end_s REAL NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending',
  attempts INTEGER NOT NULL DEFAULT 0,
  owner BLOB,
  lease_until INTEGER,
  error BLOB,
  frames INTEGER NOT NULL DEFAULT 0,
  key_frames INTEGER NOT NULL DEFAULT 0,
  faces INTEGER NOT NULL DEFAULT 0,
  decode_errors INTEGER NOT NULL DEFAULT 0,
  tracks BLOB NOT NULL DEFAULT x'',
  finished_at INTEGER,
  left_out INTEGER NOT NULL DEFAULT 0,
  warnings TEXT NOT NULL DEFAULT '[]',
  PRIMARY KEY (media_id, number)
);
CREATE INDEX segments_claimed ON segments (owner) WHERE state = 'claimed';

CREATE TABLE faces (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  media_id TEXT NOT NULL REFERENCES media (id) ON DELETE CASCADE,
  segment INTEGER NOT NULL,
  frame_index INTEGER NOT NULL,
  timestamp_s REAL NOT NULL,
  x1 REAL NOT NULL,
  y1 REAL NOT NULL,
  x2 REAL NOT NULL,
  y2 REAL NOT NULL,
  landmarks TEXT NOT NULL,
  frame_width INTEGER NOT NULL,
  frame_height INTEGER NOT NULL,
  probability REAL NOT NULL,
  face_px REAL NOT NULL,
  sharpness REAL NOT NULL,
  model TEXT NOT NULL,
  person BLOB,
  appearance_id TEXT,
  appearance_start_s REAL,
  appearance_end_s REAL,
  indexed_at INTEGER NOT NULL
);
CREATE INDEX faces_of_media ON faces (media_id, timestamp_s, id);
CREATE INDEX faces_of_person ON faces (person);

CREATE TABLE thumbnails (
  face INTEGER PRIMARY KEY REFERENCES faces (number) ON DELETE CASCADE,
  jpeg BLOB NOT NULL
);

CREATE TABLE vectors (
  face INTEGER NOT NULL REFERENCES faces (number) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  embedding BLOB NOT NULL,
  UNIQUE (face, version)
);

CREATE TABLE removed (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  face INTEGER NOT NULL
);
CREATE TRIGGER log_removed AFTER DELETE ON faces BEGIN
  INSERT INTO removed (face) VALUES (old.number);
  DELETE FROM removed WHERE seq <= last_insert_rowid() - {REMOVED_KEPT};
END;

CREATE TABLE labels (
  id TEXT PRIMARY KEY NOT NULL,
  media_id TEXT NOT NULL,
  timestamp_s REAL NOT NULL,
  x1 REAL NOT NULL,
  y1 REAL NOT NULL,
  x2 REAL NOT NULL,
  y2 REAL NOT NULL,
  person BLOB NOT NULL,
  source TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX labels_of_media ON labels (media_id);
CREATE INDEX labels_of_person ON labels (person);

CREATE TABLE unpurged (mark TEXT PRIMARY KEY NOT NULL);
{_CHANGES}{_BLOCKS}"""

MIGRATIONS = {
    1: """
ALTER TABLE media ADD COLUMN batch TEXT;
ALTER TABLE media ADD COLUMN queued_at INTEGER;
ALTER TABLE media ADD COLUMN before TEXT;
CREATE INDEX media_of_batch ON media (batch) WHERE batch IS NOT NULL;
CREATE INDEX media_unfinished ON media (state) WHERE state IN ('queued', 'working');
ALTER TABLE segments ADD COLUMN finished_at INTEGER;
ALTER TABLE segments ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0;
ALTER TABLE segments ADD COLUMN warnings TEXT NOT NULL DEFAULT '[]';
PRAGMA user_version = 2;
""",
    2: f"{_CHANGES}PRAGMA user_version = 3;\n",
    3: f"{_BLOCKS}PRAGMA user_version = 4;\n",
}
"""What makes the tables of a version those of the next, the version's number included."""
