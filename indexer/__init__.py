"""Sightings finds where a person appears in photos and videos.

    from indexer import index_media, open_index, search

    with open_index("faces.sightings", create=True) as index:
        index_media(index, ["holiday/"], model="facenet:weights.pt")
        for result in search(index, "anna.jpg"):
            print(result.media.path, result.verdict, result.appearances)

`import indexer` loads none of the heavy packages; they load when they are used.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.engines.base import Index
    from indexer.records import Filters
    from indexer.reports import Progress, Report
    from indexer.results import Result
    from indexer.settings import Settings

__all__ = ["index_media", "open_index", "search"]


def open_index(
    location: str | os.PathLike[str], *, create: bool = False, settings: Settings | None = None
) -> Index:
    """Open an index; with `create`, a new one is made where there is none.

    location: a path, or `elasticsearch://HOST:9200/NAME`, which is reached as the settings say.
    Raises UsageError, IndexFailure if it cannot be opened, MissingExtra. Use it as a context
    manager, or call `close`.
    """
    from indexer.engines import open_index as open_engine
    from indexer.engines.elastic.location import is_on_cluster
    from indexer.links import stored_links
    from indexer.settings import load

    place = os.fspath(location)
    if not is_on_cluster(place):
        return open_engine(place, create=create)
    given = settings or load()
    links = stored_links(given.api)
    return open_engine(place, create=create, settings=given.elasticsearch, links=links)


def index_media(
    index: Index,
    paths: Sequence[str | os.PathLike[str]],
    *,
    model: str = "",
    settings: Settings | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Find every face in files and folders of photos and videos and store it.

    model: a spec as `sightings models` lists them; may be left out once the index has one.
    Media that are done are skipped, unless `force`. Files that cannot be used are in the report.
    Raises UsageError without any model, ModelMismatch for another one than the index has,
    WeightsUnavailable, IndexFailure.
    """
    from indexer.ingest import ingest
    from indexer.networks import load_networks
    from indexer.settings import load

    networks = load_networks(index.model, settings or load(), spec=model)
    return ingest(index, [Path(path) for path in paths], networks, force=force, progress=progress)


def search(
    index: Index,
    query: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    filters: Filters | None = None,
    top: int = 20,
    settings: Settings | None = None,
) -> list[Result]:
    """Return where the person in a photo (several photos, a video) appears, best first.

    Of a photo its largest face is taken. Raises NoFace, MediaError, IndexFailure.
    """
    from indexer.query import PictureQueries
    from indexer.searching import find
    from indexer.settings import load

    listed = [query] if isinstance(query, (str, os.PathLike)) else list(query)
    queries = PictureQueries(index, settings or load())
    return find(index, queries.any_media([Path(p) for p in listed])[0], filters=filters, top=top)
