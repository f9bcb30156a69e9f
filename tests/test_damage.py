"""What is wrong with a video is told alike, whether one reader meets all of it or each a part."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from indexer import open_index
from indexer.ingest import ingest
from indexer.jobs import enqueue, no_send
from indexer.networks import Networks
from indexer.settings import KeyframeSettings
from indexer.video import VideoReader
from indexer.work import work_on_queued
from tests.clips import documents
from tests.media_maker import make_video, numbered
from tests.test_video import cut, damaged, wiped

if TYPE_CHECKING:
    from pathlib import Path


def lossless(folder: Path) -> Path:
    """A video whose frames stand alone, three of which cannot be decoded."""
    path = make_video(folder / "a.mp4", numbered(100), codec="mjpeg", pixel_format="yuvj420p")
    wiped(path, [10, 24, 40])
    return path


def noisy(folder: Path) -> Path:
    options = {"g": "12", "bf": "0"}
    return damaged(make_video(folder / "a.mp4", numbered(250), codec_options=options), 0.5, 0.55)


def short(folder: Path) -> Path:
    return cut(make_video(folder / "a.mkv", numbered(200)), 0.5)


def sound(folder: Path) -> Path:
    """Open groups of pictures: seeking meets some that belong before."""
    options = {"x264-params": "open-gop=1:keyint=10:bframes=3"}
    return make_video(folder / "a.mp4", numbered(100), codec_options=options)


@pytest.mark.parametrize("make", [lossless, noisy, short, sound])
def test_segments_done_by_readers_of_their_own_add_up_to_one_pass(
    tmp_path: Path, networks: Networks, make: Any
) -> None:
    path = make(tmp_path)
    settings = replace(networks.settings, keyframes=KeyframeSettings(segment_s=1.0))
    one_second = Networks(networks.detector, networks.embedder, settings)
    with open_index(tmp_path / "whole.sightings", create=True) as whole:
        ingest(whole, [path], one_second)
        expected = documents(whole)
    with open_index(tmp_path / "parts.sightings", create=True) as parts:
        parts.adopt_model(networks.embedder.identity)
        (media,) = enqueue(parts, [path], settings, send=no_send).queued
        while (now := work_on_queued(parts, media.id, one_second, budget_s=0.0)) is not None:
            if now.state in ("done", "failed"):
                break
        assert documents(parts) == expected
        assert now is not None
        assert bool(now.warnings) == (make is not sound)


def test_the_damage_of_ranges_adds_up_however_they_are_read(tmp_path: Path) -> None:
    path = lossless(tmp_path)
    ranges = [(0.0, 1.0), (1.0, 2.0), (2.0, 9.0)]
    with VideoReader(path) as reader:
        list(reader.frames())
        at_once = [reader.damage(*part).undecodable for part in ranges]
    alone = []
    for part in ranges:
        with VideoReader(path) as reader:
            list(reader.frames(*part))
            alone.append(reader.damage(*part).undecodable)
    assert at_once == alone == [2, 1, 0]
