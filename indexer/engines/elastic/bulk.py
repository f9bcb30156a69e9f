"""Many documents in few requests: chunks by count and bytes, and each document's own outcome."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from indexer.engines.elastic.connection import FIRST_WAIT_S, LONGEST_WAIT_S
from indexer.engines.elastic.failures import cause_of, is_busy
from indexer.errors import IndexBlocked, IndexFailure, StorageFull, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from typing import Literal

    from indexer.engines.elastic.connection import Connection
    from indexer.engines.elastic.store import Document
    from indexer.errors import SightingsError

CHUNK_DOCUMENTS = 500
"""More brought nothing: 500 to a request wrote 5,600 rows/s, 100 wrote 4,000, 2,000 wrote 4,500."""

CHUNK_BYTES = 8 << 20

_CONFLICT = 409


@dataclass(frozen=True)
class Action:
    """One change of one document.

    create: it must not exist; index: put it in place of any; update: change the fields given;
    delete: it may be gone already. seq_no and term: the state that it must be in.
    missing_ok: an update of a document that is gone is no failure.
    """

    operation: Literal["create", "index", "update", "delete"]
    index: str
    id: str
    source: Mapping[str, Any] | None = None
    seq_no: int | None = None
    term: int | None = None
    missing_ok: bool = False

    @classmethod
    def put(
        cls, index: str, doc_id: str, source: Mapping[str, Any], *, before: Document | None
    ) -> Action:
        """Put a document if it is still as `before` (None: does not exist), as `Store.put` does."""
        if before is None:
            return cls("create", index, doc_id, source)
        return cls("index", index, doc_id, source, before.seq_no, before.term)

    @classmethod
    def delete_unchanged(cls, index: str, before: Document) -> Action:
        """Delete a document if it is still as `before`."""
        return cls("delete", index, before.id, None, before.seq_no, before.term)

    def lines(self, aliases: Collection[str]) -> list[bytes]:
        """Return the lines of a bulk request; aliases: names that must not become an index."""
        meta: dict[str, Any] = {"_index": self.index, "_id": self.id}
        if self.index in aliases:
            meta["require_alias"] = True
        if self.seq_no is not None:
            meta |= {"if_seq_no": self.seq_no, "if_primary_term": self.term}
        lines = [orjson.dumps({self.operation: meta})]
        if self.operation == "update":
            lines.append(orjson.dumps({"doc": self.source}))
        elif self.operation != "delete":
            lines.append(orjson.dumps(self.source))
        return lines


def write_all(
    connection: Connection, actions: Iterable[Action], aliases: Collection[str] = ()
) -> list[Action]:
    """Write all; return those that met another state of their document than they expect.

    aliases: names under which the cluster must make no index of its own accord.

    Documents that the cluster is too busy for are sent again, with growing pauses, for as long as
    `retry_s` allows. Raises IndexFailure for documents that fail otherwise, after their chunk.
    """
    conflicts: list[Action] = []
    for chunk, lines in _chunks(actions, aliases):
        conflicts += _write(connection, chunk, lines)
    return conflicts


def _chunks(
    actions: Iterable[Action], aliases: Collection[str]
) -> Iterator[tuple[list[Action], list[list[bytes]]]]:
    chunk: list[Action] = []
    lines: list[list[bytes]] = []
    size = 0
    for action in actions:
        of_this = _lines(action, aliases)
        of_this_bytes = sum(map(len, of_this))
        if chunk and (len(chunk) == CHUNK_DOCUMENTS or size + of_this_bytes > CHUNK_BYTES):
            yield chunk, lines
            chunk, lines, size = [], [], 0
        chunk.append(action)
        lines.append(of_this)
        size += of_this_bytes
    if chunk:
        yield chunk, lines


def _lines(action: Action, aliases: Collection[str]) -> list[bytes]:
    try:
        return action.lines(aliases)
    except TypeError as error:  # orjson's, which never quotes the value
        raise UsageError(f"A value cannot be stored in an index: {error}.") from error


def _write(
    connection: Connection, chunk: Sequence[Action], lines: Sequence[list[bytes]]
) -> list[Action]:
    conflicts: list[Action] = []
    wait_s, give_up_at = FIRST_WAIT_S, time.monotonic() + connection.retry_s
    while True:
        answer = connection.call(
            connection.client.bulk,
            operations=[line for of_one in lines for line in of_one],
        )
        if not answer["errors"]:
            return conflicts
        results = [
            item[action.operation] for action, item in zip(chunk, answer["items"], strict=True)
        ]
        outcomes = [_outcome(*pair) for pair in zip(chunk, results, strict=True)]
        conflicts += [action for action, of in zip(chunk, outcomes, strict=True) if of == "changed"]
        busy = [n for n, outcome in enumerate(outcomes) if outcome == "busy"]
        failed = [n for n, outcome in enumerate(outcomes) if outcome == "failed"]
        if failed or (busy and time.monotonic() > give_up_at):
            raise _failure(connection, chunk, results, failed, busy)
        if not busy:
            return conflicts
        time.sleep(wait_s * random.uniform(0.5, 1.0))
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)
        chunk, lines = [chunk[n] for n in busy], [lines[n] for n in busy]


def _outcome(
    action: Action, result: Mapping[str, Any]
) -> Literal["written", "changed", "busy", "failed"]:
    status, error = result["status"], result.get("error")
    if status == _CONFLICT:
        return "changed"
    if error is None:  # also a delete of what is gone
        return "written"
    if action.missing_ok and error.get("type") == "document_missing_exception":
        return "written"
    return "busy" if is_busy(status, error) else "failed"


def _failure(
    connection: Connection,
    chunk: Sequence[Action],
    results: Sequence[Mapping[str, Any]],
    failed: Sequence[int],
    busy: Sequence[int],
) -> SightingsError:
    parts, kind = [], IndexFailure
    if failed:
        first = results[failed[0]]
        failure = connection.failure(first["status"], first["error"])
        if isinstance(failure, StorageFull):
            return failure
        if isinstance(failure, IndexBlocked):
            kind = IndexBlocked
        told = [f"{chunk[n].id}: {': '.join(cause_of(results[n]['error']))}" for n in failed[:3]]
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        parts.append(f"{len(failed)} documents were refused: {'; '.join(told)}{more}. {failure}")
    if busy:
        parts.append(
            f"{len(busy)} documents were not taken in {connection.retry_s:.0f} s because the "
            "cluster is too busy; try again later, or add nodes."
        )
    where = connection.location.text
    return kind(f"Not everything could be written to {where}. {' '.join(parts)}")
