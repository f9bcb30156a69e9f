"""Playing a video from the moment, the box over it; frames where the browser cannot play it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from indexer.ingest import ingest
from tests.clips import clip, shot

# The face of `still` is in the middle of the frame.
MIDDLE = pytest.approx(0.5, abs=0.08)


@pytest.fixture
def found(page, made_archive):
    page.open(f"#/search?face_id={made_archive.faces['eileen.png'].id}")
    assert page.found()
    return page


def current_s(visit) -> float:
    return visit.page.locator("video").evaluate("video => video.currentTime")


def seen_at(visit, seconds: float) -> None:
    """Expect that the video has reached a time, and not run far from it."""
    expect(visit.page.locator("video")).to_be_visible()
    visit.page.wait_for_function(
        "seconds => { const v = document.querySelector('video');"
        " return !v.seeking && v.readyState > 1 && v.currentTime >= seconds - 0.05 }",
        arg=seconds,
    )
    assert current_s(visit) == pytest.approx(seconds, abs=2.5)


def box_centre(visit) -> tuple[float, float]:
    """Return where the box's middle is, as shares of the picture."""
    mark = visit.page.locator(".face-mark")
    expect(mark).to_be_visible()
    box, whole = mark.bounding_box(), visit.page.locator(".stage-picture").bounding_box()
    x = (box["x"] + box["width"] / 2 - whole["x"]) / whole["width"]
    return x, (box["y"] + box["height"] / 2 - whole["y"]) / whole["height"]


def test_a_moment_plays_from_there_with_the_box(found) -> None:
    moments = found.result("pioneers.webm").get_by_role("list", name="Moments")
    moments.get_by_role("button", name="Play 0:10.0").click()
    expect(found.by_role("dialog", "pioneers.webm")).to_be_visible()
    seen_at(found, 10.0)
    assert box_centre(found)[0] == MIDDLE
    expect(found.by_role("dialog").locator("[aria-current=true]")).to_contain_text("0:10.0")


def test_each_moment_says_its_own_verdict(found) -> None:
    moments = found.result("pioneers.webm").get_by_role("list", name="Moments")
    expect(moments.get_by_role("button").first).to_have_accessible_name(
        re.compile(r"^Play 0:02\.0.*, Same person$")
    )
    expect(found.result("pioneers.webm").locator(".timeline-span.same")).to_have_count(2)


def test_the_bar_plays_the_span_that_is_pressed(found) -> None:
    found.result("pioneers.webm").locator(".timeline-span").nth(1).click()
    seen_at(found, 10.0)


def test_the_result_plays_its_best_moment(found) -> None:
    found.result("pioneers.webm").get_by_role("button", name="Play pioneers.webm").click()
    at_s = float(found.page.url.partition("at=")[2])
    assert 2.0 <= at_s <= 12.0
    seen_at(found, at_s)
    assert box_centre(found)[0] == MIDDLE


def test_the_box_is_gone_where_the_person_is(found) -> None:
    found.result("pioneers.webm").get_by_role("button", name="Play 0:02.0").click()
    seen_at(found, 2.0)
    box_centre(found)
    found.page.locator("video").evaluate("video => { video.pause(); video.currentTime = 7.5 }")
    expect(found.page.locator(".face-mark")).to_be_hidden()
    found.page.locator("video").evaluate("video => { video.currentTime = 11 }")
    expect(found.page.locator(".face-mark")).to_be_visible()


def test_the_steps_from_frame_to_frame_are_one_row_on_a_phone(found) -> None:
    found.page.set_viewport_size({"width": 360, "height": 740})
    found.result("old.mpg").get_by_role("button", name="Play 0:02.0").click()
    steps = found.page.locator(".frame-steps button")
    expect(steps).to_have_count(4)
    expect(found.page.locator(".frame-time")).to_have_text("0:02.0")
    assert len({step.bounding_box()["y"] for step in steps.all()}) == 1


def test_another_moment_is_chosen_in_the_viewer(found) -> None:
    found.result("pioneers.webm").get_by_role("button", name="Play 0:02.0").click()
    seen_at(found, 2.0)
    found.by_role("dialog").get_by_role("button", name="Play 0:10.0").click()
    seen_at(found, 10.0)
    assert "at=10.0" in found.page.url


