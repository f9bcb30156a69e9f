"""Elasticsearch's answers and lost connections become Sightings' errors here.

Only an error's type and reason are told, never the request, which holds embeddings and names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from elastic_transport import SerializationError, TlsError, TransportError
from elasticsearch import ApiError, UnsupportedProductError

from indexer.engines.elastic.lost_connections import causes, connection_failure, tried_for, was_cut
from indexer.errors import IndexBlocked, IndexFailure, SightingsError, StorageFull, UsageError
from indexer.text import shown

if TYPE_CHECKING:
    from indexer.engines.elastic.location import Location

RETRIED_STATUSES = frozenset({429, 502, 503, 504})
_RETRIED_TYPES = frozenset({
    "connect_transport_exception",
    "illegal_index_shard_state_exception",
    "index_shard_not_started_exception",
    "master_not_discovered_exception",
    "node_closed_exception",
    "node_disconnected_exception",
    "node_not_connected_exception",
    "receive_timeout_transport_exception",
})  # fmt: skip
"""A node that goes away, or that has just come back, may be answered for with status 500."""

_DISK_BLOCK = re.compile("(FORBIDDEN|TOO_MANY_REQUESTS)/1[23]/")
"""The blocks that the disk's flood stage sets on indices, or on the cluster, by their numbers."""

_MAX_REASON = 500
_QUOTED_VALUES = re.compile(
    r"\s*(Preview of|For input string|The prefix of the first immense term|Current token).*",
    re.DOTALL,
)
"""What comes before the values that reasons quote; it is cut off with all that follows."""

CREDENTIALS = (
    "Set SIGHTINGS_ELASTICSEARCH_API_KEY, or SIGHTINGS_ELASTICSEARCH_USERNAME and "
    "SIGHTINGS_ELASTICSEARCH_PASSWORD, to ones that the cluster knows"
)


def is_transient(error: BaseException) -> bool:
    """Whether asking again may help: the cluster is busy, starting, or out of reach for now."""
    if isinstance(error, ApiError):
        return is_busy(error.meta.status, error.body)
    if isinstance(error, TlsError):
        return was_cut(error)
    return isinstance(error, TransportError) and not isinstance(error, SerializationError)


def is_busy(status: int, body: Any) -> bool:
    """Whether an answer, or an item of a bulk answer, says that asking again may help.

    A full disk is none of that, though Elasticsearch answers 429: it wants somebody to make room.
    body: the answer, or the item's `error`.
    """
    kind, reason = cause_of(body)
    if _is_disk_full(kind, reason):
        return False
    return status in RETRIED_STATUSES or kind in _RETRIED_TYPES


def cause_of(body: Any) -> tuple[str, str]:
    """Return the type and the reason of an answer's error, as near to its root as it tells.

    body: of an answer, or an item's `error` of a bulk answer; ("", "") if it tells none.
    """
    kind, reason = _root_of(body)
    return kind, _shortened(reason)


def _root_of(body: Any) -> tuple[str, str]:
    error = body.get("error", body) if isinstance(body, Mapping) else None
    if isinstance(error, str):
        return "", error
    if not isinstance(error, Mapping):
        return "", ""
    roots, deeper = error.get("root_cause"), error.get("caused_by")
    if isinstance(roots, list) and roots and isinstance(roots[0], Mapping):
        root = roots[0]
    elif roots == [] and isinstance(deeper, Mapping):
        root = deeper
    else:
        root = error
    reason = str(root.get("reason") or "")
    # What a mapper's error came from may quote the field's value; this one does not.
    if isinstance(deeper, Mapping) and "number of dimensions" in str(deeper.get("reason")):
        reason = str(deeper["reason"])
    return str(root.get("type") or ""), reason


def translate(error: Exception, location: Location, *, tried_s: float = 0) -> SightingsError:
    """Return what to raise for what the client raised; tried_s: for how long it was retried."""
    if isinstance(error, UnsupportedProductError):
        return _not_elasticsearch(location)
    if isinstance(error, ApiError) and not _is_from_elasticsearch(error):
        return _not_elasticsearch(location, error.meta.status)
    if isinstance(error, ApiError):
        return answer_failure(error.meta.status, error.body, location, tried_s=tried_s)
    if isinstance(error, SerializationError) and not str(error).startswith("Unable to serialize"):
        return _not_elasticsearch(location)
    if isinstance(error, (UnicodeEncodeError, SerializationError)):
        return _unusable_value(error)
    if isinstance(error, TransportError):
        return connection_failure(error, location, tried_s=tried_s)
    return IndexFailure(f"The index {location.text} cannot be used: {type(error).__name__}.")


