"""What the stages of the pipeline take, and how that is counted."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from indexer.pipeline import process_segment
from indexer.sources import PhotoSource, open_source, spans_of
from indexer.stage_times import BUCKETS_S, Histogram, Histograms, StageTimes
from tests.clips import clip, shot

if TYPE_CHECKING:
    from collections.abc import Iterator

PAUSE_S = 0.05


def test_only_the_time_in_a_stage_is_its_own() -> None:
    times = StageTimes()

    def slow() -> Iterator[int]:
        for number in range(3):
            time.sleep(PAUSE_S)
            yield number

    for _ in times.each("decode", slow()):
        with times.of("detect"):
            time.sleep(2 * PAUSE_S)
    assert set(times.seconds) == {"decode", "detect"}
    assert 3 * PAUSE_S <= times.seconds["decode"] < times.seconds["detect"]
    assert times.seconds["detect"] >= 6 * PAUSE_S


def test_a_stage_that_fails_has_taken_its_time_too() -> None:
    times = StageTimes()
    with pytest.raises(ValueError, match="wrong"), times.of("store"):
        raise ValueError("wrong")
    assert times.seconds["store"] > 0


def test_threads_add_to_the_same_times() -> None:
    times = StageTimes()

    def work() -> None:
        with times.of("embed"):
            time.sleep(PAUSE_S)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert times.seconds["embed"] >= 4 * PAUSE_S


def test_a_segment_tells_what_its_stages_took(tmp_path, portraits, networks) -> None:
    path, times = clip(tmp_path / "a.mp4", shot(portraits, "grace", 5)), StageTimes()
    from indexer.media import content_id, probe

    media = probe(path, content_id(path), networks.settings.media)
    with open_source(path, "video", networks.settings) as source:
        (span,) = spans_of(source, "video", 60.0)
        assert process_segment(media, span, source, networks, times=times).faces
    assert set(times.seconds) == {"decode", "detect", "embed"}
    assert all(took_s > 0 for took_s in times.seconds.values())


def test_a_photo_is_decoded_as_it_is_opened_and_that_counts(tmp_path, portraits, networks) -> None:
    from indexer.media import content_id, probe

    path, times = tmp_path / "a.png", StageTimes()
    Image.fromarray(portraits["grace"]).resize((2400, 2400)).save(path)
    media = probe(path, content_id(path), networks.settings.media)
    with open_source(path, "photo", networks.settings) as source:
        assert isinstance(source, PhotoSource)
        (span,) = spans_of(source, "photo", 60.0)
        assert process_segment(media, span, source, networks, times=times).faces
        assert times.seconds["decode"] >= source.decoded_in_s > 0
    assert set(times.seconds) == {"decode", "detect", "embed"}


def test_a_histogram_counts_what_took_no_longer_than_each_bound() -> None:
    measured = Histogram()
    for took_s in (BUCKETS_S[0], 2.0, 2.0, 10 * BUCKETS_S[-1]):
        measured = measured.with_one(took_s)
    counts = dict(zip((*BUCKETS_S, "all"), measured.counts, strict=True))
    assert (counts[BUCKETS_S[0]], counts[1.0], counts[3.0]) == (1, 1, 3)
    assert (counts[BUCKETS_S[-1]], counts["all"]) == (3, 4)
    assert measured.sum_s == pytest.approx(BUCKETS_S[0] + 4.0 + 10 * BUCKETS_S[-1])


def test_histograms_are_kept_by_stage() -> None:
    kept = Histograms()
    kept.add({"decode": 1.0, "embed": 2.0})
    kept.add({"decode": 3.0})
    assert {stage: (h.counts[-1], h.sum_s) for stage, h in kept.read().items()} == {
        "decode": (2, 4.0),
        "embed": (1, 2.0),
    }
