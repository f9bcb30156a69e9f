"""Elasticsearch's answers and lost connections become Sightings' errors here.

Only an error's type and reason are told, never the request, which holds embeddings and names.
"""

from __future__ import annotations

import errno
import re
import ssl
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from elastic_transport import ConnectionTimeout, SerializationError, TlsError, TransportError
from elasticsearch import ApiError, UnsupportedProductError
from urllib3.exceptions import NameResolutionError

from indexer.errors import IndexFailure, SightingsError, StorageFull, UsageError
from indexer.text import shown

if TYPE_CHECKING:
    from indexer.engines.elastic.location import Location

RETRIED_STATUSES = frozenset({429, 502, 503, 504})
_RETRIED_TYPES = frozenset({
    "connect_transport_exception",
    "master_not_discovered_exception",
    "node_closed_exception",
    "node_disconnected_exception",
    "node_not_connected_exception",
    "receive_timeout_transport_exception",
})  # fmt: skip
"""A node that goes away in mid-request can be answered for by the others with status 500."""

_DISK_BLOCKS = ("/12/", "/13/")
"""Elasticsearch's numbers of the blocks that the disk's flood stage sets on indices."""

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
        kind, reason = cause_of(error.body)
        if kind == "cluster_block_exception" and _is_disk_block(reason):
            return False
        return error.meta.status in RETRIED_STATUSES or kind in _RETRIED_TYPES
    if isinstance(error, TlsError):
        return any(isinstance(cause, ssl.SSLEOFError) for cause in _causes(error))
    return isinstance(error, TransportError) and not isinstance(error, SerializationError)


def cause_of(body: Any) -> tuple[str, str]:
    """Return the type and the reason of an answer's error, as near to its root as it tells.

    body: of an answer, or an item's `error` of a bulk answer; ("", "") if it tells none.
    """
    error = body.get("error", body) if isinstance(body, Mapping) else None
    if isinstance(error, str):
        return "", _shortened(error)
    if not isinstance(error, Mapping):
        return "", ""
    roots = error.get("root_cause")
    root = roots[0] if isinstance(roots, list) and roots else error
    kind, reason = str(root.get("type") or ""), str(root.get("reason") or "")
    deeper = error.get("caused_by")
    if isinstance(deeper, Mapping) and "number of dimensions" in str(deeper.get("reason")):
        reason = str(deeper["reason"])
    return kind, _shortened(reason)


def translate(error: Exception, location: Location, *, tried_s: float = 0) -> SightingsError:
    """Return what to raise for what the client raised; tried_s: for how long it was retried."""
    if isinstance(error, UnsupportedProductError):
        return _not_elasticsearch(location)
    if isinstance(error, ApiError):
        return answer_failure(error.meta.status, error.body, location, tried_s=tried_s)
    if isinstance(error, (UnicodeEncodeError, SerializationError)):
        return _unusable_value(error, location)
    if isinstance(error, TlsError):
        return _tls_failure(error, location, tried_s)
    if isinstance(error, TransportError):
        return _unreachable(error, location, tried_s)
    return IndexFailure(f"The index {location.text} cannot be used: {type(error).__name__}.")


def answer_failure(
    status: int, body: Any, location: Location, *, tried_s: float = 0
) -> SightingsError:
    """Return what to raise for an answer, or an item of a bulk answer, that says no.

    body: the answer, or the item's `error`.
    """
    kind, reason = cause_of(body)
    where = f"The index {location.text}"
    if _is_disk_block(reason) or "No space left on device" in reason:
        return StorageFull(
            f"{where} takes no more writes: a disk of the cluster is nearly full (flood stage). "
            "What was stored before is intact. Free space or add a node; Elasticsearch lifts the "
            "block by itself when there is room."
        )
    if kind == "cluster_block_exception" and status not in RETRIED_STATUSES:
        return IndexFailure(
            f"{where} cannot be written now: it is being replaced, or made read-only ({reason}). "
            "Wait for the other command to end, or ask who runs the cluster to lift the block."
        )
    if kind in ("index_not_found_exception", "alias_not_found_exception"):
        return IndexFailure(
            f"{where} or a part of it is missing on the cluster ({reason}). "
            "Check the name; `sightings index` makes a new one."
        )
    if status in (401, 403):
        return _refused(status, reason, where)
    if kind in _MAPPING_TYPES or "mapper" in kind:
        return IndexFailure(
            f"{where} does not take what this version of Sightings stores ({kind}: {reason}). "
            "Its indices were not made by this version, or were changed: index into another name."
        )
    if status in RETRIED_STATUSES or kind in _RETRIED_TYPES:
        return IndexFailure(
            f"{where} is busy or not ready{_for(tried_s)}: the cluster answered {status}"
            f"{_told(kind, reason)}. What was stored before is intact. Try again when the "
            "cluster has recovered, or raise the setting elasticsearch.retry_s."
        )
    if not kind and not reason:
        return _not_elasticsearch(location, status)
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


