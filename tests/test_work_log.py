"""A worker's log names the files that it has in hand, how long each took, and what failed."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from indexer import open_index
from indexer.jobs import cancel, enqueue, no_send
from indexer.settings import KeyframeSettings, Settings
from indexer.work import OTHER_SETTINGS, work_on_queued
from tests.clips import clip, photo, shot, still

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.networks import Networks

SETTINGS = Settings(model="fake", keyframes=KeyframeSettings(segment_s=1.0))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with open_index(tmp_path / "faces.sightings", create=True) as opened:
        yield opened


def log_of(
    index: Index, path: Path, networks: Networks, caplog: pytest.LogCaptureFixture
) -> list[tuple[str, str]]:
    """Queue a file, work on it, and return what was logged: level and text, seconds left out."""
    caplog.set_level(logging.INFO)
    (media,) = enqueue(index, [path], SETTINGS, send=no_send).queued
    index.adopt_model(networks.embedder.identity)
    work_on_queued(index, media.id, networks)
    return [
        (record.levelname, re.sub(r"\d+\.\d s", "S s", record.getMessage()))
        for record in caplog.records
        if record.name.startswith("indexer.work")
    ]


@pytest.fixture
def fast(networks: Networks) -> Networks:
    """Networks under the settings of these tests."""
    return replace(networks, settings=replace(SETTINGS, faces=networks.settings.faces))


def test_a_photo_is_named_when_it_is_begun_and_when_it_is_done(
    index: Index, tmp_path: Path, portraits, fast: Networks, caplog
) -> None:
    path = photo(tmp_path / "a\nb.png", still(portraits, "grace"))
    name = f"{tmp_path}/a\\nb.png"
    assert log_of(index, path, fast, caplog) == [
        ("INFO", f"{name}: begun, attempt 1."),
        ("INFO", f"{name}: done in S s, 1 face stored."),
        ("INFO", f"{name}: all of it is done."),
    ]


def test_each_segment_of_a_video_is_told(
    index: Index, tmp_path: Path, portraits, fast: Networks, caplog
) -> None:
    path = clip(tmp_path / "film.mp4", shot(portraits, "grace", 8), shot(portraits, "eileen", 8))
    told = log_of(index, path, fast, caplog)
    begun = [text for _, text in told if "begun" in text]
    starts = [f"{path}, segment {n + 1} (from 00:{n:02d}.0): begun, attempt 1." for n in range(9)]
    assert begun == starts[: len(begun)]
    assert len(begun) > 1
    assert len([text for _, text in told if re.search(r"done in S s, \d faces? stored", text)]) == (
        len(begun)
    )


def test_failures_are_warnings_that_name_their_file_once(
    index: Index, tmp_path: Path, portraits, fast: Networks, caplog
) -> None:
    path = photo(tmp_path / "a.png", still(portraits, "grace"))
    (media,) = enqueue(index, [path], SETTINGS, send=no_send).queued
    path.unlink()
    caplog.set_level(logging.INFO)
    index.adopt_model(fast.embedder.identity)
    work_on_queued(index, media.id, fast)
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert [text.count(str(path)) for text in warnings] == [1, 1]
    assert all("is no longer there" in text for text in warnings)


def test_a_worker_with_other_settings_says_so(
    index: Index, tmp_path: Path, portraits, networks: Networks, caplog
) -> None:
    path = photo(tmp_path / "a.png", still(portraits, "grace"))
    other = replace(
        networks,
        settings=replace(SETTINGS, faces=replace(networks.settings.faces, min_face_px=20)),
    )
    told = log_of(index, path, other, caplog)
    assert ("WARNING", f"{path}: failed after S s: {OTHER_SETTINGS}") in told


def test_what_is_cancelled_meanwhile_is_told(
    index: Index, tmp_path: Path, portraits, fast: Networks, caplog, monkeypatch
) -> None:
    path = photo(tmp_path / "a.png", still(portraits, "grace"))
    list_labels = index.list_labels

    def cancelled(media_ids: list[str]):
        found = list_labels(media_ids)
        cancel(index, SETTINGS, media_ids=media_ids)
        return found

    monkeypatch.setattr(index, "list_labels", cancelled)
    told = log_of(index, path, fast, caplog)
    assert told[1:] == [
        ("INFO", f"{path}: cancelled, or taken over by another worker; nothing is stored.")
    ]
