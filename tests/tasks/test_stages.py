"""What the stages took is counted in Redis, for all workers, and never in their way."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from indexer.errors import BrokerFailure
from indexer.stage_times import Histograms
from tasks.stages import SharedHistograms

if TYPE_CHECKING:
    from indexer.settings import Settings
    from tests.redis_server import RedisServer

pytestmark = pytest.mark.slow

SEGMENTS = ({"decode": 1.5, "detect": 0.02, "store": 400.0}, {"decode": 0.5, "embed": 0.2})


def test_all_workers_count_together_as_one_would(settings: Settings) -> None:
    one, other, alone = (
        SharedHistograms(settings.tasks),
        SharedHistograms(settings.tasks),
        Histograms(),
    )
    assert one.read() == {}
    for counted_by, seconds in zip((one, other), SEGMENTS, strict=True):
        counted_by.add(seconds)
        alone.add(seconds)
    assert one.read() == other.read() == alone.read()


def test_without_redis_work_goes_on_and_reading_says_so(
    settings: Settings, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    shared = SharedHistograms(settings.tasks)
    redis_server.stop()
    try:
        with caplog.at_level(logging.WARNING):
            shared.add(SEGMENTS[0])
        with pytest.raises(BrokerFailure, match=r"tasks\.broker_url cannot be reached"):
            shared.read()
    finally:
        redis_server.start()
    assert "What the stages took is not counted" in caplog.text
