"""The library: what is indexed, in which state; one of them with its faces; deleting."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from indexer.ingest import ingest
from tests.clips import photo, still


def names(visit) -> list[str]:
    expect(visit.page.locator(".media-row").first).to_be_visible()
    return visit.page.locator(".media-row .media-words a").all_inner_texts()


def test_media_are_listed_with_their_states(page) -> None:
    page.by_role("link", "Library").click()
    assert names(page) == ["eileen.png", "grace.png", "old.mpg", "pioneers.webm"]
    row = page.page.locator(".media-row").filter(has_text="pioneers.webm")
    expect(row).to_contain_text("Done")
    expect(row).to_contain_text("0:12")


def test_filters_narrow_it_and_stand_in_the_address(page) -> None:
    page.open("#/library")
    page.by_role("radio", "Photos").check()
    expect(page.page.locator(".media-row")).to_have_count(2)
    page.page.reload()
    assert names(page) == ["eileen.png", "grace.png"]
    page.page.get_by_label("Person").fill("Grace Hopper")
    page.page.get_by_label("Person").press("Enter")
    expect(page.page.locator(".media-row")).to_have_count(1)
    page.page.get_by_label("State").select_option("Failed")
    expect(page.by_role("heading", "Nothing fits")).to_be_visible()
    page.by_role("link", "Show all").click()
    expect(page.page.locator(".media-row")).to_have_count(4)


def test_long_lists_come_in_pages(visit, own_site, archive, networks) -> None:

    folder = archive.location.parent / "many"
    for number in range(50):
        picture = still({})
        picture[0, 0] = number
        photo(folder / f"{number:02}.png", picture)
    ingest(own_site.index, [folder], networks)
    page = visit(own_site, "#/library")
    rows = page.page.locator(".media-row")
    expect(rows).to_have_count(50)
    page.by_role("button", "Show more").click()
    expect(rows).to_have_count(54)
    expect(page.by_role("button", "Show more")).to_be_hidden()
    expect(rows.nth(50).locator("a")).to_be_focused()


def test_one_video_plays_at_the_face_that_is_pressed(page) -> None:
    page.open("#/library")
    page.by_role("link", "pioneers.webm").click()
    expect(page.by_role("heading", "pioneers.webm")).to_be_visible()
    faces = page.page.locator(".face-picture")
    expect(faces.first).to_be_visible()
    face = page.by_role("button", "Show face at 0:10").first
    face.click()
    page.page.wait_for_function("() => document.querySelector('video').currentTime >= 10")
    expect(page.page.locator(".face-mark")).to_be_visible()
    expect(face).to_have_attribute("aria-current", "true")


def test_a_face_leads_to_a_search(page) -> None:
    page.open("#/library")
    page.by_role("link", "eileen.png").click()
    page.by_role("link", "Search with this face").click()
    assert "eileen.png" in page.found()


def test_a_media_that_is_not_there_is_explained(page) -> None:
    page.may_fail = True
    page.open("#/media/nothing")
    expect(page.by_role("alert").first).to_contain_text("no longer in the index")


def test_what_failed_says_why(visit, serve, tmp_path, archive) -> None:
    broken = photo(tmp_path / "broken.png", still({}))
    site = serve(archive.location)
    whole = broken.read_bytes()
    page = visit(site, "#/add")
    site.worker.gate.clear()
    page.choose("Choose files", broken)
    expect(page.page.locator(".job")).to_have_count(1)
    (kept,) = (tmp_path / "uploads").rglob("broken.png")
    kept.write_bytes(whole[:200])
    site.worker.gate.set()
    expect(page.page.locator(".job .state").first).to_have_text("Failed")
    page.by_role("link", "Library").click()
    row = page.page.locator(".media-row").filter(has_text="broken.png")
    expect(row).to_contain_text("Failed")
    expect(row.locator(".bad")).not_to_be_empty()


@pytest.mark.parametrize("answer", ["Cancel", "Delete for good"])
def test_deleting_asks_twice_and_says_how_much(own_page, own_site, answer) -> None:
    own_page.open("#/library")
    own_page.by_role("button", "Delete eileen.png").click()
    delete = own_page.by_role("button", "Delete for good")
    expect(delete).to_be_disabled()
    own_page.page.get_by_label("I understand").check()
    own_page.by_role("button", answer).click()
    if answer == "Cancel":
        assert len(list(own_site.index.iter_media())) == 4
        return
    told = own_page.by_role("dialog", "eileen.png is deleted")
    expect(told).to_contain_text("Deleted for good: 1 face")
    own_page.by_role("button", "Done").click()
    expect(own_page.page.locator(".media-row")).to_have_count(3)
    assert len(list(own_site.index.iter_media())) == 3
