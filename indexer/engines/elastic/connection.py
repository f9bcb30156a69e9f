"""The connection to a cluster: credentials, the first check, and calls that outlast its absence."""

from __future__ import annotations

import logging
import random
import re
import ssl
import time
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from elastic_transport import ObjectApiResponse, TransportError
from elasticsearch import ApiError, Elasticsearch
from elasticsearch.serializer import NdjsonSerializer, OrjsonSerializer
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
)

from indexer.engines.elastic.failures import answer_failure, is_transient, safe_cause, translate
from indexer.errors import IndexFailure, SightingsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.engines.elastic.location import Location
    from indexer.settings import ElasticsearchSettings

OLDEST = (9, 3)
"""The first version that takes vectors as base64."""

CHECK_RETRY_S = 2.0
CHECK_TIMEOUT_S = 10.0
NODES_ASKED = 3
"""Before a call is given up, if there are as many; each may take the whole timeout."""

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 5.0


class _OrjsonLines(NdjsonSerializer):
    """The lines of a bulk request; the client's own uses the slower standard library."""

    def json_dumps(self, data: Any) -> bytes:
        return OrjsonSerializer.json_dumps(_JSON, data)


_JSON = OrjsonSerializer()
_NO_OUTPUT = logging.NullHandler()
"""Without any handler, Python would print the transport's notes about nodes on stderr."""


class Connection:
    """A client of a cluster that threads may share, and the one place its errors are translated."""

    def __init__(self, location: Location, settings: ElasticsearchSettings) -> None:
        """Make the client; nothing is sent yet. Raises UsageError for settings that cannot be."""
        self.location = location
        self._settings = settings
        self._closed = False
        logging.getLogger("elastic_transport").addHandler(_NO_OUTPUT)
        self.client = Elasticsearch(
            list(location.urls),
            serializers={
                "application/json": _JSON,
                "application/x-ndjson": _OrjsonLines(),
            },
            request_timeout=settings.timeout_s,
            max_retries=0,
            **_credentials(settings),
            **_trust(location, settings),
        )

    @property
    def retry_s(self) -> float:
        """For how long to go on trying while the cluster is busy or out of reach."""
        return self._settings.retry_s

    def check(self) -> None:
        """Make sure that a supported Elasticsearch answers and takes the credentials.

        Raises IndexFailure that says what is wrong.
        """
        versions = self.versions()
        too_old = {name: text for name, text in versions.items() if _parsed(text) < OLDEST}
        if too_old or not versions:
            told = ", ".join(f"{name} has {text}" for name, text in sorted(too_old.items()))
            raise IndexFailure(
                f"The cluster of {self.location.text} must run Elasticsearch "
                f"{OLDEST[0]}.{OLDEST[1]} or newer on every node; {told or 'it names no node'}. "
                "Upgrade it, or use another."
            )

    def versions(self) -> dict[str, str]:
        """Return each node's version by its name. Raises IndexFailure.

        Asked for as any JSON: versions before 9 refuse the client's usual `Accept`.
        """
        client = self.client.options(request_timeout=min(CHECK_TIMEOUT_S, self._settings.timeout_s))
        answer = self._answer(
            lambda: client.perform_request(
                "GET",
                "/_nodes/_all/http",
                params={"filter_path": "nodes.*.name,nodes.*.version"},
                headers={"accept": "*/*"},
            ),
            (),
            None,
            retry_s=min(CHECK_RETRY_S, self._settings.retry_s),
        ).body
        nodes = answer.get("nodes", {}) if isinstance(answer, dict) else {}
        return {
            f"{node.get('name')} ({identity})": str(node.get("version", ""))
            for identity, node in nodes.items()
        }

    def call(
        self,
        api: Callable[..., Any],
        /,
        *,
        expect: tuple[int, ...] = (),
        timeout_s: float | None = None,
        on_retry: Callable[[], None] | None = None,
        **params: Any,
    ) -> ObjectApiResponse[Any]:
        """Return the answer to a method of the client, as `call(client.get, index=..., id=...)`.

        expect: statuses that come back as answers, not errors. timeout_s: of each attempt.
        on_retry: called before each attempt but the first, which may have been carried out.
        While the cluster is busy or out of reach the call is repeated, for elasticsearch.retry_s.
        Raises IndexFailure, StorageFull; UsageError for values that JSON cannot hold.
        """
        asked = self._with_timeout(api, timeout_s) if timeout_s is not None else api
        return self._answer(
            lambda: asked(**params), expect, on_retry, retry_s=self._settings.retry_s
        )

    def failure(self, status: int, body: Any) -> SightingsError:
        """Return what to raise for a part of an answer that says no."""
        return answer_failure(status, body, self.location)

    def close(self) -> None:
        """Let go of the connections."""
        self._closed = True
        self.client.close()

    def _with_timeout(self, api: Callable[..., Any], timeout_s: float) -> Callable[..., Any]:
        """Return a method of the client, or of one of its namespaces, with another timeout."""
        owner: Any = api.__self__  # type: ignore[attr-defined]
        patient = self.client.options(request_timeout=timeout_s)
        if owner is not self.client:
            patient = type(owner)(patient)
        return getattr(patient, api.__name__)  # type: ignore[no-any-return]

    def _answer(
        self,
        ask: Callable[[], Any],
        expect: tuple[int, ...],
        on_retry: Callable[[], None] | None,
        *,
        retry_s: float,
    ) -> ObjectApiResponse[Any]:
        if self._closed:
            raise IndexFailure(f"The index {self.location.text} is closed; open it again.")

        def attempt() -> Any:
            try:
                return ask()
            except ApiError as error:
                if error.meta.status in expect:
                    return ObjectApiResponse(body=error.body, meta=error.meta)
                raise

        def before(state: RetryCallState) -> None:
            if on_retry and state.attempt_number > 1:
                on_retry()

        start_s = time.monotonic()
        retrying = Retrying(
            retry=retry_if_exception(is_transient),
            # Other nodes are asked once more however long one took, but not each of many.
            stop=stop_after_delay(retry_s)
            & stop_after_attempt(min(len(self.location.urls), NODES_ASKED)),
            wait=lambda state: self._wait_s(state, retry_s),
            before=before,
            reraise=True,
        )
        try:
            return retrying(attempt)
        except (ApiError, TransportError, UnicodeEncodeError) as error:
            tried_s = time.monotonic() - start_s if is_transient(error) else 0
            failure = translate(error, self.location, tried_s=tried_s)
            raise failure from safe_cause(error)

    def _wait_s(self, state: RetryCallState, retry_s: float) -> float:
        """Return how long to wait: not at all while there are other nodes to ask, then longer."""
        turns = state.attempt_number - len(self.location.urls)
        if turns < 0:
            return 0.0
        longest_s = min(FIRST_WAIT_S * 2.0 ** min(turns, 30), LONGEST_WAIT_S)
        left_s = retry_s - (state.seconds_since_start or 0.0)
        return max(0.0, min(longest_s * random.uniform(0.5, 1.0), left_s))


