"""Searching for the people of a video: it goes on only while somebody waits for it."""

from __future__ import annotations

import re
import shutil
import threading
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.tasks.running import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.page.archive import Archive
    from tests.page.serving import Site
    from tests.page.visit import Visit


@pytest.fixture
def go_on(own_site: Site, made_archive: Archive, tmp_path: Path) -> Iterator[threading.Event]:
    """What ends the search for which all others wait."""
    ended = threading.Event()

    def found(_query: object) -> list[Any]:
        ended.wait(60)
        return []

    video = shutil.copy(made_archive.folder / "pioneers.webm", tmp_path / "another.webm")
    service = own_site.app.extensions["sightings"]
    before = service.video_searches.add(video, "another.webm", None, found)
    wait_until(lambda: before.outcome.state == "working")
    yield ended
    ended.set()


@pytest.mark.parametrize(
    "leave",
    [
        lambda visit: visit.by_role("link", "People").click(),
        lambda visit: visit.page.get_by_role("button", name="Stop").click(),
        lambda visit: visit.page.goto("about:blank"),
    ],
    ids=["another view", "stop", "another page"],
)
def test_one_that_is_left_is_stopped_and_begins_again_for_who_comes_back(
    own_page: Visit,
    own_site: Site,
    made_archive: Archive,
    go_on: threading.Event,
    leave: Callable[[Visit], Any],
) -> None:
    own_page.may_fail = True  # what was stopped is not found
    own_page.drop(made_archive.folder / "pioneers.webm")
    expect(own_page.page).to_have_url(re.compile("video="))
    search_id = re.findall("video=([0-9a-f]+)", own_page.page.url)[0]
    video = own_site.app.extensions["sightings"].video_searches.get(search_id).path
    assert video.exists()
    leave(own_page)
    wait_until(lambda: not video.exists())
    own_page.page.go_back()
    expect(own_page.page.locator(".query-video")).to_contain_text("Looking at the video")
    go_on.set()
    assert {"pioneers.webm", "old.mpg"} <= set(own_page.found())
