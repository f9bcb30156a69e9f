"""Searching by a photo: dropped, pasted or chosen; which face; and what is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.clips import photo, still

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def eileen(tmp_path: Path, portraits) -> Path:
    return photo(tmp_path / "who is this.png", still(portraits, "eileen", shift=3))


@pytest.fixture
def both(tmp_path: Path, portraits) -> Path:
    return photo(tmp_path / "both.png", still(portraits, "eileen", "grace"))


EILEENS = {"eileen.png", "pioneers.webm", "old.mpg"}
GRACES = {"grace.png", "pioneers.webm", "old.mpg"}


def test_a_dropped_photo_is_searched_for_at_once(page, eileen) -> None:
    page.drop(eileen)
    assert set(page.found()) == EILEENS
    result = page.result("pioneers.webm")
    expect(result.get_by_text("Same person")).to_be_visible()
    expect(result.get_by_role("list", name="Moments").get_by_role("button")).to_have_count(2)
    expect(result.locator(".timeline-span")).to_have_count(2)
    expect(page.by_role("button", "Face 1 of 1")).to_have_attribute("aria-pressed", "true")


def test_a_result_says_no_percentage_but_a_verdict_and_the_cosine(page, eileen) -> None:
    page.drop(eileen)
    page.found()
    text = page.page.locator(".results").inner_text()
    assert "%" not in text
    assert "Same person" in text
    assert "cosine 0.9" in text


def test_a_photo_can_be_pasted(page, eileen) -> None:
    page.paste(eileen)
    assert set(page.found()) == EILEENS


def test_a_photo_can_be_chosen(page, eileen) -> None:
    page.choose("Choose photos", eileen)
    assert set(page.found()) == EILEENS


def test_another_face_of_the_photo_can_be_chosen(page, both) -> None:
    page.drop(both)
    page.found()
    faces = page.page.locator(".face-box")
    expect(faces).to_have_count(2)
    chosen = page.page.locator(".face-box[aria-pressed=true]")
    expect(chosen).to_have_count(1)
    other = page.page.locator(".face-box[aria-pressed=false]")
    name = other.get_attribute("aria-label")
    before = set(page.found())
    other.click()
    expect(page.by_role("button", name)).to_have_attribute("aria-pressed", "true")
    after = set(page.found())
    assert {frozenset(before), frozenset(after)} == {frozenset(EILEENS), frozenset(GRACES)}
    page.page.go_back()
    expect(page.by_role("button", name)).to_have_attribute("aria-pressed", "false")
    assert set(page.found()) == before


def test_boxes_lie_on_the_faces(page, both) -> None:
    page.drop(both)
    page.found()
    picture = page.page.locator(".query-picture").bounding_box()
    left, right = (box.bounding_box() for box in page.page.locator(".face-box").all())
    for box, centre in ((left, 0.25), (right, 0.75)):
        middle = (box["x"] + box["width"] / 2 - picture["x"]) / picture["width"]
        assert middle == pytest.approx(centre, abs=0.08)
        assert 0.05 < box["width"] / picture["width"] < 0.3


def test_everyone_in_a_photo_can_be_searched_for(page, both) -> None:
    page.drop(both)
    page.found()
    page.by_role("button", "Everyone in it").click()
    expect(page.by_role("heading", "Face 1")).to_be_visible()
    expect(page.by_role("heading", "Face 2")).to_be_visible()
    assert set(page.found()) == EILEENS | GRACES
    # Both are seen in the two videos: a file counts once.
    summary = page.page.locator(".summary")
    expect(summary).to_have_text("Found in 2 videos and 2 photos, best first.")


def test_several_photos_of_one_person_are_one_query(page, eileen, tmp_path, portraits) -> None:
    second = photo(tmp_path / "another.png", still(portraits, "eileen", shift=-4))
    page.drop(eileen)
    page.found()
    page.choose("Add another photo", second)
    expect(page.page.locator(".query-figure")).to_have_count(2)
    assert set(page.found()) == EILEENS
    expect(page.page.locator(".face-box[aria-pressed=true]")).to_have_count(2)


def test_a_search_can_be_reloaded(page, eileen) -> None:
    page.drop(eileen)
    page.found()
    page.page.reload()
    assert set(page.found()) == EILEENS
    expect(page.by_role("button", "Face 1 of 1")).to_be_visible()


def test_a_photo_that_is_no_longer_kept_is_asked_for_again(page) -> None:
    page.open("#/search?photos=gone")
    expect(page.by_role("heading", "Choose the photo again")).to_be_visible()


def test_a_result_leads_to_a_search_with_its_face(page, eileen) -> None:
    page.drop(eileen)
    page.found()
    page.result("old.mpg").get_by_role("button", name="Search with this face").click()
    expect(page.page.locator(".query-stored")).to_contain_text("From old.mpg at 0:0")
    assert set(page.found()) == EILEENS
    assert "face_id=" in page.page.url


def test_a_named_person_is_searched_for_from_the_first_view(page) -> None:
    page.by_role("link", "Grace Hopper").click()
    expect(page.page.locator(".query-stored")).to_contain_text("Grace Hopper")
    assert "grace.png" in page.found()


def test_the_people_of_a_video_are_searched_for(page, made_archive) -> None:
    page.drop(made_archive.folder / "pioneers.webm")
    expect(page.page.locator(".query-video")).to_contain_text("Everybody in this video")
    assert {"pioneers.webm", "old.mpg"} <= set(page.found())
    assert "video=" in page.page.url
    page.page.reload()
    assert {"pioneers.webm", "old.mpg"} <= set(page.found())
