"""Real photos of two people, the real networks: the right video at the right moment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from indexer import open_index
from indexer.ingest import ingest
from indexer.networks import Networks, load_networks
from indexer.settings import Settings
from tests.page.serving import served
from tests.rendered import Shot, photo, render

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.slow

KIDMAN, WOODS = "Nicole_Kidman", "Tiger_Woods"


@pytest.fixture(scope="module")
def facenet(shared_data: Path) -> Networks:
    weights = shared_data / "models" / "facenet-vggface2.pt"
    return load_networks(None, Settings(), spec=f"facenet:{weights}")


def test_a_dropped_photo_finds_the_video_and_the_moment(
    visit, facenet, shared_data, tmp_path
) -> None:
    lfw = shared_data / "data" / "lfw"
    media = tmp_path / "media"
    media.mkdir()
    render(media / "golf.mp4", lfw, [Shot((WOODS,), 2)])
    evening = [Shot((), 2), Shot((WOODS,), 2, photo=2), Shot((KIDMAN,), 3), Shot((), 1)]
    render(media / "evening.mp4", lfw, evening)
    location = tmp_path / "films.sightings"
    with open_index(location, create=True) as index:
        assert len(ingest(index, [media], facenet).done) == 2

    with served(location, tmp_path, facenet) as site:
        page = visit(site)
        page.drop(photo(lfw, KIDMAN, 2))
        assert page.found() == ["evening.mp4"]
        result = page.result("evening.mp4")
        verdict = result.locator(".verdict")
        expect(verdict).to_have_text(re.compile("Same person|Possible match"))
        moment = result.get_by_role("list", name="Moments").get_by_role("button")
        expect(moment).to_have_text("0:04.0–0:07.0")
        moment.click()
        page.page.wait_for_function(
            "() => document.querySelector('video')?.currentTime >= 4 - 0.05"
        )
        assert page.page.locator("video").evaluate("video => video.currentTime") < 7
        expect(page.page.locator(".face-mark")).to_be_visible()
        page.page.keyboard.press("Escape")
        expect(page.page).to_have_url(re.compile(r"^(?!.*open=)"))

        page.open("#/")
        page.drop(photo(lfw, WOODS, 3))
        assert set(page.found()) == {"golf.mp4", "evening.mp4"}
