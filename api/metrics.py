"""What Prometheus is told: requests, searches and their stages, and what the index holds."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from flask import g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client import Histogram as PrometheusHistogram
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector

from api.service import current
from indexer.errors import BrokerFailure, SightingsError
from indexer.stage_times import BUCKETS_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from flask import Flask, Response

    from indexer.stage_times import Histogram, Stage

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_STATES = ("queued", "working", "done", "failed")
_SEGMENT_STATES = ("pending", "claimed", "done", "failed")


class Metrics:
    """The service's measurements, in a registry of their own."""

    def __init__(self, stages: Callable[[], Mapping[Stage, Histogram]]) -> None:
        """stages: how long those of ingest took; raises BrokerFailure if it cannot be known."""
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "sightings_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self.request_seconds = PrometheusHistogram(
            "sightings_http_request_seconds",
            "Time from a request to its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.searches = PrometheusHistogram(
            "sightings_search_seconds",
            "Time of whole searches, by what was searched for.",
            ("query",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.stages = PrometheusHistogram(
            "sightings_search_stage_seconds",
            "Time of a search's stages: decode, faces, find.",
            ("stage",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._up = Gauge("sightings_index_up", "Whether the index answers.", registry=registry)
        self._media = Gauge(
            "sightings_media", "Photos and videos by state.", ("state",), registry=registry
        )
        self._segments = Gauge(
            "sightings_segments",
            "Segments by state; those that failed stay until they are retried or removed.",
            ("state",),
            registry=registry,
        )
        self._faces = Gauge("sightings_faces", "Faces stored.", registry=registry)
        self._messages = Gauge(
            "sightings_queue_messages",
            "Messages that wait for a worker; NaN without a queue, and while it cannot be reached.",
            registry=registry,
        )
        self._bytes = Gauge("sightings_index_bytes", "Size of the index.", registry=registry)
        registry.register(_Stages(stages))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage of a search."""
        with self.stages.labels(name).time():
            yield

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        self._messages.set(math.nan)
        if (queued := current().queued) is not None:
            with suppress(BrokerFailure):
                self._messages.set(queued())
        try:
            stats = current().index.stats()
        except SightingsError:
            self._up.set(0)
            return generate_latest(self._registry)
        self._up.set(1)
        for state in _STATES:
            self._media.labels(state).set(int(stats.get(f"media_{state}", 0)))
        for state in _SEGMENT_STATES:
            self._segments.labels(state).set(int(stats.get(f"segments_{state}", 0)))
        self._faces.set(int(stats["faces"]))
        self._bytes.set(int(stats["size_bytes"]))
        return generate_latest(self._registry)


class _Stages(Collector):
    """What workers have measured, wherever they keep it."""

    def __init__(self, read: Callable[[], Mapping[Stage, Histogram]]) -> None:
        self._read = read

    def collect(self) -> Iterator[HistogramMetricFamily]:
        family = HistogramMetricFamily(
            "sightings_ingest_stage_seconds",
            "Time that the stages of a segment worked: decode, detect, embed, store; the rate of "
            "its count is that of ingest.",
            labels=("stage",),
        )
        with suppress(BrokerFailure):
            for stage, measured in sorted(self._read().items()):
                bounds = (*map(str, BUCKETS_S), "+Inf")
                counts = list(zip(bounds, measured.counts, strict=True))
                family.add_metric([stage], buckets=counts, sum_value=measured.sum_s)
        yield family


def add_to(app: Flask) -> None:
    """Count and time every request."""

    @app.before_request
    def start() -> None:
        g.started_s = time.perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        metrics = current().metrics
        route = request.url_rule.rule if request.url_rule else "none"
        method = request.method if request.method in _METHODS else "other"
        metrics.requests.labels(method, route, str(response.status_code)).inc()
        metrics.request_seconds.labels(route).observe(time.perf_counter() - g.started_s)
        return response
