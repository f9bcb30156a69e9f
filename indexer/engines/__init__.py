"""Index engines behind one contract; `open_index` picks the engine by the form of the location."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, cast

from indexer.engines.elastic.location import is_on_cluster
from indexer.errors import MissingExtra, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.engines.base import Index
    from indexer.links import PictureLinks
    from indexer.settings import ElasticsearchSettings

_CLUSTER_PACKAGES = {"elastic_transport", "elasticsearch", "orjson", "tenacity"}


def open_index(
    location: str,
    *,
    create: bool = False,
    settings: ElasticsearchSettings | None = None,
    links: PictureLinks | None = None,
) -> Index:
    """Open the index at a path or on a cluster; the module of its engine is loaded only now.

    create: make a new index if there is none. settings, links: of an index on a cluster, and what
    signs the links that its documents carry.
    Raises UsageError for a kind of location that no engine serves, IndexFailure if the index
    cannot be opened, and MissingExtra without the packages for a cluster.
    """
    if is_on_cluster(location):
        return _open_on_cluster(location, create, settings, links)
    if scheme := re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", location):
        # The rest is not shown: it may hold a password.
        raise UsageError(
            f"This build of Sightings has no index engine for {scheme.group()}. Give the path of "
            "an index file, or elasticsearch://HOST:9200/NAME."
        )
    opened = _function("indexer.engines.embedded.index:open_embedded")
    return opened(location, create=create)


def _open_on_cluster(
    location: str,
    create: bool,
    settings: ElasticsearchSettings | None,
    links: PictureLinks | None,
) -> Index:
    from indexer.settings import ElasticsearchSettings

    try:
        opened = _function("indexer.engines.elastic.index:open_elastic")
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in _CLUSTER_PACKAGES:
            raise
        raise MissingExtra("An index on Elasticsearch", "elasticsearch") from error
    return opened(
        location, create=create, settings=settings or ElasticsearchSettings(), links=links
    )


def _function(place: str) -> Callable[..., Index]:
    module, name = place.split(":")
    return cast("Callable[..., Index]", getattr(import_module(module), name))
