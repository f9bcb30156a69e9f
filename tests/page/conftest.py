from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.page.archive import Archive, make_archive
from tests.page.serving import Site, served
from tests.page.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext


# Two cores may be busy with more than this.
expect.set_options(timeout=15_000)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium (`apt-get install chromium`), without a window.

    It ends with these tests: while playwright runs, `asyncio.run` cannot be called in this thread.
    """
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        reason = "chromium is not installed: apt-get install --no-install-recommends chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        # Containers have neither the privileges of its sandbox nor a large /dev/shm.
        flags = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def made_archive(tmp_path_factory, portraits, networks) -> Archive:
    return make_archive(tmp_path_factory.mktemp("page"), portraits, networks)


@pytest.fixture(scope="session")
def site(made_archive: Archive, networks, tmp_path_factory) -> Iterator[Site]:
    """A service on an index that no test changes; nobody needs a key."""
    folder = tmp_path_factory.mktemp("site")
    with served(made_archive.location, folder, networks) as running:
        yield running


@pytest.fixture
def archive(made_archive: Archive, tmp_path: Path) -> Archive:
    """A copy of the index, to do with as a test likes; the media are shared."""
    return made_archive.copied_to(tmp_path)


@pytest.fixture
def serve(tmp_path, networks) -> Iterator[Callable[..., Site]]:
    """Start services on index files; settings of section `api` are given by name."""
    with ExitStack() as ending:
        yield lambda location, **changes: ending.enter_context(
            served(location, tmp_path, networks, **changes)
        )


@pytest.fixture
def own_site(serve: Callable[..., Site], archive: Archive) -> Site:
    """A service on a copy of the index."""
    return serve(archive.location)


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """Open the page of a site; whatever the browser complains of fails the test."""
    with ExitStack() as ending:

        def opened(site: Site, path: str = "#/", **options: Any) -> Visit:
            context = chromium.new_context(base_url=site.address, **options)
            ending.callback(context.close)
            visiting = Visit(context.new_page())
            ending.callback(visiting.require_no_complaints)
            visiting.open(path)
            return visiting

        yield opened


@pytest.fixture(scope="package")
def warm_context(chromium: Browser, site: Site) -> Iterator[BrowserContext]:
    """A browser that has the page's files already, as everybody's has after the first visit."""
    context = chromium.new_context(base_url=site.address)
    yield context
    context.close()


@pytest.fixture
def page(warm_context: BrowserContext) -> Iterator[Visit]:
    """The page of the shared site."""
    visiting = Visit(warm_context.new_page())
    visiting.open("#/")
    yield visiting
    visiting.page.close()
    visiting.require_no_complaints()


@pytest.fixture
def own_page(visit: Callable[..., Visit], own_site: Site) -> Visit:
    return visit(own_site)
