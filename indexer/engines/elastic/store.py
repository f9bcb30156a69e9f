"""Documents of one collection: reading by id (always current), conditional and bulk writes.

Ids of an index's documents are deterministic, so every write can be repeated. Reading and writing
by id needs no refresh; `visible` is for what follows by search.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from elasticsearch import ApiError

from indexer.engines.elastic.bulk import write_all
from indexer.engines.elastic.failures import cause_of
from indexer.engines.elastic.values import batches, is_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from elasticsearch import Elasticsearch

    from indexer.engines.elastic.bulk import Action
    from indexer.engines.elastic.connection import Connection
    from indexer.links import PictureLinks

PAGE = 1000
"""Documents that one search gives; 1,000 faces without pictures and vectors are about 1 MB."""

PAGE_OF_VECTORS = 200
"""Documents with vectors that one request gives: 0.7 MB at 512 dimensions."""


@dataclass(frozen=True)
class Document:
    """A document as it was read or written; `seq_no` and `term` name that state of it."""

    id: str
    source: dict[str, Any]
    seq_no: int
    term: int


class Store:
    """The indices of one collection, and what signs links in it. Threads may share it."""

    def __init__(self, connection: Connection, links: PictureLinks | None = None) -> None:
        self.connection = connection
        self.links = links
        self.name = connection.location.name
        self.media = f"{self.name}-media"
        self.segments = f"{self.name}-segments"
        self.files = f"{self.name}-files"
        self.labels = f"{self.name}-labels"
        self.faces = f"{self.name}-faces"
        self.aliases = (self.media, self.segments, self.files, self.labels, self.faces)
        self._lock = threading.Lock()
        self._refreshing = threading.Lock()
        # What others wrote before this object came must be visible to it too.
        self._unseen = set(self.aliases)

    # --- by id ---------------------------------------------------------------------------------

    def get(self, index: str, doc_id: str, **source: Any) -> Document | None:
        """Return a document as it is now, or None; see `get_many`."""
        return self.get_many(index, [doc_id], **source).get(doc_id)

    def get_many(
        self,
        index: str,
        ids: Sequence[str],
        *,
        includes: Sequence[str] | None = None,
        excludes: Sequence[str] | None = None,
        vectors: bool = False,
    ) -> dict[str, Document]:
        """Return those documents that exist, by id, as they are now."""
        found: dict[str, Document] = {}
        possible = [doc_id for doc_id in dict.fromkeys(ids) if is_id(doc_id)]
        for part in batches(possible, PAGE_OF_VECTORS if vectors else PAGE):
            answer = self.connection.call(
                _mget,
                client=self.connection.client,
                index=index,
                ids=part,
                includes=includes,
                excludes=excludes,
                vectors=vectors,
            )
            for item in answer["docs"]:
                if item["found"]:
                    found[item["_id"]] = Document(
                        item["_id"], item.get("_source", {}), item["_seq_no"], item["_primary_term"]
                    )
        return found

    def put(
        self, index: str, doc_id: str, source: Mapping[str, Any], *, before: Document | None
    ) -> Document | None:
        """Write a document if it is still as `before` (None: does not exist); else return None."""
        condition: dict[str, Any] = (
            {"op_type": "create"}
            if before is None
            else {"if_seq_no": before.seq_no, "if_primary_term": before.term}
        )
        retried: list[bool] = []
        answer = self.connection.call(
            self.connection.client.index,
            expect=(409,),
            on_retry=lambda: retried.append(True),
            index=index,
            id=doc_id,
            document=dict(source),
            require_alias=True,
            **condition,
        )
        if answer.meta.status == 409:
            # An attempt whose answer was lost may have written it.
            now = self.get(index, doc_id) if retried else None
            return now if now is not None and now.source == dict(source) else None
        self.changed(index)
        return Document(doc_id, dict(source), answer["_seq_no"], answer["_primary_term"])

    def write(self, actions: Iterable[Action]) -> list[Action]:
        """Write in bulk. Return those that met another state than they expect.

        Raises IndexFailure naming the documents that could not be written for other reasons.
        """
        touched: set[str] = set()

        def noted() -> Iterator[Action]:
            for action in actions:
                touched.add(action.index)
                yield action

        try:
            return write_all(self.connection, noted(), self.aliases)
        finally:
            for index in touched:
                self.changed(index)

    # --- by search -----------------------------------------------------------------------------

    def changed(self, index: str) -> None:
        """Take note that searches may not see an index as it is."""
        with self._lock:
            self._unseen.add(self._kind(index))

    def visible(self, *indices: str, always: bool = False) -> None:
        """Make what this object wrote to the indices visible; `always`: what others wrote too."""
        # One at a time: who finds nothing due must not go on before what made it so is done.
        with self._refreshing:
            with self._lock:
                due = [index for index in indices if always or self._kind(index) in self._unseen]
                seen = self._unseen.intersection(due)
                self._unseen -= seen
            try:
                if due:
                    self.connection.call(self.connection.client.indices.refresh, index=due)
            except BaseException:
                with self._lock:
                    self._unseen |= seen
                raise

    def _kind(self, index: str) -> str:
        return self.faces if index.startswith(f"{self.faces}-") else index

    def scan(
        self,
        index: str,
        query: Mapping[str, Any],
        order: Sequence[str],
        *,
        page: int = PAGE,
        after: Sequence[Any] | None = None,
        **source: Any,
    ) -> Iterator[dict[str, Any]]:
        """Yield hits in an order that is total; the keys of a document must not change meanwhile.

        after: values of the fields of `order`; hits begin behind them.

        Each page is asked for only when it is reached, and needs nothing kept open on the cluster.
        Raises IndexFailure if a shard is missing: no document is left out silently.
        """
        last = after
        while True:
            answer = self.connection.call(
                self.connection.client.search,
                index=index,
                query=query,
                sort=[{field: "asc"} for field in order],
                search_after=last,
                size=page,
                track_total_hits=False,
                allow_partial_search_results=False,
                **source,
            )
            hits = answer["hits"]["hits"]
            yield from hits
            if len(hits) < page:
                return
            last = hits[-1]["sort"]

    def ids(self, index: str, query: Mapping[str, Any], order: Sequence[str]) -> list[str]:
        """Return the ids of all documents that match, in order."""
        return [hit["_id"] for hit in self.scan(index, query, order, page=10 * PAGE, source=False)]

    def count(self, index: str, query: Mapping[str, Any] | None = None) -> int:
        """Return how many documents match."""
        answer = self.connection.call(
            self.connection.client.search,
            index=index,
            query=query or {"match_all": {}},
            size=0,
            track_total_hits=True,
            allow_partial_search_results=False,
        )
        return int(answer["hits"]["total"]["value"])

    def aggregate(
        self, index: str, aggregations: Mapping[str, Any], query: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the answers of aggregations."""
        answer = self.connection.call(
            self.connection.client.search,
            index=index,
            query=query or {"match_all": {}},
            aggs=aggregations,
            size=0,
            allow_partial_search_results=False,
        )
        return dict(answer["aggregations"])

    def composite(
        self, index: str, sources: Sequence[Mapping[str, Any]], query: Mapping[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """Yield all buckets of a composite aggregation: `key` and `doc_count`, exact."""
        after: dict[str, Any] = {}
        while True:
            composite: dict[str, Any] = {"size": 10 * PAGE, "sources": list(sources), **after}
            found = self.aggregate(index, {"all": {"composite": composite}}, query)["all"]
            yield from found["buckets"]
            if "after_key" not in found:
                return
            after = {"after": found["after_key"]}


_STATUSES = {
    "circuit_breaking_exception": 429,
    "es_rejected_execution_exception": 429,
    "index_not_found_exception": 404,
    "no_shard_available_action_exception": 503,
}
"""Of errors of single documents, which tell none."""


def _mget(
    client: Elasticsearch,
    index: str,
    ids: Sequence[str],
    includes: Sequence[str] | None,
    excludes: Sequence[str] | None,
    *,
    vectors: bool,
) -> Any:
    """Ask for documents by id; the client's own method does not know `_source_exclude_vectors`."""
    json_type = "application/vnd.elasticsearch+json; compatible-with=9"
    parameters = {"_source_includes": includes, "_source_excludes": excludes}
    answer = client.perform_request(
        "POST",
        f"/{quote(index)}/_mget",
        params={
            "_source_exclude_vectors": "false" if vectors else "true",
            **{name: ",".join(fields) for name, fields in parameters.items() if fields},
        },
        headers={"accept": json_type, "content-type": json_type},
        body={"ids": list(ids)},
    )
    for item in answer["docs"]:
        if "error" in item:
            status = _STATUSES.get(cause_of(item)[0], 500)
            raise ApiError("mget", replace(answer.meta, status=status), item)
    return answer
