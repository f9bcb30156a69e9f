"""Searching by a photo: dropped, pasted or chosen; which face; and what is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.clips import photo, still


@pytest.fixture
def eileen(tmp_path: Path, portraits) -> Path:
    return photo(tmp_path / "who is this.png", still(portraits, "eileen", shift=3))


@pytest.fixture
def both(tmp_path: Path, portraits) -> Path:
    return photo(tmp_path / "both.png", still(portraits, "eileen", "grace"))


def test_a_dropped_photo_is_searched_for_at_once(page, eileen) -> None:
    page.drop(eileen)
    assert set(page.found()) == {"eileen.png", "pioneers.webm", "old.mpg"}
    result = page.result("pioneers.webm")
    expect(result.get_by_text("Same person")).to_be_visible()
    expect(result.locator(".moments")).to_contain_text("0:02.0–0:05.8")
    expect(page.page.get_by_role("button", name="Face 1 of 1")).to_have_attribute("aria-pressed", "true")