def test_back_closes_it_and_a_reload_opens_it_again(found) -> None:
    found.result("pioneers.webm").get_by_role("button", name="Play 0:10.0").click()
    seen_at(found, 10.0)
    found.page.reload()
    seen_at(found, 10.0)
    found.page.keyboard.press("Escape")
    expect(found.by_role("dialog")).to_have_count(0)
    expect(found.page).to_have_url(re.compile(r"^(?!.*open=)"))
    found.result("eileen.png").get_by_role("button", name="Open eileen.png").click()
    expect(found.by_role("dialog", "eileen.png")).to_be_visible()
    found.page.go_back()
    expect(found.by_role("dialog")).to_have_count(0)
    expect(found.result("eileen.png")).to_be_visible()


def test_what_cannot_be_played_shows_frames_around_the_moment(found) -> None:
    found.result("old.mpg").get_by_role("button", name="Play 0:02.0").click()
    time = found.page.locator(".frame-time")
    expect(time).to_have_text("0:02.0")
    expect(found.page.get_by_text("cannot play this kind of video")).to_be_visible()
    expect(found.page.locator("video")).to_have_count(0)
    assert found.page.locator(".stage-frame").evaluate("image => image.naturalWidth") == 320
    assert box_centre(found)[0] == MIDDLE
    found.by_role("button", "Next", exact=True).click()
    expect(time).to_have_text("0:02.5")
    found.by_role("button", "Previous", exact=True).click()
    found.by_role("button", "Previous", exact=True).click()
    expect(time).to_have_text("0:01.5")
    expect(found.page.locator(".face-mark")).to_be_hidden()
    found.by_role("button", "Next", exact=True).press("ArrowRight")
    expect(time).to_have_text("0:02.0")


def test_frames_end_where_the_video_does(found) -> None:
    found.result("old.mpg").get_by_role("button", name="Play 0:06.0").click()
    time = found.page.locator(".frame-time")
    expect(time).to_have_text("0:06.0")
    found.by_role("button", "Forward 5 seconds").click()
    expect(time).to_have_text("0:07.0")
    found.by_role("button", "Back 5 seconds").click()
    found.by_role("button", "Back 5 seconds").click()
    expect(time).to_have_text("0:00.0")


def test_a_codec_the_browser_lacks_falls_back_to_frames(
    visit, own_site, archive, portraits, networks
) -> None:
    path = archive.location.parent / "camera.mp4"
    clip(path, shot(portraits, "eileen", 30), codec="mpeg4", fps=25, codec_options={"b": "900000"})
    assert ingest(own_site.index, [path], networks).done
    page = visit(
        own_site, f"#/search?face_id={archive.faces['eileen.png'].id}&file_name=camera.mp4"
    )
    page.found()
    page.result("camera.mp4").get_by_role("button", name="Play camera.mp4").click()
    expect(page.page.get_by_text("cannot play this kind of video")).to_be_visible()
    assert box_centre(page)[0] == MIDDLE


def test_a_photo_opens_large_with_the_box(found) -> None:
    found.result("eileen.png").get_by_role("button", name="Open eileen.png").click()
    image = found.page.locator(".stage-frame")
    expect(image).to_be_visible()
    assert box_centre(found)[0] == MIDDLE
    assert image.bounding_box()["width"] > 500


def test_a_file_that_moved_is_explained(visit, site, made_archive, tmp_path) -> None:
    found = visit(site, "#/search?person=Grace%20Hopper")
    found.found()
    found.may_fail = True
    moved = made_archive.folder / "grace.png"
    moved.rename(tmp_path / "grace.png")
    try:
        found.result("grace.png").get_by_role("button", name="Open grace.png").click()
        alert = found.by_role("dialog").get_by_role("alert")
        expect(alert).to_contain_text("The file is not where it was")
    finally:
        (tmp_path / "grace.png").rename(moved)


def test_nothing_plays_by_itself_for_those_who_want_less_motion(visit, site, made_archive) -> None:
    face_id = made_archive.faces["eileen.png"].id
    page = visit(site, f"#/search?face_id={face_id}", reduced_motion="reduce")
    page.found()
    page.result("pioneers.webm").get_by_role("button", name="Play 0:02.0").click()
    seen_at(page, 2.0)
    assert page.page.locator("video").evaluate("video => video.paused")
