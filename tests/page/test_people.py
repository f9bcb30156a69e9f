"""Names: given from a result, changed, merged, and forgotten for good."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from indexer.naming import name_faces
from indexer.records import Filters

HOSTILE = '<img src=x onerror=alert(1)> & "Co"'


@pytest.fixture
def eileen(own_page, archive):
    """The page with a search for Eileen's stored face."""
    own_page.open(f"#/search?face_id={archive.faces['eileen.png'].id}&kind=video")
    assert own_page.found()
    return own_page


def name(visit, file_name: str, person: str) -> None:
    visit.result(file_name).get_by_role("button", name="Name this person").click()
    visit.page.get_by_label("Name", exact=True).fill(person)
    visit.by_role("button", "Save name").click()
    expect(visit.by_role("dialog")).to_have_count(0)


def named(site, person: str) -> int:
    return sum(1 for _ in site.index.iter_faces(Filters(persons=(person,))))


def test_naming_a_result_names_its_whole_appearance(eileen, own_site, archive) -> None:
    name(eileen, "pioneers.webm", "Eileen Collins")
    expect(eileen.result("pioneers.webm").locator(".person")).to_have_text("Eileen Collins")
    expect(eileen.by_role("status").last).to_contain_text("Named Eileen Collins")
    faces = list(own_site.index.iter_faces(Filters(persons=("Eileen Collins",))))
    everything = own_site.index.iter_faces(Filters(media_ids=(archive.media["pioneers.webm"].id,)))
    of_appearance = [f for f in everything if f.appearance_id == faces[0].appearance_id]
    assert len(of_appearance) > 1
    assert {f.id for f in faces} == {f.id for f in of_appearance}
    eileen.by_role("link", "People").click()
    expect(eileen.by_role("link", "Eileen Collins")).to_contain_text("in 1 file")


def test_a_name_is_text_whatever_it_holds(eileen) -> None:
    name(eileen, "pioneers.webm", HOSTILE)
    expect(eileen.result("pioneers.webm").locator(".person")).to_have_text(HOSTILE)
    eileen.by_role("link", "People").click()
    eileen.page.locator(".person-link").filter(has_text=HOSTILE).click()
    expect(eileen.page.locator(".query-stored")).to_contain_text(HOSTILE)
    assert "pioneers.webm" in eileen.found()


def test_known_names_are_suggested(eileen) -> None:
    eileen.result("pioneers.webm").get_by_role("button", name="Name this person").click()
    eileen.page.get_by_label("Name", exact=True).press_sequentially("grace")
    expect(eileen.page.locator("dialog datalist option")).to_have_attribute("value", "Grace Hopper")


def test_a_name_can_be_taken_back(own_page, own_site) -> None:
    own_page.open("#/search?person=Grace%20Hopper")
    own_page.found()
    own_page.result("grace.png").get_by_role("button", name="Change name").click()
    own_page.by_role("button", "Take the name back").click()
    expect(own_page.result("grace.png").locator(".person")).to_have_text("No name yet")
    assert named(own_site, "Grace Hopper") == 0


def test_people_are_listed_with_pictures_and_counts_and_found_by_name(own_page) -> None:
    own_page.by_role("link", "People").click()
    card = own_page.page.locator(".person-card")
    expect(card).to_contain_text("Grace Hopper")
    expect(card).to_contain_text("1 face in 1 file")
    assert card.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)")
    own_page.page.get_by_label("Find a name").fill("nobody")
    expect(own_page.by_role("heading", "No such name")).to_be_visible()
    assert "contains=nobody" in own_page.page.url
    own_page.by_role("button", "Show everybody").click()
    expect(card).to_be_visible()


def test_rename(own_page, own_site) -> None:
    own_page.open("#/people")
    own_page.by_role("button", "Rename Grace Hopper").click()
    field = own_page.page.get_by_label("New name")
    expect(field).to_have_value("Grace Hopper")
    field.fill("Rear Admiral Hopper")
    own_page.by_role("button", "Rename", exact=True).click()
    expect(own_page.page.locator(".person-card")).to_contain_text("Rear Admiral Hopper")
    assert named(own_site, "Rear Admiral Hopper") == 1
    assert named(own_site, "Grace Hopper") == 0


def test_an_existing_name_merges_only_after_a_question(own_page, own_site, archive) -> None:
    own_page.may_fail = True  # the refusal that leads to the question
    name_faces(own_site.index, "G. Hopper", [archive.faces["old.mpg"].id])
    own_page.open("#/people")
    own_page.by_role("button", "Rename G. Hopper").click()
    own_page.page.get_by_label("New name").fill("Grace Hopper")
    own_page.by_role("button", "Rename", exact=True).click()
    expect(own_page.by_role("dialog", "Make the two one?")).to_be_visible()
    own_page.by_role("button", "Cancel").click()
    assert named(own_site, "G. Hopper") > 0
    own_page.by_role("button", "Merge G. Hopper").click()
    own_page.page.get_by_label("The name to keep").fill("Grace Hopper")
    own_page.by_role("button", "Continue").click()
    own_page.by_role("button", "Merge into Grace Hopper").click()
    expect(own_page.page.locator(".person-card")).to_have_count(1)
    assert named(own_site, "G. Hopper") == 0
    assert named(own_site, "Grace Hopper") > 1


def test_forgetting_needs_the_name_typed_and_says_how_much_was_deleted(own_page, own_site) -> None:
    before = own_site.index.count()
    own_page.open("#/people")
    own_page.by_role("button", "Forget Grace Hopper").click()
    forget = own_page.by_role("button", "Forget for good")
    expect(forget).to_be_disabled()
    field = own_page.page.get_by_label("Type Grace Hopper to confirm")
    field.fill("Grace")
    expect(forget).to_be_disabled()
    field.fill("Grace Hopper")
    forget.click()
    told = own_page.by_role("dialog", "Grace Hopper is forgotten")
    expect(told).to_contain_text("Deleted for good: 1 face, 1 name given to a face")
    expect(told).to_contain_text("that may be the same person")
    own_page.by_role("button", "Done").click()
    expect(own_page.by_role("heading", "Nobody has a name yet")).to_be_visible()
    assert own_site.index.count() == before - 1


def test_forgetting_can_take_those_who_are_the_same_person_along(own_page, own_site) -> None:
    before = own_site.index.count()
    own_page.open("#/people")
    own_page.by_role("button", "Forget Grace Hopper").click()
    own_page.page.get_by_label("Also delete faces without a name").check()
    own_page.page.get_by_label("Type Grace Hopper to confirm").fill("Grace Hopper")
    own_page.page.keyboard.press("Enter")
    told = own_page.by_role("dialog", "Grace Hopper is forgotten")
    expect(told).to_contain_text("Deleted for good")
    expect(told).not_to_contain_text("may be the same person")
    assert own_site.index.count() < before - 1
