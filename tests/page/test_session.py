"""Signing in with a key, what its scopes allow, and signing out."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from api.security.keys import KeyStore


@pytest.fixture
def key_for(tmp_path):
    """Make a key with a scope and return it."""
    store = KeyStore(tmp_path / "private" / "keys.json")
    return lambda scope: store.add(f"{scope} key", [scope])[1]


@pytest.fixture
def locked(serve, archive):
    return serve(archive.location, require_key=True)


def sign_in(visit, key: str) -> None:
    visit.page.get_by_label("Key").fill(key)
    visit.by_role("button", "Sign in").click()


def test_a_key_opens_the_page_and_the_pictures(visit, locked, key_for, archive) -> None:
    page = visit(locked, f"#/search?face_id={archive.faces['eileen.png'].id}")
    expect(page.by_role("heading", "Sign in")).to_be_visible()
    expect(page.page.get_by_label("Key")).to_be_focused()
    expect(page.by_role("navigation").get_by_role("link")).to_have_count(0)
    sign_in(page, key_for("admin"))
    assert "pioneers.webm" in page.found()
    expect(page.page.locator("#account")).to_contain_text("admin key")
    page.result("pioneers.webm").get_by_role("button", name="Play 0:02.0").click()
    page.page.wait_for_function("() => document.querySelector('video')?.currentTime >= 2")


def test_a_wrong_key_is_refused_in_words(visit, locked, key_for) -> None:
    page = visit(locked)
    page.may_fail = True
    key_for("search")
    sign_in(page, "not a key")
    expect(page.by_role("alert").first).to_contain_text("This key is not accepted")
    sign_in(page, key_for("search"))
    expect(page.by_role("heading", "Find where someone appears")).to_be_visible()


def test_after_too_many_wrong_keys_it_is_said_how_long_to_wait(visit, locked, key_for) -> None:
    page = visit(locked)
    page.may_fail = True
    key_for("search")
    for _ in range(21):
        page.page.request.post("/api/v1/session", data={"key": "wrong"})
    sign_in(page, "not a key")
    alert = page.by_role("alert").first
    expect(alert).to_contain_text("Too many requests in a short time. Wait ")
    expect(alert).to_contain_text(re.compile(r"Wait \d+ seconds?, then try again\."))


def test_a_key_for_searching_shows_nothing_else(visit, locked, key_for, archive) -> None:
    page = visit(locked, f"#/search?face_id={archive.faces['eileen.png'].id}")
    sign_in(page, key_for("search"))
    page.found()
    expect(page.by_role("button", "Name this person")).to_have_count(0)
    expect(page.by_role("link", "Add")).to_have_count(0)
    page.by_role("link", "People").click()
    expect(page.page.locator(".person-card")).to_be_visible()
    expect(page.by_role("button", "Forget Grace Hopper")).to_have_count(0)
    page.open("#/add")
    expect(page.by_role("alert").first).to_contain_text("Your key does not allow this")


def test_signing_out_and_a_key_that_was_removed_lead_back(visit, locked, key_for, tmp_path) -> None:
    page = visit(locked)
    sign_in(page, key_for("search"))
    page.by_role("button", "Sign out").click()
    expect(page.by_role("heading", "Sign in")).to_be_visible()
    sign_in(page, key_for("search"))
    expect(page.by_role("heading", "Find where someone appears")).to_be_visible()
    page.may_fail = True
    store = KeyStore(tmp_path / "private" / "keys.json")
    for each in store.all():
        store.remove(each.id)
    page.open("#/library")  # no link: what the first view still asks for may have led back already
    expect(page.by_role("heading", "Sign in")).to_be_visible()
