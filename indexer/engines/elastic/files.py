"""The files that hold media, as documents; the media's own documents list their paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from indexer.engines.elastic.bulk import Action
from indexer.engines.elastic.media import change, with_paths
from indexer.engines.elastic.values import exact_key, from_text, order_key, to_text
from indexer.records import MediaFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.engines.elastic.store import Store


def find_file(store: Store, path: str) -> MediaFile | None:
    """Return what is known of a path."""
    document = store.get(store.files, exact_key(path))
    return None if document is None else _file(document.source)


def place_file(store: Store, file: MediaFile) -> list[str]:
    """Give a file's path to its media alone; return the media whose faces are to be settled.

    `store_file` comes after that: until then the path counts as unknown or as before, so that
    what is cut short is done again, with all media that may have been changed by then.
    """
    before = find_file(store, file.path)
    moved = before is None or before.media_id != file.media_id
    left = [before.media_id] if before is not None and moved else []
    for media_id in left:
        _drop_path(store, media_id, file.path)
    added = _add_path(store, file.media_id, file.path)
    return [*left, file.media_id] if moved or added else []


def store_file(store: Store, file: MediaFile) -> None:
    """Record what a path holds."""
    source = {
        "path": to_text(file.path),
        "path_key": exact_key(file.path),
        "order_key": order_key(file.path),
        "size_bytes": file.size_bytes,
        "mtime_ns": file.mtime_ns,
        "media_id": file.media_id,
    }
    store.write([Action("index", store.files, exact_key(file.path), source)])


def take_path(store: Store, path: str) -> list[str]:
    """Take a path from its media; return the media whose faces are to be settled.

    `forget_file` comes after that, so that what is cut short can be done again.
    """
    before = find_file(store, path)
    if before is None:
        return []
    _drop_path(store, before.media_id, path)
    return [before.media_id]


def forget_file(store: Store, path: str) -> None:
    """Forget what a path held."""
    store.write([Action("delete", store.files, exact_key(path))])


def iter_files(store: Store) -> Iterator[MediaFile]:
    """Yield all files in order of path."""
    store.visible(store.files)
    for hit in store.scan(store.files, {"match_all": {}}, ["order_key", "path_key"]):
        yield _file(hit["_source"])


def _add_path(store: Store, media_id: str, path: str) -> bool:
    """Add a path to a media; return whether it was not there."""
    missing: list[bool] = []

    def add(source: dict[str, Any]) -> dict[str, Any] | None:
        paths = [from_text(known) for known in source.get("paths", ())]
        missing.append(path not in paths)
        if path in paths:
            return None
        return {"media_id": media_id, **source, **with_paths(media_id, [*paths, path])}

    change(store, media_id, add)
    return missing[-1]


def _drop_path(store: Store, media_id: str, path: str) -> None:
    def drop(source: dict[str, Any]) -> dict[str, Any] | None:
        paths = [from_text(known) for known in source.get("paths", ())]
        if path not in paths:
            return None
        return {**source, **with_paths(media_id, [known for known in paths if known != path])}

    change(store, media_id, drop)


def _file(source: dict[str, Any]) -> MediaFile:
    return MediaFile(
        from_text(source["path"]), source["size_bytes"], source["mtime_ns"], source["media_id"]
    )