def answer_failure(
    status: int, body: Any, location: Location, *, tried_s: float = 0
) -> SightingsError:
    """Return what to raise for an answer, or an item of a bulk answer, that says no.

    body: the answer, or the item's `error`.
    """
    kind, reason = cause_of(body)
    where = f"The index {location.text}"
    if _is_disk_full(kind, reason):
        return StorageFull(
            f"{where} takes no more writes: a disk of the cluster is nearly full (flood stage). "
            "What was stored before is intact. Free space or add a node; Elasticsearch lifts the "
            "block by itself when there is room."
        )
    if kind == "cluster_block_exception" and not is_busy(status, body):
        return IndexBlocked(
            f"{where} cannot be written now: it is being replaced, or made read-only ({reason}). "
            "Wait for the other command to end; if that is a `sightings reindex` that was stopped, "
            "run it again. Or ask who runs the cluster to lift the block."
        )
    if kind in ("index_not_found_exception", "alias_not_found_exception"):
        return IndexFailure(
            f"{where} or a part of it is missing on the cluster ({reason}). "
            "Check the name; `sightings index` makes a new one."
        )
    if status in (401, 403):
        return _refused(status, _root_of(body)[1], where)
    if kind in _MAPPING_TYPES or "mapper" in kind:
        return IndexFailure(
            f"{where} does not take what this version of Sightings stores ({kind}: {reason}). "
            "Its indices were not made by this version, or were changed: index into another name."
        )
    if is_busy(status, body):
        return IndexFailure(
            f"{where} is busy or not ready{tried_for(tried_s)}: the cluster answered {status}"
            f"{_told(kind, reason)}. What was stored before is intact. Try again when the "
            "cluster has recovered, or raise the setting elasticsearch.retry_s."
        )
    if status == 408:
        return IndexFailure(
            f"{where} is not ready: its shards have found no node to be on (408). Look at the "
            "cluster's health; GET _cluster/allocation/explain says what stands in the way."
        )
    if status == 413:
        return IndexFailure(
            f"{where} does not take so large a request (413). Raise Elasticsearch's "
            "http.max_content_length, or the limit of the proxy before it, to 100 MB."
        )
    if status == 409:
        return IndexFailure(
            f"{where} was changed by another program at the same moment{_told(kind, reason)}. "
            "Try again."
        )
    return IndexFailure(
        f"{where} cannot be used: the cluster answered {status}{_told(kind, reason)}."
    )


_MAPPING_TYPES = frozenset({
    "document_parsing_exception",
    "mapper_exception",
    "mapper_parsing_exception",
    "strict_dynamic_mapping_exception",
})  # fmt: skip


def _refused(status: int, reason: str, where: str) -> IndexFailure:
    if status == 401:
        return IndexFailure(
            f"{where} cannot be opened: the cluster does not accept the credentials, or wants some "
            f"(401). {CREDENTIALS}."
        )
    needed = re.search(r"granted by the (index|cluster) privileges \[([^\]]*)\]", reason)
    privileges = (
        f"Give the user or API key one of the {needed.group(1)} privileges {needed.group(2)}"
        if needed
        else "Give the user or API key the privileges for it"
    )
    action = re.search(r"action \[([^\]]*)\]", reason)
    what = f" {action.group(1)}" if action else " this"
    return IndexFailure(f"{where} cannot be used: the credentials do not allow{what} (403). "
                        f"{privileges}, or use others.")  # fmt: skip


def _is_from_elasticsearch(error: ApiError) -> bool:
    """Whether an answer is Elasticsearch's, or what a proxy before it may well answer."""
    status = error.meta.status
    return (
        error.meta.headers.get("x-elastic-product") == "Elasticsearch"
        or bool(_root_of(error.body)[0])
        or is_busy(status, error.body)
        or status in (401, 403, 413)
    )


def _not_elasticsearch(location: Location, status: int = 200) -> IndexFailure:
    other = "" if location.encrypted else "; a cluster that speaks TLS wants elasticsearch+https://"
    return IndexFailure(
        f"What answers at {location.text} is not Elasticsearch (status {status}), or a version "
        f"long gone. Check host and port, and whether a proxy stands between{other}."
    )


def _unusable_value(error: Exception) -> UsageError:
    """Say what JSON's encoder says: the client's own message holds the whole request."""
    cause = next((e for e in causes(error) if isinstance(e, (TypeError, ValueError))), None)
    reason = "" if cause is None else f": {_shortened(str(cause))}"
    return UsageError(f"A value cannot be looked up or stored in an index{reason}.")


def safe_cause(error: Exception) -> Exception:
    """Return what to chain a translated error to.

    The client's own may hold a whole request, or values that the answer quotes.
    """
    safe = error
    if isinstance(error, ApiError):
        told = ": ".join(cause_of(error.body))
        safe = type(error)(message=told, meta=error.meta, body=None)
    elif isinstance(error, SerializationError):
        safe = SerializationError(str(_unusable_value(error)))
    return safe.with_traceback(error.__traceback__)


def _is_disk_full(kind: str, reason: str) -> bool:
    blocked = kind == "cluster_block_exception" and _DISK_BLOCK.search(reason)
    return bool(blocked) or "No space left on device" in reason


def _told(kind: str, reason: str) -> str:
    return f" ({': '.join(part for part in (kind, reason) if part)})" if kind or reason else ""


def _shortened(reason: str) -> str:
    cut = shown(_QUOTED_VALUES.sub("", reason))
    return cut if len(cut) <= _MAX_REASON else f"{cut[: _MAX_REASON - 1]}…"
