"""The Elasticsearch engine as a store, in a collection of its own on somebody's cluster."""

from __future__ import annotations

import secrets
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, cast, get_args, get_type_hints

from indexer.engines import open_index
from indexer.engines.elastic.location import SCHEMES, is_on_cluster, parse_location
from indexer.errors import EnvironmentFailure, SightingsError, UsageError
from indexer.evaluation.stores.indexed import IndexStore
from indexer.settings import ElasticsearchSettings
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from indexer.engines.elastic.connection import Connection
    from indexer.evaluation.records import Metric
    from indexer.settings import Settings


class ElasticsearchStore(IndexStore):
    """A new collection, deleted at the end; without replicas, else as the settings have it.

    vector_type: one of the setting elasticsearch.vector_type, whose value it has if empty; all but
    `hnsw` and `flat` are codes of few bits, of which `elasticsearch.oversample` times k are
    compared again in full. `bbq_hnsw` keeps a bit per dimension: study 000's wish. Among up to
    10,000 vectors the engine has every code compared.
    """

    def __init__(
        self,
        name: str,
        dimensions: int,
        metric: Metric,
        *,
        vector_type: str,
        where: str,
        settings: Settings,
    ) -> None:
        known = get_args(get_type_hints(ElasticsearchSettings)["vector_type"])
        if vector_type and vector_type not in known:
            raise UsageError(f"{name}: Elasticsearch's vector types are {', '.join(known)}.")
        self._closed = False
        self._location = _new_location(name, where, settings.index)
        self._settings = replace(
            settings.elasticsearch,
            vector_type=cast("Any", vector_type or settings.elasticsearch.vector_type),
            replicas=0,
        )
        index = open_index(self._location, create=True, settings=self._settings)
        try:
            super().__init__(name, dimensions, metric, index)
        except BaseException:
            with suppress(SightingsError):  # what went wrong first is told
                self.close()
            raise

    def server(self) -> str:
        """Return `Elasticsearch` with the version of its nodes, or with all while they differ."""
        with _connected(self._location, self._settings) as connection:
            versions = sorted(set(connection.versions().values()))
        return f"Elasticsearch {' and '.join(versions)}"

    def close(self) -> None:
        """Delete the collection from the cluster."""
        if self._closed:
            return
        self._closed = True
        self._index.close()
        _delete(self._location, self._settings)


def _new_location(store: str, where: str, index: str) -> str:
    """Return a new collection's location: at the URL given, or on the cluster of the settings."""
    name = f"evaluation-{secrets.token_hex(6)}"
    if not where and not is_on_cluster(index):
        raise EnvironmentFailure(
            f"{store} needs a cluster: name one as {store}@http://localhost:9200, or set "
            "SIGHTINGS_INDEX to an index on it."
        )
    scheme, _, rest = (where or index).partition("://")
    by_protocol = {protocol: scheme for scheme, protocol in SCHEMES.items()}
    hosts = rest.partition("/")[0]
    location = f"{by_protocol.get(scheme.lower(), scheme)}://{hosts}/{name}"
    if not is_on_cluster(location):
        raise UsageError(f"{shown(where)} is no address of a cluster: write http://HOST:9200.")
    parse_location(location)
    return location


def _delete(location: str, settings: ElasticsearchSettings) -> None:
    with _connected(location, settings) as connection:
        indices, name = connection.client.indices, connection.location.name
        found = connection.call(indices.get, index=f"{name}-*", features=["aliases"])
        # By their names: clusters refuse to delete by a pattern.
        if names := list(found.body):
            connection.call(indices.delete, expect=(404,), index=names)
        connection.call(indices.delete_index_template, expect=(404,), name=f"{name}-*")


@contextmanager
def _connected(location: str, settings: ElasticsearchSettings) -> Iterator[Connection]:
    from indexer.engines.elastic.connection import Connection

    connection = Connection(parse_location(location), settings)
    try:
        yield connection
    finally:
        connection.close()
