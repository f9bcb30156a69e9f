"""Adding photos and videos: uploads and paths, their progress, cancelling and trying again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from indexer import open_index
from tests.clips import photo, still

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def new(tmp_path: Path, portraits) -> Path:
    return photo(tmp_path / "new" / "both of them.png", still(portraits, "eileen", "grace"))


@pytest.fixture
def adding(own_page):
    own_page.by_role("link", "Add").click()
    expect(own_page.by_role("heading", "Add photos and videos")).to_be_visible()
    return own_page


def test_an_upload_is_followed_until_it_is_done(adding, own_site, new) -> None:
    own_site.worker.gate.clear()
    adding.choose("Choose files", new)
    expect(adding.page.locator(".outcome")).to_contain_text("1 file queued")
    job = adding.page.locator(".job")
    expect(job.locator(".state").first).to_have_text("Waiting")
    expect(job.get_by_role("progressbar")).to_be_visible()
    own_site.worker.gate.set()
    expect(job.locator(".state").first).to_have_text("Done")
    expect(job).to_contain_text("1 of 1 file done")
    expect(job.get_by_role("progressbar")).to_be_hidden()
    job.get_by_text("Files", exact=True).click()
    job.get_by_role("link", name="both of them.png").click()
    expect(adding.page.locator(".face-picture")).to_have_count(2)


def test_files_can_be_dropped(adding, new) -> None:
    adding.drop(new)
    expect(adding.page.locator(".job .state").first).to_have_text("Done")


def test_what_is_done_is_not_queued_again_unless_asked(adding, new) -> None:
    adding.choose("Choose files", new)
    expect(adding.page.locator(".job .state").first).to_have_text("Done")
    adding.choose("Choose files", new)
    expect(adding.page.locator(".outcome").last).to_contain_text("1 done already")
    adding.page.get_by_label("Index again").check()
    adding.choose("Choose files", new)
    expect(adding.page.locator(".outcome").last).to_contain_text("1 file queued")


def test_a_job_can_be_cancelled(adding, own_site, new) -> None:
    own_site.worker.gate.clear()
    adding.choose("Choose files", new)
    job = adding.page.locator(".job")
    job.get_by_role("button", name="Cancel").click()
    adding.by_role("button", "Cancel the job").click()
    expect(adding.by_role("status").last).to_contain_text("Cancelled: 1 file taken back")
    expect(job).to_have_count(0)
    assert len(list(own_site.index.iter_media())) == 4


def test_what_failed_is_tried_again(adding, own_site, new, tmp_path) -> None:
    own_site.worker.gate.clear()
    adding.choose("Choose files", new)
    job = adding.page.locator(".job")
    expect(job).to_have_count(1)
    (kept,) = (tmp_path / "uploads").rglob("*.png")
    kept.write_bytes(new.read_bytes()[:300])
    own_site.worker.gate.set()
    expect(job.locator(".state").first).to_have_text("Failed")
    kept.write_bytes(new.read_bytes())
    job.get_by_role("button", name="Try failed ones again").click()
    expect(job.locator(".state").first).to_have_text("Done")


def test_jobs_are_shown_again_after_a_failure_as_soon_as_there_is_a_new_one(adding, new) -> None:
    adding.may_fail = True
    adding.page.route("**/api/v1/jobs?*", lambda route: route.abort())
    adding.page.reload()
    failure = adding.page.locator(".jobs [role=alert]")
    expect(failure).to_contain_text("The service does not answer")
    adding.page.unroute_all()
    adding.choose("Choose files", new)
    expect(adding.page.locator(".job .state").first).to_have_text("Done")
    expect(failure).to_have_count(0)


def test_a_file_that_is_none_is_refused_in_words(adding, tmp_path) -> None:
    adding.may_fail = True
    (tmp_path / "letter.png").write_text("Dear Sir or Madam")
    adding.choose("Choose files", tmp_path / "letter.png")
    alert = adding.by_role("alert").first
    expect(alert).to_contain_text("This file cannot be used")
    expect(alert).to_contain_text("letter.png")


def test_of_several_files_the_good_ones_are_taken(adding, new, tmp_path) -> None:
    (tmp_path / "letter.png").write_text("Dear Sir or Madam")
    adding.choose("Choose files", tmp_path / "letter.png", new)
    outcome = adding.page.locator(".outcome")
    expect(outcome).to_contain_text("1 file queued, 1 cannot be used")
    expect(outcome).to_contain_text("letter.png")


def test_paths_below_the_roots_are_added(visit, serve, archive, new) -> None:
    page = visit(serve(archive.location, roots=str(new.parent)), "#/add")
    page.page.get_by_label("Files and folders of the server").fill(f"{new.parent}\n")
    page.by_role("button", "Add these").click()
    expect(page.page.locator(".outcome")).to_contain_text("1 file queued")
    expect(page.page.locator(".job .state").first).to_have_text("Done")


def test_paths_elsewhere_are_refused_in_words(visit, serve, archive, new) -> None:
    page = visit(serve(archive.location, roots=str(new.parent)), "#/add")
    page.may_fail = True
    page.page.get_by_label("Files and folders of the server").fill("/etc/passwd")
    page.by_role("button", "Add these").click()
    expect(page.page.locator(".paths [role=alert]")).to_contain_text("This folder may not be used")


def test_without_roots_no_paths_are_asked_for(adding) -> None:
    expect(adding.page.get_by_label("Choose files")).to_be_attached()
    expect(adding.page.get_by_label("Files and folders of the server")).to_have_count(0)


def test_an_empty_index_says_what_to_do_and_then_finds(visit, serve, tmp_path, new) -> None:
    location = tmp_path / "empty.sightings"
    open_index(location, create=True).close()
    page = visit(serve(location))
    page.by_role("link", "Add photos and videos").click()
    page.choose("Choose files", new)
    expect(page.page.locator(".job .state").first).to_have_text("Done")
    page.by_role("link", "Search").click()
    page.drop(new)
    expect(page.result("both of them.png")).to_be_visible()
    expect(page.page).to_have_url(re.compile("photos="))
