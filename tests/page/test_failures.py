"""What goes wrong is said in plain words; a busy service is asked again after its own time."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from indexer import open_index
from tests.clips import photo, still


def test_a_photo_without_a_face(page, tmp_path) -> None:
    page.may_fail = True
    page.drop(photo(tmp_path / "plain.png", still({})))
    alert = page.page.locator(".results").get_by_role("alert")
    expect(alert).to_contain_text("No face was found")
    expect(alert).to_contain_text("larger")
    expect(alert.get_by_label("Choose another photo")).to_be_visible()
    expect(page.page.get_by_role("img", name="plain.png")).to_be_visible()


def test_a_file_that_is_no_photo(page, tmp_path) -> None:
    page.may_fail = True
    (tmp_path / "letter.png").write_text("Dear Sir or Madam")
    page.drop(tmp_path / "letter.png")
    expect(page.page.locator(".results [role=alert]")).to_contain_text("This file cannot be used")


def test_too_large_a_photo(visit, serve, archive, tmp_path, portraits) -> None:
    page = visit(serve(archive.location, max_query_bytes=2000))
    page.may_fail = True
    page.drop(photo(tmp_path / "large.png", still(portraits, "eileen")))
    expect(page.page.locator(".results [role=alert]")).to_contain_text("That is too large")


def test_more_photos_than_the_service_takes(visit, serve, archive, tmp_path, portraits) -> None:
    page = visit(serve(archive.location, max_query_photos=11))
    page.may_fail = True
    page.drop(*(photo(tmp_path / f"{n}.png", still(portraits, "eileen")) for n in range(12)))
    expect(page.page.locator(".results [role=alert]")).to_contain_text("at most 11 are taken")


def test_an_empty_index(visit, serve, tmp_path, portraits) -> None:
    location = tmp_path / "empty.sightings"
    open_index(location, create=True).close()
    page = visit(serve(location))
    page.may_fail = True
    expect(page.by_role("heading", "Nothing has been indexed yet")).to_be_visible()
    page.drop(photo(tmp_path / "someone.png", still(portraits, "eileen")))
    alert = page.page.locator(".results").get_by_role("alert")
    expect(alert).to_contain_text("Nothing has been indexed yet")
    expect(alert.get_by_role("link", name="Add photos and videos")).to_be_visible()
    page.by_role("link", "People").click()
    expect(page.by_role("heading", "Nobody has a name yet")).to_be_visible()
    page.by_role("link", "Library").click()
    expect(page.by_role("heading", "Nothing has been indexed yet")).to_be_visible()


def test_a_stranger_is_not_found(page, tmp_path, portraits) -> None:
    upside = still(portraits, "eileen")[:, ::-1][..., ::-1]
    page.drop(photo(tmp_path / "stranger.png", upside))
    expect(page.by_role("heading", "This person was not found")).to_be_visible()
    page.by_role("button", "Show the nearest faces all the same").click()
    badge = page.results.first.get_by_text("Different person")
    expect(badge).to_be_visible()
    grey = badge.evaluate("it => getComputedStyle(it).color")
    expect(page.page.locator(".timeline-span").first).to_have_css("background-color", grey)


@pytest.mark.parametrize("address", ["#/search?face_id=gone", "#/search?person=Nobody"])
def test_who_is_no_longer_there(page, address) -> None:
    page.may_fail = True
    page.open(address)
    alert = page.page.locator(".results [role=alert]")
    expect(alert).to_contain_text(re.compile("no longer in the index|Nobody has this name"))
    expect(alert).not_to_contain_text("sightings ")  # commands are not for those at a browser


def test_a_busy_service_is_asked_again_when_it_says_so(visit, serve, archive) -> None:
    site = serve(archive.location, search_rate="1/3 second")
    address = f"#/search?face_id={archive.faces['eileen.png'].id}"
    page = visit(site, address)
    page.may_fail = True
    page.found()
    page.by_role("radio", "Videos").check()
    expect(page.by_role("status").last).to_contain_text("The service is busy. Trying again in")
    expect(page.results).to_have_count(2)


def test_a_service_that_is_gone(page) -> None:
    page.may_fail = True
    page.page.context.set_offline(True)
    page.by_role("link", "Library").click()
    alert = page.page.locator("main [role=alert]")
    expect(alert).to_contain_text("The service does not answer")
    page.page.context.set_offline(False)
    alert.get_by_role("button", name="Try again").click()
    expect(page.page.locator(".media-row")).to_have_count(4)