def _not_elasticsearch(location: Location, status: int = 200) -> IndexFailure:
    return IndexFailure(
        f"What answers at {location.text} is not Elasticsearch (status {status}). Check host and "
        "port, and whether a proxy stands between; a cluster that speaks TLS wants "
        "elasticsearch+https://."
    )


def _unusable_value(error: Exception, location: Location) -> SightingsError:
    if "deserialize" in str(error):
        return _not_elasticsearch(location)
    cause = next((e for e in _causes(error) if isinstance(e, (TypeError, UnicodeError))), None)
    reason = f": {cause}" if isinstance(cause, (TypeError, UnicodeError)) else ""
    return UsageError(f"A value cannot be looked up or stored in an index{_shortened(reason)}.")


def _tls_failure(error: TlsError, location: Location, tried_s: float) -> IndexFailure:
    where = f"No encrypted connection to {location.text}"
    text = " ".join(str(cause) for cause in _causes(error))
    if "Fingerprints did not match" in text:
        return IndexFailure(
            f"{where}: its certificate has not the fingerprint that elasticsearch.fingerprint "
            "tells. If the certificate was renewed, set the new one; else somebody else answers."
        )
    if "CERTIFICATE_VERIFY_FAILED" in text or "doesn't match" in text:
        found = re.search(r"certificate verify failed: ([^(]*)", text)
        reason = found.group(1).strip() if found else "it is for another host"
        return IndexFailure(
            f"{where}: its certificate is not trusted ({reason}). Set "
            "SIGHTINGS_ELASTICSEARCH_CA_CERTS to the file of the CA that signed it, or "
            "SIGHTINGS_ELASTICSEARCH_FINGERPRINT to its SHA-256 fingerprint; the host's name must "
            "be one that the certificate names."
        )
    if any(isinstance(cause, ssl.SSLEOFError) for cause in _causes(error)):
        return _closed(location, tried_s)
    return IndexFailure(
        f"{where}: what answers there does not speak TLS as this program does. If the cluster has "
        "no TLS, write elasticsearch:// instead of elasticsearch+https://."
    )


def _unreachable(error: TransportError, location: Location, tried_s: float) -> IndexFailure:
    causes = list(_causes(error))
    where, tried = f"The cluster of {location.text}", _for(tried_s)
    if any(isinstance(cause, NameResolutionError) for cause in causes):
        return IndexFailure(
            f"{where} is not found{tried}: its host's name is unknown. Check the name, and the "
            "network."
        )
    if isinstance(error, ConnectionTimeout):
        return IndexFailure(
            f"{where} does not answer in time{tried}. Check that it runs and that no firewall is "
            "between, or raise the setting elasticsearch.timeout_s."
        )
    numbers = {cause.errno for cause in causes if isinstance(cause, OSError)}
    if errno.ECONNREFUSED in numbers:
        return IndexFailure(
            f"{where} does not answer{tried}: nothing listens there. Start Elasticsearch, or check "
            "host and port."
        )
    if numbers & {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL}:
        return IndexFailure(f"{where} is out of reach{tried}. Check the address and the network.")
    return _closed(location, tried_s)


def _closed(location: Location, tried_s: float) -> IndexFailure:
    other = "elasticsearch://" if location.encrypted else "elasticsearch+https://"
    return IndexFailure(
        f"The cluster of {location.text} closes the connection without a whole answer"
        f"{_for(tried_s)}. Check its log; if it was never reached before, it may want {other}."
    )


def _is_disk_block(reason: str) -> bool:
    return any(number in reason for number in _DISK_BLOCKS)


def _for(tried_s: float) -> str:
    return f", though it was tried for {tried_s:.0f} s" if tried_s >= 0.5 else ""


def _told(kind: str, reason: str) -> str:
    return f" ({': '.join(part for part in (kind, reason) if part)})" if kind or reason else ""


def _shortened(reason: str) -> str:
    cut = shown(_QUOTED_VALUES.sub("", reason))
    return cut if len(cut) <= _MAX_REASON else f"{cut[: _MAX_REASON - 1]}…"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it says it came from, outermost first."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop(0)
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        nested = [*getattr(current, "errors", ()), *current.args, current.__cause__]
        waiting += [cause for cause in nested if isinstance(cause, BaseException)]
        waiting.append(current.__context__)