def _parsed(version: str) -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


def _credentials(settings: ElasticsearchSettings) -> dict[str, Any]:
    if api_key := settings.api_key.strip():
        if not (api_key.isascii() and api_key.isprintable() and " " not in api_key):
            raise UsageError("elasticsearch.api_key holds characters that no API key has.")
        # As the cluster encodes it, or id and key as it names them.
        identity, colon, key = api_key.partition(":")
        return {"api_key": (identity, key) if colon else api_key}
    if settings.username:
        if ":" in settings.username:
            raise UsageError("elasticsearch.username holds a colon, which no user's name has.")
        # The client takes a pair in ASCII only; bytes that are no text stay what they were.
        pair = f"{settings.username}:{settings.password}".encode("utf-8", "surrogateescape")
        return {"basic_auth": b64encode(pair).decode()}
    return {}


def _trust(location: Location, settings: ElasticsearchSettings) -> dict[str, Any]:
    if not location.encrypted:
        if settings.ca_certs or settings.fingerprint:
            raise UsageError(
                "elasticsearch.ca_certs and elasticsearch.fingerprint are for TLS: write "
                f"elasticsearch+https:// instead of {location.text.partition('/')[0]}//."
            )
        return {}
    if settings.fingerprint:
        return {"ssl_assert_fingerprint": settings.fingerprint.replace(":", "")}
    if settings.ca_certs:
        _require_certificates(settings.ca_certs)
        return {"ca_certs": settings.ca_certs}
    return {}


def _require_certificates(path: str) -> None:
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:  # ssl.SSLError is one
        reason = "no PEM file of certificates" if isinstance(error, ssl.SSLError) else "not there"
        if not isinstance(error, (ssl.SSLError, FileNotFoundError)):
            reason = error.strerror or str(error)
        raise UsageError(
            f"The CA file {path} that elasticsearch.ca_certs names is {reason}."
        ) from error
