"""Lost, refused and untrusted connections to a cluster, told so that users know what to do."""

from __future__ import annotations

import errno
import re
import ssl
from typing import TYPE_CHECKING

from elastic_transport import ConnectionTimeout, TlsError, TransportError
from urllib3.exceptions import NameResolutionError

from indexer.errors import IndexFailure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.engines.elastic.location import Location


def connection_failure(
    error: TransportError, location: Location, *, tried_s: float = 0
) -> IndexFailure:
    """Return what to raise for a connection that failed; tried_s: for how long it was retried."""
    if isinstance(error, TlsError) and not was_cut(error):
        return _tls_failure(error, location)
    return _unreachable(error, location, tried_s)


def was_cut(error: TlsError) -> bool:
    """Whether a connection was closed in the middle, which says nothing about trust."""
    return any(isinstance(cause, ssl.SSLEOFError) for cause in causes(error))


def _tls_failure(error: TlsError, location: Location) -> IndexFailure:
    where = f"No encrypted connection to {location.text}"
    text = " ".join(str(cause) for cause in causes(error))
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
    reasons = [e.reason for e in causes(error) if isinstance(e, ssl.SSLError) and e.reason]
    told = f" ({reasons[0]})" if reasons else ""
    return IndexFailure(
        f"{where}: what answers there does not speak TLS as this program does{told}. If the "
        "cluster has no TLS, write elasticsearch:// instead of elasticsearch+https://."
    )


def _unreachable(error: TransportError, location: Location, tried_s: float) -> IndexFailure:
    nested = list(causes(error))
    where, tried = f"The cluster of {location.text}", tried_for(tried_s)
    if any(isinstance(cause, NameResolutionError) for cause in nested):
        return IndexFailure(
            f"{where} is not found{tried}: its host's name is unknown. Check the name, and the "
            "network."
        )
    if isinstance(error, ConnectionTimeout):
        return IndexFailure(
            f"{where} does not answer in time{tried}. Check that it runs and that no firewall is "
            "between, or raise the setting elasticsearch.timeout_s."
        )
    numbers = {cause.errno for cause in nested if isinstance(cause, OSError)}
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
        f"{tried_for(tried_s)}. Check its log; if it was never reached before, it may want {other}."
    )


def tried_for(tried_s: float) -> str:
    """Return how long something was tried, as the end of a clause."""
    return f", though it was tried for {tried_s:.0f} s" if tried_s >= 0.5 else ""


def causes(error: BaseException | None) -> Iterator[BaseException]:
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
