"""An answer that comes late does not take the place of one that was asked for after it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from indexer.ingest import ingest
from tests.clips import photo, still

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Route

    from tests.page.visit import Visit


@contextmanager
def given_up(visit: Visit, pattern: str) -> Iterator[None]:
    """Hold back the answers to requests of this kind; the page must let go of what it asked."""
    asked: list[Route] = []
    visit.page.route(re.compile(pattern), lambda route: asked.append(route))  # noqa: PLW0108
    with visit.page.expect_event("requestfailed", lambda it: re.search(pattern, it.url)):
        yield
    assert asked


def asking(visit: Visit, pattern: str):
    return visit.page.expect_request(re.compile(pattern))


def test_of_two_filters_the_last_one_counts(page) -> None:
    page.open("#/library")
    rows = page.page.locator(".media-row")
    expect(rows).to_have_count(4)
    with given_up(page, r"/media\?.*kind=photo"):
        with asking(page, "kind=photo"):
            page.by_role("radio", "Photos").check()
        page.by_role("radio", "Videos").check()
    expect(rows).to_have_count(2)
    assert rows.locator(".media-words a").all_inner_texts() == ["old.mpg", "pioneers.webm"]
    expect(page.page.locator("[aria-busy]")).to_have_count(0)


def test_of_a_name_that_is_typed_all_counts(page) -> None:
    page.open("#/people")
    field = page.page.get_by_label("Find a name")
    with given_up(page, "contains=G$|contains=G&"):
        with asking(page, "contains=G$|contains=G&"):
            field.fill("G")
        field.fill("Gx")
    expect(page.by_role("heading", "No such name")).to_be_visible()


def test_suggestions_are_those_for_what_was_typed_last(page) -> None:
    page.open("#/library")
    field = page.page.get_by_role("combobox", name="Person")
    with given_up(page, "contains=x"):
        with asking(page, "contains=x"):
            field.fill("x")
        field.fill("Gra")
    expect(page.page.locator("datalist option[value='Grace Hopper']")).to_be_attached()


def test_a_list_that_is_read_anew_is_not_mixed_with_what_it_was(
    visit, own_site, archive, networks
) -> None:
    folder = archive.location.parent / "many"
    for number in range(50):
        picture = still({})
        picture[0, 0] = number
        photo(folder / f"{number:02}.png", picture)
    ingest(own_site.index, [folder], networks)
    page = visit(own_site, "#/library")
    rows = page.page.locator(".media-row")
    expect(rows).to_have_count(50)
    with given_up(page, "cursor="):
        with asking(page, "cursor="):
            page.by_role("button", "Show more").click()
        page.by_role("button", "Delete 00.png").click()
        page.page.get_by_label("I understand").check()
        page.by_role("button", "Delete for good").click()
        page.by_role("button", "Done").click()
    page.page.unroute_all()
    expect(page.by_role("button", "Delete 00.png")).to_have_count(0)
    page.by_role("button", "Show more").click()
    expect(rows).to_have_count(53)
