"""Filters: each narrows what is found, stands in the address, and can be taken away."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

ALL = {"eileen.png", "pioneers.webm", "old.mpg"}


@pytest.fixture
def found(page, made_archive):
    """A search for Eileen's stored face."""
    page.open(f"#/search?face_id={made_archive.faces['eileen.png'].id}")
    assert set(page.found()) == ALL
    return page


def only(visit, *names: str) -> None:
    """Expect exactly these results, in any order."""
    expect(visit.results).to_have_count(len(names))
    assert set(visit.found()) == set(names)


def test_kind(found) -> None:
    found.page.get_by_label("Photos").check()
    only(found, "eileen.png")
    assert "kind=photo" in found.page.url
    found.page.get_by_label("All", exact=True).check()
    only(found, *ALL)


def test_time_in_the_video(found) -> None:
    form = found.by_role("form", "Filters")
    form.get_by_label("From").first.fill("0:08")
    form.get_by_label("From").first.press("Enter")
    only(found, "pioneers.webm")
    expect(found.result("pioneers.webm").locator(".time")).to_have_count(1)
    assert "from_s=8" in found.page.url


def test_a_time_that_is_none_is_refused_at_its_field(found) -> None:
    form = found.by_role("form", "Filters")
    field = form.get_by_label("From").first
    field.fill("later")
    field.press("Enter")
    assert field.evaluate("field => field.validationMessage") == "Give a time such as 1:30 or 90."
    assert "from_s" not in found.page.url


def test_person(found) -> None:
    field = found.page.get_by_role("combobox", name="Person")
    field.fill("Grace Hopper")
    field.press("Enter")
    expect(found.by_role("heading", "This person was not found")).to_be_visible()
    found.page.locator(".results").get_by_role("button", name="Clear filters").click()
    only(found, *ALL)


def test_only_this_video(found) -> None:
    found.result("old.mpg").get_by_role("button", name="Only this video").click()
    only(found, "old.mpg")
    found.page.reload()
    only(found, "old.mpg")
    found.by_role("button", "Only in old.mpg: take this filter away").click()
    only(found, *ALL)


def test_file_name(found) -> None:
    found.page.get_by_label("File name").fill("pioneers.webm")
    found.page.get_by_label("File name").press("Enter")
    only(found, "pioneers.webm")


def test_folder(found) -> None:
    found.page.get_by_label("Folder").fill("/elsewhere")
    found.page.get_by_label("Folder").press("Enter")
    expect(found.by_role("heading", "This person was not found")).to_be_visible()


def test_quality_of_the_face(found) -> None:
    found.page.get_by_label("Size").select_option("160 pixels or more")
    expect(found.by_role("heading", "This person was not found")).to_be_visible()
    found.page.get_by_label("Size").select_option("40 pixels or more")
    only(found, *ALL)


def test_dates_of_recording(found) -> None:
    found.page.get_by_label("To").last.fill("1999-12-31")
    expect(found.by_role("heading", "This person was not found")).to_be_visible()
    assert "recorded_to=1999-12-31" in found.page.url


def test_different_people_too(found) -> None:
    found.page.get_by_label("Also show different people").check()
    only(found, *ALL, "grace.png")
    expect(found.result("grace.png").get_by_text("Different person")).to_be_visible()


def test_back_takes_a_filter_away_again_and_a_reload_keeps_it(found) -> None:
    found.page.get_by_label("Videos").check()
    only(found, "pioneers.webm", "old.mpg")
    found.page.reload()
    only(found, "pioneers.webm", "old.mpg")
    expect(found.page.get_by_label("Videos")).to_be_checked()
    found.page.go_back()
    only(found, *ALL)
    expect(found.page.get_by_label("All", exact=True)).to_be_checked()


def test_a_filter_the_service_refuses_is_explained(found) -> None:
    found.may_fail = True
    found.page.get_by_label("Folder").fill("films")
    found.page.get_by_label("Folder").press("Enter")
    expect(found.by_role("alert").first).to_contain_text("under takes an absolute path")
