"""Counts and sizes of an index file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.engines.embedded import versions

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

_COUNTS = {
    "faces": "SELECT count(*) FROM faces",
    "appearances": "SELECT count(DISTINCT appearance_id) FROM faces",
    "people": "SELECT count(DISTINCT person) FROM faces",
    "labels": "SELECT count(*) FROM labels",
    **{
        f"{kind}s": f"SELECT count(*) FROM media WHERE kind = '{kind}'"
        for kind in ("photo", "video")
    },
    **{
        f"media_{state}": f"SELECT count(*) FROM media WHERE state = '{state}'"
        for state in ("queued", "working", "done", "failed")
    },
    **{
        f"segments_{state}": f"SELECT count(*) FROM segments WHERE state = '{state}'"
        for state in ("pending", "claimed", "done", "failed")
    },
}


def collect(connection: sqlite3.Connection, path: Path) -> dict[str, int | str]:
    """Return what `Index.stats` promises."""
    counts: dict[str, int | str] = {
        name: connection.execute(query).fetchone()[0] for name, query in _COUNTS.items()
    }
    version = versions.live(connection)
    files = [path, path.with_name(f"{path.name}-wal")]
    return counts | {
        "size_bytes": sum(file.stat().st_size for file in files if file.exists()),
        "location": str(path),
        "engine": "embedded",
        "model": version.model.key if version else "",
    }
