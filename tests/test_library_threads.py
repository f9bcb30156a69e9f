"""How many threads libraries may start, beside as many of ours as there are processors."""

from __future__ import annotations

import os

import cv2
import pytest

from indexer.library_threads import (
    ONE_FOR_PRODUCTS,
    decoder_threads,
    segments_at_once,
    set_before_imports,
    shared_by,
)
from indexer.networks import load_networks
from indexer.runtime import processors
from indexer.settings import load
from indexer.sources import open_source
from tests.clips import clip, shot


@pytest.mark.parametrize(
    ("threads", "at_once", "segments", "decoding"),
    [(1, 0, 1, 1), (2, 0, 2, 2), (8, 0, 4, 2), (8, 1, 1, 8), (1, 4, 4, 1), (16, 4, 4, 4)],
)
def test_decoders_share_the_processors(
    tmp_path, portraits, threads: int, at_once: int, segments: int, decoding: int
) -> None:
    settings = load({"compute.threads": threads, "compute.at_once": at_once})
    assert segments_at_once(settings) == segments
    assert decoder_threads(settings) == decoding
    path = clip(tmp_path / "a.mp4", shot(portraits, "grace", 3))
    with open_source(path, "video", settings) as source:
        assert source._pass.stream.codec_context.thread_count == decoding
        assert len(list(source.frames())) == 3


def test_opencv_works_in_the_threads_that_call_it(shared_data) -> None:
    cv2.setNumThreads(4)
    weights = shared_data / "models/facenet-vggface2.pt"
    load_networks(None, load({"model": f"facenet:{weights}"}))
    assert cv2.getNumThreads() == 1


def test_what_somebody_has_set_stays(monkeypatch) -> None:
    (name,) = ONE_FOR_PRODUCTS
    monkeypatch.setenv(name, "3")
    set_before_imports(ONE_FOR_PRODUCTS)
    assert os.environ[name] == "3"
    monkeypatch.delenv(name)
    set_before_imports(ONE_FOR_PRODUCTS)
    assert os.environ[name] == "1"


@pytest.mark.parametrize(("processes", "share"), [(1, 1.0), (2, 0.5), (1000, 0.0)])
def test_processes_of_a_worker_share_the_processors(processes: int, share: float) -> None:
    settings = shared_by(processes, load())
    assert (settings.compute.threads or processors()) == max(1, int(share * processors()))
    assert shared_by(processes, load({"compute.threads": 3})).compute.threads == 3
